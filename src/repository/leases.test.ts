import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { collect } from '../../test/support/collect.ts';
import { FakeClock, settled } from '../../test/support/fake-clock.ts';
import { documentWith, int32Id } from '../../test/support/raw-documents.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import {
  collectionOf,
  manifestOf,
  snapshotIdOf,
  testClusterId,
  testRepository,
} from '../../test/support/test-repository.ts';
import { Damage, Fault } from '../lib/errors.ts';
import { MemoryStore } from '../storage/memory.ts';
import type { PutOptions } from '../storage/object-store.ts';
import { decodeLeaseJson, encodeLeaseJson } from './format/lease-json.ts';
import type { LayerRef, Manifest } from './format/manifest.ts';
import { LEASE_MS } from './leases.ts';
import { deleteManifest } from './manifests.ts';
import { openRepository, type Repository } from './repository.ts';
import { describeSkew, readStoreTime } from './store-time.ts';
import { executePrune, type PruneOptions, planPrune } from './upkeep/prune.ts';
import { SnapshotWriter } from './writer.ts';

const HOUR_MS = 3_600_000;
const place = (n: number) => ({ clusterId: testClusterId, snapshotId: snapshotIdOf(n) });

/** A store that takes no leases any more once `broken`. */
class LeaselessStore extends MemoryStore {
  broken = false;

  override async put(objectKey: string, body: Uint8Array, options?: PutOptions): Promise<void> {
    if (this.broken && objectKey.startsWith('leases/')) throw new Error('the disk is full');
    await super.put(objectKey, body, options);
  }
}

describe('two services on one repository', () => {
  let clock: FakeClock;
  let store: LeaselessStore;
  let ours: Repository;
  let theirs: Repository;

  beforeEach(async () => {
    clock = new FakeClock();
    store = new LeaselessStore(clock);
    ours = await testRepository({ store, clock });
    theirs = await withClock(clock);
  });

  const withClock = async (itsClock: FakeClock): Promise<Repository> =>
    await openRepository({ store, clock: itsClock, random: new SeededRandom(5) });
  const keysBelow = async (prefix: string): Promise<string[]> =>
    (await collect(store.list(prefix))).map(({ objectKey }) => objectKey);
  const prune = async (options: Partial<PruneOptions> = {}, by = theirs): Promise<number> =>
    (await executePrune(by, await planPrune(by, { pinned: [], writing: [], graceMs: 0, ...options }))).deleted;

  async function addLayer(writer: SnapshotWriter, from: number, to: number): Promise<LayerRef> {
    const layer = writer.openLayer({ kind: 'base' });
    for (let id = from; id < to; id++) await layer.add(documentWith(int32Id(id), Buffer.alloc(40)));
    return await layer.close();
  }

  async function snapshot(n: number): Promise<Manifest> {
    const writer = new SnapshotWriter(ours, { ...place(n), parent: null });
    const manifest = manifestOf(ours, snapshotIdOf(n), [collectionOf('x', [await addLayer(writer, 0, 30)])]);
    return (await writer.commit(manifest)).manifest;
  }

  test('prune keeps what another service writes, for as long as it does, and the snapshot completes whole', async () => {
    const writer = new SnapshotWriter(ours, { ...place(1), parent: null });
    const layer = await addLayer(writer, 0, 30);
    await clock.advance(30 * HOUR_MS);
    assert.equal(await prune(), 0);
    await writer.commit(manifestOf(ours, snapshotIdOf(1), [collectionOf('x', [layer])]));
    assert.equal(await prune(), 0);
    assert.deepEqual(await keysBelow('leases/'), []);
  });

  test('a clock that is 25 hours ahead deletes nothing: it is refused, with both clocks and what to do', async () => {
    const writer = new SnapshotWriter(ours, { ...place(1), parent: null });
    await addLayer(writer, 0, 30);
    const before = await keysBelow('blobs/');
    for (const offMs of [25 * HOUR_MS, -HOUR_MS]) {
      const skewed = await withClock(new FakeClock(clock.nowMs() + offMs));
      assert.equal((await readStoreTime(skewed)).skewMs > 0, offMs > 0);
      await assert.rejects(
        prune({ graceMs: 24 * HOUR_MS }, skewed),
        (error) =>
          error instanceof Fault &&
          error.message.includes(describeSkew(offMs, 'memory')) &&
          /Set the clock/.test(error.hint ?? ''),
      );
    }
    assert.deepEqual(await keysBelow('blobs/'), before);
    assert.deepEqual(await keysBelow('probes/'), []);
    await writer.abandon();
  });

  test('the parent of a snapshot that another service writes is pinned', async () => {
    const parent = await snapshot(1);
    const writer = new SnapshotWriter(ours, { ...place(2), parent });
    await addLayer(writer, 100, 110);
    await deleteManifest(theirs, place(1));
    await assert.rejects(prune(), /snapshot 0+1, which a task still reads, has no manifest/);
    await writer.abandon();
    assert.ok((await prune({ sweepFailed: { failed: [] } })) > 0);
    assert.deepEqual([await keysBelow('blobs/'), await keysBelow('leases/')], [[], []]);
  });

  test('what a failed snapshot left is swept at once where its lease proves that nobody writes, and only then', async () => {
    const day = { graceMs: 24 * HOUR_MS };
    const sweepFailed = { failed: [] };
    const writer = new SnapshotWriter(ours, { ...place(1), parent: null });
    await addLayer(writer, 0, 30);
    assert.equal(await prune({ ...day, sweepFailed }), 0, 'it is being written');
    await writer.abandon();
    assert.equal(await prune(day), 0, 'nobody asked for it');
    assert.ok((await prune({ ...day, sweepFailed })) > 0);
    assert.deepEqual([await keysBelow('blobs/'), await keysBelow('leases/')], [[], []]);
  });

  test('of a writer that died the lease lapses; without one the catalog has to know', async () => {
    const day = { graceMs: 24 * HOUR_MS };
    const died = new SnapshotWriter(ours, { ...place(1), parent: null });
    await addLayer(died, 0, 30);
    store.broken = true; // as if its process had ended: nothing of it is refreshed
    await clock.advance(LEASE_MS - 60_000);
    assert.equal(await prune({ ...day, sweepFailed: { failed: [] } }), 0);
    await clock.advance(120_000);
    assert.ok((await prune({ ...day, sweepFailed: { failed: [] } })) > 0);

    const [name] = ['f'.repeat(64)];
    await store.put(
      `blobs/${testClusterId}/${snapshotIdOf(2)}/${name}`,
      Buffer.from('written before there were leases'),
    );
    assert.equal(await prune({ ...day, sweepFailed: { failed: [] } }), 0);
    assert.equal(await prune({ ...day, sweepFailed: { failed: [place(2)] } }), 1);
    await died.abandon();
  });

  test('a writer that cannot refresh its lease stops before others may take it for gone', async () => {
    const writer = new SnapshotWriter(ours, { ...place(1), parent: null });
    const layer = await addLayer(writer, 0, 30);
    store.broken = true;
    await clock.advance(LEASE_MS / 2 + 60_000);
    await settled();
    await assert.rejects(
      writer.commit(manifestOf(ours, snapshotIdOf(1), [collectionOf('x', [layer])])),
      (error) => error instanceof Fault && error.retryable && /could not be refreshed/.test(error.message),
    );
    assert.deepEqual(await keysBelow('manifests/'), []);
    await writer.abandon();
  });

  test('no manifest is put over a hole: in what was written, or in what the parent lent', async () => {
    const parent = await snapshot(1);
    const list = parent.collections[0]?.layers[0]?.documentLists[0];
    const lent = `blobs/${testClusterId}/${snapshotIdOf(1)}/${list?.id}`;
    const writer = new SnapshotWriter(ours, { ...place(2), parent });
    const layer = await addLayer(writer, 100, 130);
    const manifest = manifestOf(ours, snapshotIdOf(2), [
      collectionOf('x', [layer]),
      ...parent.collections.map((entry) => ({ ...entry, name: 'y' })),
    ]);
    await store.delete(lent);
    await assert.rejects(writer.commit(manifest), (error) => error instanceof Damage && error.subject === lent);

    const again = new SnapshotWriter(ours, { ...place(3), parent: null });
    const own = await addLayer(again, 100, 130);
    const [victim] = await keysBelow(`blobs/${testClusterId}/${snapshotIdOf(3)}/`);
    await store.delete(victim ?? '');
    await assert.rejects(
      again.commit(manifestOf(ours, snapshotIdOf(3), [collectionOf('x', [own])])),
      (error) => error instanceof Fault && error.retryable && error.subject === victim,
    );
    assert.deepEqual(await keysBelow('manifests/'), [`manifests/${testClusterId}/${snapshotIdOf(1)}`]);
    await writer.abandon();
    await again.abandon();
  });

  test('a lease that cannot be read counts as living, and as one of the whole cluster', async () => {
    await snapshot(1);
    await deleteManifest(ours, place(1));
    const lease = `leases/${testClusterId}/${snapshotIdOf(9)}/${'0'.repeat(24)}`;
    await store.put(lease, Buffer.from('spoiled'));
    assert.equal(await prune(), 0);
    await store.delete(lease);
    assert.ok((await prune()) > 0);
  });
});

test('what a lease says comes back, and what is no lease is damage', () => {
  const lease = { covers: 'cluster', parentSnapshotId: snapshotIdOf(1), ended: true } as const;
  assert.deepEqual(decodeLeaseJson(encodeLeaseJson(lease), 'x'), lease);
  for (const text of ['', '{}', '{"kind":"lease","version":2}']) {
    assert.throws(() => decodeLeaseJson(Buffer.from(text), 'x'), Damage);
  }
});
