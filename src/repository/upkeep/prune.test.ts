import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { collect } from '../../../test/support/collect.ts';
import { FakeClock } from '../../../test/support/fake-clock.ts';
import { documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../../test/support/test-repository.ts';
import { Bug, must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import { MemoryStore } from '../../storage/memory.ts';
import type { Manifest } from '../format/manifest.ts';
import { deleteManifest } from '../manifests.ts';
import type { Repository } from '../repository.ts';
import { SnapshotWriter } from '../writer.ts';
import { checkRepository } from './check.ts';
import { executePrune, type PruneOptions, planPrune } from './prune.ts';

const graceMs = 1000;
const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });

describe('prune', () => {
  let clock: FakeClock;
  let store: MemoryStore;
  let repository: Repository;
  beforeEach(async () => {
    clock = new FakeClock();
    store = new MemoryStore(clock);
    repository = await testRepository({ store, clock });
  });

  /** A snapshot of documents `from`..`to` beside what its parent holds. */
  async function snapshot(n: number, from: number, to: number, parent: Manifest | null): Promise<Manifest> {
    const writer = new SnapshotWriter(repository, { ...place(n), parent });
    const layer = writer.openLayer({ kind: parent === null ? 'base' : 'delta' });
    for (let id = from; id < to; id++) await layer.add(documentWith(int32Id(id), Buffer.alloc(40, n)));
    const layers = [await layer.close(), ...(parent?.collections[0]?.layers ?? [])];
    const manifest = manifestOf(
      repository,
      snapshotIdOf(n),
      [collectionOf('x', layers)],
      parent?.header.snapshotId ?? null,
    );
    return (await writer.commit(manifest)).manifest;
  }

  const plan = (options: Partial<PruneOptions> = {}) =>
    planPrune(repository, { pinned: [], writing: [], graceMs, ...options });
  const blobKeys = async (): Promise<string[]> => (await collect(store.list('blobs/'))).map((info) => info.objectKey);

  test('what a manifest names stays; the rest goes, once its owner is silent for the grace period', async () => {
    const first = await snapshot(1, 0, 50, null);
    await snapshot(2, 50, 60, first);
    const all2 = await blobKeys();
    await deleteManifest(repository, place(1));
    await clock.advance(5000);
    const orphan = must(first.sections?.[0], 'a section').id;
    const own = await plan();
    assert.deepEqual(
      own.sweep.map(({ objectKey }) => objectKey.endsWith(orphan)),
      [true],
      "the child names all of the parent's layers, and has a section of its own",
    );
    const before = all2.filter((objectKey) => !objectKey.endsWith(orphan));
    await executePrune(repository, own);
    await clock.advance(5000);
    await deleteManifest(repository, place(2));
    const all = await plan();
    assert.deepEqual(
      all.sweep.map(({ objectKey }) => objectKey),
      before,
    );
    assert.equal(all.totals.sweep.objects, before.length);
    assert.deepEqual(await executePrune(repository, all), { deleted: before.length, bytes: all.totals.sweep.bytes });
    assert.deepEqual(await blobKeys(), []);
  });

  test('a plan changes nothing, and is executed once', async () => {
    await snapshot(1, 0, 50, null);
    await deleteManifest(repository, place(1));
    await clock.advance(5000);
    const before = await blobKeys();
    const made = await plan();
    assert.deepEqual(await blobKeys(), before);
    await executePrune(repository, made);
    await assert.rejects(executePrune(repository, made), Bug);
  });

  test('young objects, and the old ones beside them, stay: somebody may be writing there', async () => {
    const abandoned = new SnapshotWriter(repository, { ...place(1), parent: null });
    const layer = abandoned.openLayer({ kind: 'base' });
    for (let id = 0; id < 20; id++) await layer.add(documentWith(int32Id(id), Buffer.alloc(40)));
    await layer.close();
    await clock.advance(5000);
    const noLease = { leaseMs: 0 };
    assert.ok((await plan(noLease)).sweep.length > 1);
    const more = abandoned.openLayer({ kind: 'base' });
    await more.add(documentWith(int32Id(99), Buffer.alloc(40)));
    await more.close();
    const later = await plan(noLease);
    assert.deepEqual(later.sweep, []);
    assert.equal(later.totals.young.objects, (await blobKeys()).length);
    await clock.advance(graceMs + 1);
    assert.equal((await plan(noLease)).sweep.length, (await blobKeys()).length);
    assert.deepEqual((await plan({ writing: [place(1)], ...noLease })).sweep, []);
    await abandoned.abandon();
  });

  test('a pinned parent keeps its blobs; without its manifest nothing is pruned', async () => {
    await snapshot(1, 0, 50, null);
    await clock.advance(5000);
    const pinned = [place(1)];
    assert.deepEqual((await plan({ pinned })).sweep, []);
    await deleteManifest(repository, place(1));
    await assert.rejects(plan({ pinned }), (error) => error instanceof Fault && /no manifest/.test(error.message));
  });

  test('nothing is pruned while a manifest, a section or a list cannot be read', async () => {
    const first = await snapshot(1, 0, 50, null);
    await snapshot(2, 0, 10, null);
    await deleteManifest(repository, place(2));
    await clock.advance(5000);
    const list = first.collections[0]?.layers[0]?.documentLists[0];
    const section = first.sections?.[0];
    for (const victim of [
      `manifests/${testClusterId}/${snapshotIdOf(1)}`,
      `blobs/${testClusterId}/${section?.snapshotId}/${section?.id}`,
      `blobs/${testClusterId}/${list?.snapshotId}/${list?.id}`,
    ]) {
      const whole = await store.get(victim);
      await store.put(victim, whole.subarray(0, -1));
      await assert.rejects(
        plan(),
        (error) => error instanceof Fault && error.subject === victim && error.hint !== undefined,
      );
      await store.put(victim, whole);
    }
    await clock.advance(5000);
    assert.ok((await plan()).sweep.length > 0);
  });

  test('what is not of our naming is left alone', async () => {
    await store.put('blobs/strange', Buffer.from('x'));
    await clock.advance(5000);
    const made = await plan();
    assert.deepEqual(made.sweep, []);
    assert.deepEqual(made.totals.foreign, { objects: 1, bytes: 1 });
  });

  test('a snapshot committed, and its parent deleted, in the middle of marking keeps everything', async () => {
    const parent = await snapshot(5, 0, 50, null);
    const all = await blobKeys();
    await clock.advance(5000);
    // The listing shows the parent; before it is read the child is committed, too late for that listing, and the parent
    // deleted.
    const { get } = store;
    let intervene = true;
    store.get = async (objectKey, options) => {
      if (intervene && objectKey === `manifests/${testClusterId}/${snapshotIdOf(5)}`) {
        intervene = false;
        const writer = new SnapshotWriter(repository, { ...place(4), parent });
        await writer.commit(manifestOf(repository, snapshotIdOf(4), parent.collections));
        await deleteManifest(repository, place(5));
      }
      return await get.call(store, objectKey, options);
    };
    await executePrune(repository, await plan());
    assert.equal(intervene, false);
    assert.deepEqual(await blobKeys(), all);
    const report = await checkRepository(repository, { readData: true });
    assert.deepEqual([report.snapshots, report.problems], [1, []]);
  });
});
