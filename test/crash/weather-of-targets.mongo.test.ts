import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Timestamp64 } from '../../src/bson/timestamp.ts';
import {
  type RestoreCollectionsOptions,
  restoreCollections,
} from '../../src/engine/collections/restore-collections.ts';
import { type RestoreOptions, restore } from '../../src/engine/restore/restore.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { throughWeather } from '../../src/lib/weather/through-weather.ts';
import { type Squall, type Struck, shuffled, squalls, strike } from '../support/bad-weather.ts';
import { compareTruth } from '../support/compare.ts';
import { emptyStore } from '../support/empty-store.ts';
import { FlakyStore } from '../support/flaky-store.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { Network } from '../support/network.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SnapshotFixture } from '../support/snapshot-fixture.ts';
import { Tailing } from '../support/tailing.ts';
import { readTruth, type Truth } from '../support/truth.ts';

/**
 * Restores into a set of three while its primary stands down, dies or hangs, the network to it breaks or falls silent,
 * or the store stalls, in every phase: each begins again by itself and ends equal to the snapshot, or to the point.
 *
 * SEED=n deals out the squalls anew; `npm test -- --long weather` tries every squall in every phase.
 */
const long = process.env.TIDEMARK_LONG === '1';
const seed = process.env.SEED === 'new' ? systemRandom.bytes(4).readUInt32LE(0) : Number(process.env.SEED ?? 12);

const phases = [
  'verifying every blob',
  'checking the target',
  'clearing the target',
  'creating collections',
  'loading documents',
  'replaying the oplog',
  'building indexes',
  'creating views',
  'letting documents expire',
  'restoring users and roles',
  'waiting for a majority',
];
const chosenPhases = ['loading documents', 'building indexes', 'putting the collections in their places'];
const chosenLong = chosenPhases.flatMap((phase) => squalls.slice(0, 4).map((squall) => [phase, squall] as const));
const chosen = [
  ['loading documents', 'stepDown'],
  ['putting the collections in their places', 'freeze'],
] as const;
const QUICK = { stallMsMax: 30_000, lookEveryMs: 200, majorityMsMax: 10_000 };
const PATIENCE = { attemptsMax: 8, totalMsMax: 180_000 };
const DOCUMENTS = 20_000;

type Tools = Pick<RestoreOptions, 'clock' | 'signal' | 'report'>;

/** Whether the squall means anything in the phase: a store that is not read is not missed. */
function strikes(squall: Squall, phase: string): boolean {
  return squall !== 'store' || ['verifying every blob', 'loading documents', 'replaying the oplog'].includes(phase);
}

function dealt(): { phase: string; squall: Squall }[] {
  const random = new SeededRandom(seed);
  const all = phases.flatMap((phase) =>
    squalls.filter((squall) => strikes(squall, phase)).map((squall) => ({ phase, squall })),
  );
  const order = shuffled(all, (limit) => random.below(limit));
  if (long) return order;
  // Each squall once; every election is one in which acknowledged writes may be lost, so of those there are two more.
  const first = squalls.flatMap((squall) => order.find((one) => one.squall === squall) ?? []);
  const elections = order.filter((one) => !first.includes(one) && ['stepDown', 'freeze'].includes(one.squall));
  return [...first, ...elections.slice(0, 2)];
}

describe(`restores in bad weather, seed ${seed}`, () => {
  const setParameters = { ttlMonitorEnabled: false };
  const source = useReplicaSet({ name: 'source', setParameters });
  const target = useReplicaSet({ name: 'target', members: 3, setParameters });
  let network: Network;
  let store: FlakyStore;
  let fixture: SnapshotFixture;
  let expected: Truth;
  let taken: Truth;
  let end: Timestamp64;
  let runs = 0;

  before(async () => {
    network = await Network.start();
    store = new FlakyStore(await emptyStore(systemClock), new SeededRandom(seed), Number.MAX_SAFE_INTEGER);
    fixture = await SnapshotFixture.create(source().uri, { store, blobBytes: 64 * 1024 });
    await fill();
    const tailing = new Tailing(source(), fixture);
    await tailing.begun();
    await fixture.take();
    taken = await readTruth(source().client, null);
    const orders = source().client.db('shop').collection<{ _id: number }>('orders');
    await orders.updateMany({ _id: { $lt: DOCUMENTS / 4 } }, { $set: { changed: true } });
    await orders.deleteMany({ _id: { $gte: DOCUMENTS - 500 } });
    await orders.insertMany(Array.from({ length: 500 }, (_, i) => ({ _id: -1 - i, late: true })));
    end = await tailing.mark();
    await tailing.stop();
    expected = await readTruth(source().client, null);
  });

  after(async () => {
    Tailing.stopAll();
    await network.stop();
  });

  async function fill(): Promise<void> {
    const db = source().client.db('shop');
    const pad = 'x'.repeat(150);
    const orders = db.collection<{ _id: number }>('orders');
    await orders.insertMany(Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i, n: i % 97, at: new Date(i), pad })));
    await orders.createIndexes([{ key: { n: 1 } }, { key: { at: 1 }, expireAfterSeconds: 1 }]);
    await orders.createIndex({ n: 1, at: 1 }, { unique: true, partialFilterExpression: { _id: { $gte: 0 } } });
    await db.createCollection('log', { capped: true, size: 1 << 20 });
    await db.collection('log').insertMany(Array.from({ length: 2_000 }, (_, i) => ({ i })));
    await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 9_999 });
    const points = Array.from({ length: 2_000 }, (_, i) => ({ t: new Date(1e12 + i), m: i % 7, v: i }));
    await db.collection('series').insertMany(points);
    await db.createCollection('view', { viewOn: 'orders', pipeline: [{ $match: { n: 1 } }] });
    for (let i = 0; i < 15; i++) await db.collection(`small${i}`).insertOne({ i });
    await db.command({ createRole: 'clerk', privileges: [], roles: ['read'] });
    await db.command({ createUser: 'ann', pwd: 'for tests only', roles: ['clerk'] });
  }

  /** Work that begins again until it is done, struck in its phase. How many attempts it took. */
  async function through(
    phase: string,
    squall: Squall,
    work: (attempt: number, tools: Tools, goesOn: (error: unknown) => boolean) => Promise<unknown>,
  ): Promise<number> {
    const primary = await target().primary();
    let struck: Struck | null = null;
    let attempts = 0;
    const report = (progress: { phase: string }) => {
      if (progress.phase.startsWith('waiting ') && progress.phase !== 'waiting for a majority') struck?.pass();
      if (progress.phase === phase) struck ??= strike(squall, { set: target(), primary, network, store });
    };
    const tools = { clock: systemClock, signal: AbortSignal.timeout(170_000), report };
    try {
      await throughWeather({ ...tools, random: systemRandom, patience: PATIENCE }, async (attempt, goesOn) => {
        attempts = attempt;
        await work(attempt, tools, goesOn);
      });
    } finally {
      const { over } = must<Struck>(struck, `it came to ${phase}`);
      await over();
      await target().whenComplete();
    }
    return attempts;
  }

  async function restoreThrough(phase: string, squall: Squall): Promise<number> {
    const manifest = await fixture.manifest(must(fixture.last, 'a snapshot').header.snapshotId);
    const id = `${seed}-${runs++}`;
    return await through(phase, squall, async (attempt, tools) => {
      const asked: RestoreOptions = {
        ...{ repository: fixture.repository, clusterId: fixture.clusterId, limits: QUICK, log: silentLogger },
        ...{ snapshotId: manifest.header.snapshotId, uri: network.through(target().uri), verifyContent: true },
        ...{ run: { id, attempt }, point: { end: { ts: end, inclusive: true }, slices: fixture.repository } },
        ...tools,
        holdRecord: { write: async () => assert.fail('no balancer'), erase: async () => undefined },
      };
      await restore(asked, manifest);
    });
  }

  /** The whole database of the snapshot, in the place of what is there. */
  async function restoreChosenThrough(phase: string, squall: Squall): Promise<number> {
    const manifest = await fixture.manifest(must(fixture.last, 'a snapshot').header.snapshotId);
    const restoreId = `${runs++}`.padStart(24, '0');
    const journal = new MemoryJournal();
    return await through(phase, squall, async (attempt, tools, goesOn) => {
      const asked: RestoreCollectionsOptions = {
        ...{ repository: fixture.repository, clusterId: fixture.clusterId, limits: QUICK, log: silentLogger },
        ...{ snapshotId: manifest.header.snapshotId, uri: network.through(target().uri) },
        selection: { databases: [{ source: 'shop', target: 'shop' }], collections: [], collectionSuffix: '' },
        ...{ writeStrategy: 'overwriteExisting', indexStrategy: 'all', journal, restoreId, attempt },
        goesOn: async (error) => goesOn(error),
        ...tools,
      };
      await restoreCollections(asked, manifest);
    });
  }

  for (const [phase, squall] of long ? chosenLong : chosen) {
    test(`${squall} while chosen collections are restored: ${phase}`, async (t) => {
      t.diagnostic(`${await restoreChosenThrough(phase, squall)} attempts`);
      const isOfShop = (name: string) => name.startsWith('shop.');
      const differences = compareTruth(taken, await readTruth(target().client, null), {
        skip: (name) => !isOfShop(name),
      });
      assert.deepEqual(differences, []);
    });
  }

  for (const { phase, squall } of dealt()) {
    test(`${squall} while ${phase}`, async (t) => {
      const startedMs = systemClock.monotonicMs();
      const attempts = await restoreThrough(phase, squall);
      t.diagnostic(`${attempts} attempts, ${Math.round(systemClock.monotonicMs() - startedMs)} ms`);
      const found = await readTruth(target().client, null);
      const differences = compareTruth(expected, found, { skip: (name) => name === 'admin.system.version' });
      assert.deepEqual(differences, []);
      const { users } = await target().client.db('shop').command({ usersInfo: 1 });
      assert.deepEqual(
        users.map(({ user }: { user: string }) => user),
        ['ann'],
      );
    });
  }
});
