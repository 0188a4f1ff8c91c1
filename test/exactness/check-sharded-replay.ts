import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { type Binary, BSON, type Document, MaxKey, MinKey, Timestamp } from 'mongodb';
import { type Timestamp64, timestampOf, timestampParts } from '../../src/bson/timestamp.ts';
import { prepareDownload, readDownload } from '../../src/engine/archive/download.ts';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { SourceMember } from '../../src/mongo/source-member.ts';
import { dropDatabases } from '../support/archive-source.ts';
import { ClusterTailing } from '../support/cluster-tailing.ts';
import { collect } from '../support/collect.ts';
import { compareTruth } from '../support/compare.ts';
import type { ReplicaSet } from '../support/replica-set.ts';
import { restoreArchive } from '../support/restore-archive.ts';
import { restoreChosen } from '../support/restored-collections.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import type { ShardedCluster } from '../support/sharded-cluster.ts';
import { ShardedFixture } from '../support/sharded-fixture.ts';
import { readTruth, type Truth } from '../support/truth.ts';
import { isLeftOut, leaveOutAmbiguous } from './check-replay.ts';
import { ShardedBank } from './sharded-bank.ts';
import { Workload } from './workload.ts';

export interface ShardedReplayOptions {
  points: number;
  /** At most as many of them are downloaded too. */
  downloads: number;
  /** How long everything writes. */
  ms: number;
  /** In the middle the tailers are killed and started again, and a shard's primary stands down. */
  faults: boolean;
}

export interface ShardedReplayReport {
  moments: number;
  /** Of those restored: inside a migration, and between the commits of a transaction over both shards. */
  insideMigrations: number;
  torn: number;
  transfers: number;
  moves: number;
  refused: number;
  refusals: string[];
  documents: number;
  /** Of the bank's, restored by themselves into a replica set, from the snapshots and at the moments. */
  togetherDocuments: number;
  downloads: number;
  /** Of the bank's, in archives of the moments. */
  downloadedDocuments: number;
  entries: number;
  ambiguous: number;
  sliceEntries: number;
}

const MOMENT_EVERY_MS = 15;
const signal = new AbortController().signal;

/**
 * One seed: a tailed sharded cluster under all kinds of writes; moments noted while it runs are restored and compared,
 * byte for byte, with what the source's own snapshot reads say of them.
 */
export async function checkShardedReplay(
  seed: number,
  source: ShardedCluster,
  { target, alone }: { target: ShardedCluster; alone: ReplicaSet },
  options: ShardedReplayOptions,
): Promise<ShardedReplayReport> {
  const random = new SeededRandom(seed);
  const fixture = await ShardedFixture.create(source);
  const { repository, clusterId } = fixture;
  const workloads = source.shards.map(
    ({ set }, index) =>
      new Workload({
        ...{ seed: seed + index, writers: 2, mix: { catalogChanges: 0, transactions: 20 } },
        port: async () => (await set.primary()).port,
      }),
  );
  const bank = new ShardedBank(source, random.fork(7));
  let tailing = new ClusterTailing(source, { repository, clusterId });
  try {
    for (const workload of workloads) await workload.setUp();
    await bank.setUp();
    await tailing.mark();
    const snapshots = [await fixture.take()];
    for (const workload of workloads) workload.start();
    bank.start();
    const moments = await momentsFor(source, options.ms / 2);
    if (options.faults) {
      await tailing.stop();
      const { set } = source.shard(1);
      await set.client
        .db('admin')
        .command({ replSetStepDown: 1, force: true })
        .catch(() => undefined);
      await set.primary();
      tailing = new ClusterTailing(source, { repository, clusterId });
      await tailing.begun();
    }
    snapshots.push(await fixture.take());
    moments.push(...(await momentsFor(source, options.ms / 2)));
    await Promise.all([bank.stop(), ...workloads.map((workload) => workload.stop())]);
    await tailing.mark();
    await tailing.stop();
    const { transfers, moves, refused } = bank;
    const report: ShardedReplayReport = {
      ...{
        moments: moments.length,
        insideMigrations: 0,
        torn: 0,
        transfers,
        moves,
        refused,
        refusals: [...bank.refusals].slice(0, 5),
      },
      ...{
        documents: 0,
        togetherDocuments: 0,
        downloads: 0,
        downloadedDocuments: 0,
        entries: 0,
        ambiguous: 0,
        sliceEntries: must(snapshots[1], 'two').statistics.sliceEntriesRead,
      },
    };
    for (const taken of snapshots)
      report.togetherDocuments += await checkTogether(fixture, source, alone, taken, timeOf(taken));
    for (const ts of await chosenOf(source, moments, bank, random, options.points)) {
      await checkMoment({ fixture, source, target, snapshots, ts, report });
      if (isTorn(bank, ts)) report.torn++;
      const base = snapshots.findLast((one) => timeOf(one) <= ts);
      if (base === undefined) continue;
      report.togetherDocuments += await checkTogether(fixture, source, alone, base, ts);
      if (report.downloads++ < options.downloads)
        report.downloadedDocuments += await checkDownloads(fixture, source, alone, base, ts);
    }
    return report;
  } catch (error) {
    throw new Error(`seed ${seed}: ${messageOf(error)}\n(again with SEED=${seed})`, { cause: error });
  } finally {
    await Promise.allSettled([bank.stop(), ...workloads.map((workload) => workload.stop())]);
  }
}

/** The times that members say it is, again and again, shared by them as far as they happen to hear of each other. */
async function momentsFor(source: ShardedCluster, ms: number): Promise<Timestamp64[]> {
  const members = source.sets.map((set) => new SourceMember(set.client, set.name));
  const deadline = systemClock.monotonicMs() + ms;
  const moments: Timestamp64[] = [];
  while (systemClock.monotonicMs() < deadline) {
    for (const member of members) moments.push((await member.sharedTime(signal)).ts);
    await systemClock.sleep(MOMENT_EVERY_MS);
  }
  return moments;
}

/** A shard had not logged by then what was visible on it. */
function isTorn({ logged }: ShardedBank, ts: Timestamp64): boolean {
  return logged.some(({ visible, by }) => visible <= ts && ts < by);
}

/**
 * A third of them at random, a third of those inside a migration, a third of those between a transaction and its
 * commits.
 */
async function chosenOf(
  source: ShardedCluster,
  moments: readonly Timestamp64[],
  bank: ShardedBank,
  random: SeededRandom,
  points: number,
): Promise<Timestamp64[]> {
  const all = [...new Set(moments)].toSorted((a, b) => (a < b ? -1 : 1));
  const chosen = new Set<Timestamp64>();
  for (let tries = 0; chosen.size < points && tries < 1000; tries++) {
    const ts = all[random.below(all.length)] as Timestamp64;
    const wanted = [() => true, async () => await migratingAt(source, ts), () => isTorn(bank, ts)][chosen.size % 3];
    if (tries > 500 || (await wanted?.())) chosen.add(ts);
  }
  return [...chosen];
}

async function migratingAt(source: ShardedCluster, ts: Timestamp64): Promise<boolean> {
  for (const { set } of source.shards) {
    const reply = await set.client.db('config').command({
      ...{ find: 'rangeDeletions', filter: { pending: true } },
      readConcern: { level: 'snapshot', atClusterTime: new Timestamp(timestampParts(ts)) },
    });
    if ((reply.cursor.firstBatch as Document[]).length > 0) return true;
  }
  return false;
}

function timeOf({ header }: TakenSnapshot): Timestamp64 {
  return timestampOf(header.clusterTime);
}

/** The bank alone, at the snapshot's T or later, in a replica set: what each shard owned then and nothing else. */
async function checkTogether(
  fixture: ShardedFixture,
  source: ShardedCluster,
  alone: ReplicaSet,
  taken: TakenSnapshot,
  ts: Timestamp64,
): Promise<number> {
  const at = new Timestamp(timestampParts(ts));
  const point = { pointInTime: { end: { ts, inclusive: true }, slices: fixture.repository } };
  await restoreChosen(
    fixture,
    taken,
    { databases: { bank: 'bank' } },
    { uri: alone.uri, writeStrategy: 'overwriteExisting', ...(ts === timeOf(taken) ? {} : point) },
  );
  const restored = await readTruth(alone.client, null);
  let accounts = 0;
  for (const [namespace, owned] of await bankAt(source, at)) {
    const expected = new Map([...owned.values()].flatMap((documents) => [...documents]));
    assert.deepEqual(restored.collections.get(namespace)?.documents, expected, `${namespace} at ${at.t}.${at.i}`);
    if (namespace !== ACCOUNTS) continue;
    accounts = expected.size;
    const ids = [...expected.values()].map((document) => document.readInt32LE(ID_AT));
    assert.deepEqual(
      ids.toSorted((x, y) => x - y),
      ShardedBank.ids,
    );
    const sum = [...expected.values()].reduce((total, document) => total + readBalance(document), 0);
    assert.equal(sum, 0, 'no transaction is torn');
  }
  return accounts;
}

/** The bank as archives of its shards: each what the shard owned then. Gives the number of documents compared. */
async function checkDownloads(
  fixture: ShardedFixture,
  source: ShardedCluster,
  alone: ReplicaSet,
  taken: TakenSnapshot,
  ts: Timestamp64,
): Promise<number> {
  const { repository, clusterId } = fixture;
  const pointInTime = { end: { ts, inclusive: true }, slices: repository };
  const request = { repository, clusterId, snapshotId: taken.header.snapshotId, pointInTime, signal };
  const bank = await bankAt(source, new Timestamp(timestampParts(ts)));
  let compared = 0;
  for (const { replicaSetName, writer } of await prepareDownload({ ...request, report: () => undefined })) {
    const file = await collect(readDownload({ ...request, replicaSetName, writer }));
    await dropDatabases(alone.client);
    await restoreArchive(gunzipSync(Buffer.concat(file)), alone.client, (await alone.primary()).port);
    const restored = await readTruth(alone.client, null);
    const shard = must(
      source.shards.find(({ set }) => set.name === replicaSetName),
      'a file is of a shard',
    );
    for (const [namespace, owned] of bank) {
      const expected = must(owned.get(shard.id), 'each shard is looked at');
      const found = restored.collections.get(namespace)?.documents ?? new Map();
      assert.deepEqual(found, expected, `${namespace} of ${shard.id}`);
      compared += expected.size;
    }
  }
  await dropDatabases(alone.client);
  return compared;
}

/** Of `{_id: int, …}`. */
const ID_AT = 9;
const ACCOUNTS = 'bank.accounts';
/** What is sharded, and by which field. */
const SHARDED = [
  [ACCOUNTS, '_id'],
  ...(ShardedBank.measures ? ([['bank.system.buckets.measured', 'meta']] as const) : []),
] as const;

/** What each shard owned at the time, by namespace and shard. */
async function bankAt(source: ShardedCluster, at: Timestamp): Promise<Map<string, Map<string, Map<string, Buffer>>>> {
  const bank = new Map(SHARDED.map(([namespace]) => [namespace as string, new Map<string, Map<string, Buffer>>()]));
  for (const { id, set } of source.shards) {
    const truth = await readTruth(set.client, at);
    for (const [namespace, field] of SHARDED) {
      const owns = await ownedAt(source, id, at, [namespace, field]);
      const held = [...(truth.collections.get(namespace)?.documents ?? [])];
      bank.get(namespace)?.set(id, new Map(held.filter(([, one]) => owns(Number(BSON.deserialize(one)[field])))));
    }
  }
  return bank;
}

/** What of a collection was the shard's, by the chunks of that time. */
async function ownedAt(
  source: ShardedCluster,
  shardId: string,
  at: Timestamp,
  [namespace, field]: readonly [string, string],
): Promise<(key: number) => boolean> {
  const config = source.config.client.db('config');
  const found = await config.collection<{ _id: string; uuid: Binary }>('collections').findOne({ _id: namespace });
  const reply = await config.command({
    ...{ find: 'chunks', filter: { shard: shardId, uuid: must(found, 'it is sharded').uuid }, batchSize: 1000 },
    readConcern: { level: 'snapshot', atClusterTime: at },
  });
  const bound = (value: unknown) =>
    value instanceof MinKey
      ? Number.NEGATIVE_INFINITY
      : value instanceof MaxKey
        ? Number.POSITIVE_INFINITY
        : Number(value);
  const ranges = (reply.cursor.firstBatch as Document[]).map(
    ({ min, max }) => [bound(min[field]), bound(max[field])] as const,
  );
  return (key) => ranges.some(([min, max]) => min <= key && key < max);
}

interface Checking {
  fixture: ShardedFixture;
  source: ShardedCluster;
  target: ShardedCluster;
  snapshots: readonly TakenSnapshot[];
  ts: Timestamp64;
  report: ShardedReplayReport;
}

async function checkMoment({ fixture, source, target, snapshots, ts, report }: Checking): Promise<void> {
  const taken = snapshots.findLast((one) => timeOf(one) <= ts);
  if (taken === undefined) return;
  const { replayed } = await fixture.restore(target.uri, taken, { ts, inclusive: true });
  report.entries += replayed?.entries ?? 0;
  if (await migratingAt(source, ts)) report.insideMigrations++;
  let sum = 0;
  for (const [index, { set }] of source.shards.entries()) {
    const expected = await readTruth(set.client, new Timestamp(timestampParts(ts)));
    const actual = await readTruth(target.shard(index).set.client, null);
    report.ambiguous += leaveOutAmbiguous(expected, actual);
    const skip = (namespace: string) =>
      isLeftOut(namespace, expected) ||
      expected.unreadable.get(namespace) === 'capped' ||
      namespace.startsWith('config.');
    const { t, i } = timestampParts(ts);
    assert.deepEqual(compareTruth(expected, actual, { skip }), [], `shard ${index} at ${t}.${i}`);
    for (const { documents } of expected.collections.values()) report.documents += documents?.size ?? 0;
    sum += balanceOf(actual);
  }
  // What is moved is on both shards for a while, but never written.
  assert.equal(sum, 0, 'no transaction is torn');
  const routed = [...(await target.findRouted('bank', 'accounts')).values()].flat().map((one) => Number(one._id));
  assert.deepEqual(
    routed.toSorted((a, b) => a - b),
    ShardedBank.ids,
  );
}

function balanceOf({ collections }: Truth): number {
  let sum = 0;
  for (const document of collections.get('bank.accounts')?.documents?.values() ?? []) sum += readBalance(document);
  return sum;
}

/** `{_id: int, n: int}`: the last four bytes before the end. */
function readBalance(document: Buffer): number {
  return document.readInt32LE(document.length - 5);
}
