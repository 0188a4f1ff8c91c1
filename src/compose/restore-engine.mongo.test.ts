import assert from 'node:assert/strict';
import { test } from 'node:test';
import { emptyStore } from '../../test/support/empty-store.ts';
import { MemoryJournal } from '../../test/support/memory-journal.ts';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../test/support/snapshot-fixture.ts';
import { systemClock } from '../lib/clock.ts';
import { createIdSource } from '../lib/ids.ts';
import { silentLogger } from '../lib/logger.ts';
import { systemRandom } from '../lib/random.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { createCollectionRestoreEngine, createRestoreEngine } from './restore-engine.ts';

const source = useReplicaSet();
const target = useReplicaSet();

/** The same store, with what is got from it written down. */
function noting(store: ObjectStore, got: string[]): ObjectStore {
  return {
    description: store.description,
    put: (...args) => store.put(...args),
    delete: (...args) => store.delete(...args),
    head: (...args) => store.head(...args),
    list: (...args) => store.list(...args),
    get: (...args) => {
      got.push(args[0]);
      return store.get(...args);
    },
  };
}

test('a restore reads its manifest once', async () => {
  const got: string[] = [];
  const fixture = await SnapshotFixture.create(source().uri, { store: noting(await emptyStore(systemClock), got) });
  await source()
    .client.db('shop')
    .collection<{ _id: number }>('docs')
    .insertMany([{ _id: 1 }, { _id: 2 }]);
  const { snapshotId } = (await fixture.take()).header;
  const { repository, clusterId } = fixture;
  const tools = {
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
    ids: createIdSource(systemClock, systemRandom),
  };
  const work = { signal: new AbortController().signal, report: () => undefined };
  const run = { id: 'bb'.repeat(12), attempt: 1 };
  const asked = { clusterId, snapshotId, uri: target().uri, run, clearing: async () => undefined, ...work };
  const manifestsGot = async (restore: () => Promise<unknown>): Promise<number> => {
    got.length = 0;
    await restore();
    return got.filter((objectKey) => objectKey.startsWith('manifests/')).length;
  };
  const whole = createRestoreEngine(repository, () => repository, {}, tools);
  const balancerRecord = { write: async () => assert.fail('no balancer'), erase: async () => undefined };
  assert.equal(await manifestsGot(async () => await whole.restore({ ...asked, balancerRecord })), 1);

  const chosen = createCollectionRestoreEngine(repository, () => repository, {}, tools);
  const docs = { source: { db: 'shop', name: 'docs' }, target: { db: 'shop', name: 'again' } };
  const selection = { databases: [], collectionSuffix: '', collections: [docs] };
  const how = { selection, writeStrategy: 'createNew', indexStrategy: 'all', attempt: 1 } as const;
  const kept = { restoreId: 'aa'.repeat(12), goesOn: async () => false, journal: new MemoryJournal() };
  assert.equal(await manifestsGot(async () => await chosen.restore({ ...asked, ...how, ...kept })), 1);
  assert.equal(await target().client.db('shop').collection('again').countDocuments(), 2);
});
