import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import { clockOfEmptyStore, emptyStore } from '../../../test/support/empty-store.ts';
import type { FakeClock } from '../../../test/support/fake-clock.ts';
import { contentOf } from '../../../test/support/layer-history.ts';
import { documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../../test/support/test-repository.ts';
import { must } from '../../lib/assert.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { objectOf, singleBlobsOf } from '../format/layer-blobs.ts';
import type { CollectionEntry, Manifest } from '../format/manifest.ts';
import { deleteManifest } from '../manifests.ts';
import type { Repository } from '../repository.ts';
import { SnapshotWriter } from '../writer.ts';
import { checkRepository } from './check.ts';
import { executePrune, planPrune } from './prune.ts';
import { repackShared } from './repack.ts';
import { planRepack } from './repack-plan.ts';

/** A collection of one document of some 50 bytes shares a blob with about 9 others. */
const chunker = { minBytes: 500, targetBytes: 700, maxBytes: 900 };
const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });

describe('shared blobs', () => {
  let clock: FakeClock;
  let store: ObjectStore;
  let repository: Repository;
  beforeEach(async () => {
    clock = clockOfEmptyStore();
    store = await emptyStore(clock);
    repository = await testRepository({ clock, store, chunker });
  });

  /** The snapshot of `parent` without some of its collections, with some of them anew. */
  async function snapshot(
    n: number,
    parent: Manifest | null,
    { written = [], dropped = [] }: { written?: readonly number[]; dropped?: readonly number[] },
  ): Promise<Manifest> {
    const writer = new SnapshotWriter(repository, { ...place(n), parent });
    const gone = new Set([...written, ...dropped].map((id) => `c${id}`));
    const collections: CollectionEntry[] = (parent?.collections ?? []).filter(({ name }) => !gone.has(name));
    for (const id of written) {
      const layer = writer.openLayer({ kind: 'base' });
      await layer.add(documentWith(int32Id(id), Buffer.alloc(30, n)));
      collections.push(collectionOf(`c${id}`, [await layer.close()]));
    }
    await writer.flush();
    await repackShared(repository, writer, collections);
    return (await writer.commit(manifestOf(repository, snapshotIdOf(n), collections))).manifest;
  }

  const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
  const blobsOf = ({ collections }: Manifest): Set<string> =>
    new Set(
      collections.flatMap((entry) =>
        entry.layers.flatMap((layer) => singleBlobsOf(layer).map((ref) => objectOf(ref).id)),
      ),
    );
  const objectCount = async (): Promise<number> => (await collect(store.list('blobs/'))).length;

  async function prune(): Promise<void> {
    await clock.advance(1000);
    const plan = await planPrune(repository, { pinned: [], writing: [], graceMs: 0, leaseMs: 0 });
    await executePrune(repository, plan);
  }

  test('many small collections are a few objects, and each is read by itself', async () => {
    const manifest = await snapshot(1, null, { written: numbers(0, 90) });
    assert.ok((await objectCount()) <= 13, `${await objectCount()} objects`);
    for (const { name, layers } of manifest.collections) {
      const [[id]] = (await contentOf(repository, layers)) as [[string, string]];
      assert.equal(id, int32Id(Number(name.slice(1))).toString('hex'));
    }
  });

  test('a re-scan of what the parent has puts nothing but what is new, and mends a shared blob that was lost', async () => {
    const parent = await snapshot(1, null, { written: numbers(0, 20) });
    const [lost] = blobsOf(parent);
    await store.delete(`blobs/${testClusterId}/${snapshotIdOf(1)}/${lost}`);
    const inLost = parent.collections.filter(({ layers }) =>
      layers.flatMap(singleBlobsOf).some((ref) => objectOf(ref).id === lost),
    );
    const writer = new SnapshotWriter(repository, { ...place(2), parent });
    const collections: CollectionEntry[] = [];
    for (const entry of parent.collections) {
      const layer = writer.openLayer({ kind: 'base', reuse: entry.layers });
      await layer.add(documentWith(int32Id(Number(entry.name.slice(1))), Buffer.alloc(30, 1)));
      collections.push({ ...entry, layers: [await layer.close()] });
    }
    const { manifest } = await writer.commit(manifestOf(repository, snapshotIdOf(2), collections));
    assert.equal(writer.written.reusedBlobs, 20 - inLost.length);
    assert.ok(inLost.length > 0 && inLost.length < 20);
    for (const { layers } of manifest.collections) assert.equal((await contentOf(repository, layers)).length, 1);
  });

  test('what is left of a blob that is mostly dead is moved, and the blob goes when no snapshot names it', async () => {
    const first = await snapshot(1, null, { written: numbers(0, 90) });
    const before = blobsOf(first);
    const kept = numbers(0, 90).filter((n) => n % 4 === 0);
    const second = await snapshot(2, first, { dropped: numbers(0, 90).filter((n) => n % 4 !== 0) });
    const after = blobsOf(second);
    assert.equal(second.collections.length, kept.length);
    assert.ok([...before].every((id) => !after.has(id)));
    assert.ok(after.size <= 3, `${after.size} blobs for ${kept.length} collections`);
    for (const { layers } of second.collections) assert.equal((await contentOf(repository, layers)).length, 1);
    const readAll = async () => await checkRepository(repository, { readData: true });
    await prune();
    assert.deepEqual((await readAll()).problems, [], 'an older snapshot names them');
    await deleteManifest(repository, place(1));
    await prune();
    const { problems, blobs } = await readAll();
    assert.deepEqual(problems, []);
    assert.equal(await objectCount(), blobs);
    assert.equal(blobs, after.size + must(second.sections, 'sections').length);
  });

  test('a blob of which half is alive stays as it is', async () => {
    const first = await snapshot(1, null, { written: numbers(0, 90) });
    const second = await snapshot(2, first, { dropped: numbers(0, 90).filter((n) => n % 5 === 0) });
    const before = blobsOf(first);
    const moved = [...blobsOf(second)].filter((id) => !before.has(id));
    assert.ok(moved.length <= 1, 'at most the last, which was not full');
  });

  test('blobs that are small and many are put together', async () => {
    let manifest = await snapshot(1, null, { written: numbers(0, 60) });
    for (let n = 2; n <= 60; n++) {
      manifest = await snapshot(n, manifest, { written: [n - 2] });
      assert.ok(blobsOf(manifest).size <= 45, `${blobsOf(manifest).size} blobs after snapshot ${n}`);
      for (const old of [n - 1]) await deleteManifest(repository, place(old));
    }
    await prune();
    const { problems } = await checkRepository(repository, { readData: true });
    assert.deepEqual(problems, []);
    for (const { layers } of manifest.collections) assert.equal((await contentOf(repository, layers)).length, 1);
  });

  test('one snapshot moves a bounded amount, the most dead first', () => {
    const blobBytes = 100 << 20;
    const entryIn = (blob: string, liveBytes: number): CollectionEntry => {
      const shared = {
        ...{ id: blob.repeat(64), snapshotId: snapshotIdOf(1), kind: 8 as const },
        ...{ plainBytes: blobBytes, storedBytes: 1, documents: 9 },
      };
      const extent = {
        ...{ id: 'e'.repeat(64), snapshotId: snapshotIdOf(1), kind: 1 as const, plainBytes: liveBytes, storedBytes: 0 },
        ...{ documents: 1, within: { blob: shared, at: 0 } },
      };
      const layer = {
        ...{ kind: 'base' as const, takenIn: snapshotIdOf(1), documents: 1, deleted: 0, bytes: liveBytes },
        ...{ storedBytes: 0, ordered: false, documentLists: [], deletedLists: [], documentBlob: extent },
      };
      return collectionOf(blob, [layer]);
    };
    const collections = [
      entryIn('a', 24 << 20),
      entryIn('b', 10 << 20),
      entryIn('c', 20 << 20),
      entryIn('d', 60 << 20),
    ];
    const named = (id: string) => `${snapshotIdOf(1)}/${id.repeat(64)}`;
    const going = (ownId: string) => [...planRepack(collections, { ownId, blobBytes })];
    assert.deepEqual(going(snapshotIdOf(2)), [named('b'), named('c')]);
    assert.deepEqual(going(snapshotIdOf(1)), [], 'what a snapshot itself wrote stays');
  });
});
