import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collect } from '../../test/support/collect.ts';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { documentsIn, documentWith, int32Id } from '../../test/support/raw-documents.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
  tinyChunker,
} from '../../test/support/test-repository.ts';
import { Bug } from '../lib/assert.ts';
import { MemoryStore } from '../storage/memory.ts';
import type { ObjectStore, PutOptions } from '../storage/object-store.ts';
import type { LayerRef, Manifest } from './format/manifest.ts';
import { readCollection } from './layers/layers.ts';
import { blobsOfLists } from './reader.ts';
import type { Repository } from './repository.ts';
import { SnapshotWriter } from './writer.ts';

const document = (n: number, bytes = 40): Buffer => documentWith(int32Id(n), Buffer.alloc(bytes, n));
const documents = (from: number, to: number): Buffer =>
  Buffer.concat(Array.from({ length: to - from }, (_, n) => document(from + n)));

function writerOf(
  repository: Repository,
  n: number,
  parent: Manifest | null = null,
  signal?: AbortSignal,
): SnapshotWriter {
  return new SnapshotWriter(repository, { clusterId: testClusterId, snapshotId: snapshotIdOf(n), parent, signal });
}

async function base(writer: SnapshotWriter, all: Buffer, reuse: readonly LayerRef[] = []): Promise<LayerRef> {
  const layer = writer.openLayer({ kind: 'base', reuse });
  await layer.add(all);
  return await layer.close();
}

async function keysBelow(repository: Repository, prefix: string): Promise<string[]> {
  return (await collect(repository.store.list(prefix))).map((info) => info.objectKey);
}

/** A store whose puts wait until they are let go, in any order. */
class HeldStore extends MemoryStore {
  readonly held: (() => void)[] = [];
  holding = false;
  override async put(objectKey: string, body: Uint8Array, options?: PutOptions): Promise<void> {
    if (this.holding && objectKey.startsWith('blobs/')) {
      const letGo = new Promise<void>((resolve) => this.held.push(resolve));
      const aborted = new Promise<never>((_, reject) => {
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error), { once: true });
      });
      await Promise.race([letGo, aborted]);
    }
    await super.put(objectKey, body, options);
  }
}

describe('a snapshot writer', () => {
  test('names blobs in the order of the documents, in whatever order they are acknowledged', async () => {
    const store = new HeldStore(new FakeClock());
    const repository = await testRepository({ store });
    store.holding = true;
    const writer = writerOf(repository, 1);
    const layer = writer.openLayer({ kind: 'base' });
    const all = documents(0, 100);
    const closing = layer.add(all).then(() => layer.close());
    let ended = false;
    void closing.finally(() => {
      ended = true;
    });
    while (!ended) {
      store.held.pop()?.(); // newest first
      await new Promise((resolve) => setImmediate(resolve));
    }
    const ref = await closing;
    assert.equal(ref.documents, 100);
    assert.equal(ref.bytes, all.length);
    const read: Buffer[] = [];
    for await (const buffer of readCollection(repository, testClusterId, collectionOf('x', [ref]))) read.push(buffer);
    assert.ok(Buffer.concat(read).equals(all));
    assert.ok(read.length > 10);
  });

  test('bounds what is under way: a slow store holds the caller back', async () => {
    const store = new HeldStore(new FakeClock());
    const repository = await testRepository({ store });
    store.holding = true;
    const controller = new AbortController();
    const { signal } = controller;
    const place = { clusterId: testClusterId, snapshotId: snapshotIdOf(1) };
    // Room for eight blobs of the target size, so for more than two of any size and for no more than these.
    const writer = new SnapshotWriter(repository, { ...place, parent: null, signal, blobsInFlightMax: 8 });
    const layer = writer.openLayer({ kind: 'base' });
    const adding = layer.add(documents(0, 1000));
    adding.catch(() => undefined);
    while (store.held.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(store.held.length * (tinyChunker.minBytes ?? 0) <= 8 * (tinyChunker.targetBytes ?? 0));
    controller.abort(new Error('enough'));
    await assert.rejects(adding, /enough/);
    await writer.abandon();
    assert.deepEqual(await keysBelow(repository, 'blobs/'), []);
  });

  test('writes content once, within one snapshot and again where the parent has it', async () => {
    const repository = await testRepository();
    const first = writerOf(repository, 1);
    const all = documents(0, 300);
    const [one, two] = [await base(first, all), await base(first, all)];
    assert.deepEqual(one.documentLists, two.documentLists);
    assert.equal(first.written.blobs * 2, first.written.blobs + first.written.reusedBlobs);
    const parent = manifestOf(repository, snapshotIdOf(1), [collectionOf('x', [one])]);
    await first.commit(parent);

    const second = writerOf(repository, 2, parent);
    const changed = Buffer.concat([documents(0, 150), document(1000), documents(150, 300)]);
    const again = await base(second, changed, [one]);
    assert.ok(second.written.blobs <= 4, `${second.written.blobs} blobs written`);
    assert.ok(second.written.reusedBlobs > 20);
    const refs = await collect(blobsOfLists(repository, testClusterId, again.documentLists, 1));
    assert.ok(refs.some((ref) => ref.snapshotId === snapshotIdOf(1)));
    assert.ok(refs.some((ref) => ref.snapshotId === snapshotIdOf(2)));
    assert.equal(
      refs.reduce((sum, ref) => sum + ref.storedBytes, 0),
      again.storedBytes,
    );
    const third = writerOf(repository, 3, parent);
    assert.deepEqual(await base(third, all, [one]), { ...one, takenIn: snapshotIdOf(3) });
    assert.deepEqual(await keysBelow(repository, `blobs/${testClusterId}/${snapshotIdOf(3)}`), []);
  });

  test('does not rely on a blob of the parent that is not there', async () => {
    const repository = await testRepository();
    const first = writerOf(repository, 1);
    const all = documents(0, 100);
    const one = await base(first, all);
    const parent = manifestOf(repository, snapshotIdOf(1), [collectionOf('x', [one])]);
    const [lost] = await collect(blobsOfLists(repository, testClusterId, one.documentLists, 1));
    await repository.store.delete(`blobs/${testClusterId}/${snapshotIdOf(1)}/${lost?.id}`);
    const again = await base(writerOf(repository, 2, parent), all, [one]);
    const read: Buffer[] = [];
    for await (const buffer of readCollection(repository, testClusterId, collectionOf('x', [again]))) read.push(buffer);
    assert.ok(Buffer.concat(read).equals(all));
  });

  test('a damaged list of the parent costs space and is told, and does not cost the snapshot', async () => {
    const repository = await testRepository();
    const all = documents(0, 100);
    const one = await base(writerOf(repository, 1), all);
    const parent = manifestOf(repository, snapshotIdOf(1), [collectionOf('x', [one])]);
    await repository.store.delete(`blobs/${testClusterId}/${snapshotIdOf(1)}/${one.documentLists[0]?.id}`);
    const writer = writerOf(repository, 2, parent);
    const again = await base(writer, all, [one]);
    assert.equal(writer.parentDamage.length, 1);
    assert.equal(writer.written.reusedBlobs, 1, 'the filters, which no list names');
    const read: Buffer[] = [];
    for await (const buffer of readCollection(repository, testClusterId, collectionOf('x', [again]))) read.push(buffer);
    assert.ok(Buffer.concat(read).equals(all));
  });

  test('counts and keeps deletions, cut at the target', async () => {
    const repository = await testRepository();
    const writer = writerOf(repository, 1);
    const layer = writer.openLayer({ kind: 'delta' });
    for (let n = 0; n < 100; n++) await layer.addDeleted(int32Id(n));
    const ref = await layer.close();
    assert.equal(ref.deleted, 100);
    assert.equal(ref.documents, 0);
    assert.deepEqual(ref.documentLists, []);
    const blobs = await collect(blobsOfLists(repository, testClusterId, ref.deletedLists, 5));
    for (const blob of blobs.slice(0, -1)) assert.ok(blob.plainBytes >= 200 && blob.plainBytes < 200 + 14);
  });

  test('a layer of nothing has no lists, and a large document is one blob', async () => {
    const repository = await testRepository();
    const writer = writerOf(repository, 1);
    const nothing = await writer.openLayer({ kind: 'delta' }).close();
    assert.deepEqual([nothing.documents, nothing.deleted, nothing.documentLists, nothing.deletedLists], [0, 0, [], []]);
    const large = document(1, 5000);
    const ref = await base(writer, Buffer.concat([document(0), large, document(2)]));
    const blobs = await collect(blobsOfLists(repository, testClusterId, ref.documentLists, 1));
    assert.deepEqual(
      blobs.map((blob) => blob.documents),
      [1, 1, 1],
    );
  });

  test('an attempt that follows another under the same id adopts what is whole', async () => {
    const repository = await testRepository();
    const all = documents(0, 100);
    const one = await base(writerOf(repository, 1), all);
    const objects = await keysBelow(repository, 'blobs/');
    const second = writerOf(repository, 1);
    assert.deepEqual(await base(second, all), one);
    assert.deepEqual(await keysBelow(repository, 'blobs/'), objects);
    const victim = objects[0] as string;
    await repository.store.put(victim, Buffer.from('damaged'));
    await assert.rejects(base(writerOf(repository, 1), all), (error) => String(error).includes(victim));
  });

  test('a failure of the store stops the snapshot, and every later call says why', async () => {
    const store = new MemoryStore(new FakeClock());
    const repository = await testRepository({ store });
    const broken: ObjectStore = Object.assign(Object.create(store) as ObjectStore, {
      put: async () => {
        throw new Error('the disk is on fire');
      },
    });
    const writer = writerOf(Object.assign(Object.create(repository) as Repository, { store: broken }), 1);
    const layer = writer.openLayer({ kind: 'base' });
    await assert.rejects(
      layer.add(documents(0, 1000)).then(() => layer.close()),
      /on fire/,
    );
    const other = writer.openLayer({ kind: 'base' });
    await assert.rejects(
      other.add(documents(0, 100)).then(() => other.close()),
      /on fire/,
    );
    await writer.abandon();
  });

  test('commits once, only what it wrote or its parent names, and never over another', async () => {
    const repository = await testRepository();
    const first = writerOf(repository, 1);
    const one = await base(first, documents(0, 50));
    const parent = manifestOf(repository, snapshotIdOf(1), [collectionOf('x', [one])]);
    await first.commit(parent);
    await assert.rejects(first.commit(parent), Bug);
    const stranger = writerOf(repository, 2);
    await assert.rejects(stranger.commit(manifestOf(repository, snapshotIdOf(2), [collectionOf('x', [one])])), Bug);
    assert.throws(() => stranger.openLayer({ kind: 'base', reuse: [one] }), Bug);
    const child = writerOf(repository, 2, parent);
    await child.commit(manifestOf(repository, snapshotIdOf(2), [collectionOf('x', [one])]));
    const twin = writerOf(repository, 2, parent);
    await assert.rejects(twin.commit(manifestOf(repository, snapshotIdOf(2), [])), /committed already/);
  });

  test('a layer takes nothing more after it was closed, abandoned, or failed', async () => {
    const repository = await testRepository();
    const writer = writerOf(repository, 1);
    const closed = writer.openLayer({ kind: 'base' });
    await closed.close();
    await assert.rejects(closed.add(document(1)), Bug);
    const abandoned = writer.openLayer({ kind: 'base' });
    abandoned.abandon();
    await assert.rejects(abandoned.add(document(1)), Bug);
    const failed = writer.openLayer({ kind: 'base' });
    await assert.rejects(failed.add(document(1).subarray(0, 20)));
    await assert.rejects(failed.close(), Bug);
  });

  test('nothing of the content shows in an encrypted repository', async () => {
    const repository = await testRepository({ passphrase: 'secret' });
    const all = Buffer.concat(
      Array.from({ length: 50 }, (_, n) => documentWith(int32Id(n), Buffer.from('plain to see'))),
    );
    const ref = await base(writerOf(repository, 1), all);
    for await (const { objectKey } of repository.store.list('')) {
      assert.equal((await repository.store.get(objectKey)).includes('plain to see'), false, objectKey);
    }
    const read: Buffer[] = [];
    for await (const buffer of readCollection(repository, testClusterId, collectionOf('x', [ref]))) read.push(buffer);
    assert.equal(documentsIn(Buffer.concat(read)).length, 50);
  });
});
