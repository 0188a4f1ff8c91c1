import assert from 'node:assert/strict';
import { BSON } from 'mongodb';
import { forEachElement } from '../../src/bson/raw-bson.ts';
import { timestampOf } from '../../src/bson/timestamp.ts';
import { planArchivePoint } from '../../src/engine/archive/archive-point.ts';
import { writeArchive } from '../../src/engine/archive/write-archive.ts';
import type { OplogSource, ReplayEnd } from '../../src/engine/replay/replay-interval.ts';
import { sliceOplog } from '../../src/engine/replay/slice-oplog.ts';
import { type RestoredSnapshot, restoreSnapshot } from '../../src/engine/restore/restore-snapshot.ts';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { messageOf } from '../../src/lib/errors.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { bsonTimestamp } from '../../src/mongo/source-member.ts';
import { RestoreTarget } from '../../src/mongo/target.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { collect } from '../support/collect.ts';
import { compareTruth, isStrayBuckets } from '../support/compare.ts';
import { ReplayedCopy } from '../support/replayed-copy.ts';
import { type ReplicaSet, withReplicaSet } from '../support/replica-set.ts';
import { restoreArchive } from '../support/restore-archive.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SnapshotRig } from '../support/snapshot-rig.ts';
import { Tailing } from '../support/tailing.ts';
import { readTruth, type Truth } from '../support/truth.ts';
import { SourceOplog } from './source-oplog.ts';
import { Workload } from './workload.ts';

/** Fewer entries after the snapshot are no test. */
const ENTRIES_MIN = 100;
const TRIES_MAX = 4;
const SNAPSHOT_EVERY_MS = 60_000;

export interface ReplayReport {
  points: number;
  entries: number;
  operations: number;
  documents: number;
  collections: number;
  entriesPerSecond: number;
  /** Documents left out of the comparison; see `leaveOutAmbiguous`. */
  ambiguous: number;
  /** Taken while the workload ran; restores begin with the newest that precedes the point. */
  snapshots: number;
  /** Of the incremental ones, read from slices instead of the source. */
  sliceEntries: number;
}

export interface ReplayOptions {
  points: number;
  /** Of each writer, before the first snapshot and after the last. */
  operations: number;
  /** A tailer captures the oplog, and everything is restored from what it captured. */
  tailed?: boolean;
  /** The workload runs for so long, with a snapshot from time to time. */
  ms?: number;
  /** Not restored by us, but as an archive of the point by what does as mongorestore does. */
  asArchive?: boolean;
}

/** Restores to a point as the service does it, from slices or from the source's own oplog in place of them. */
export async function restoreToPoint(
  repository: Repository,
  taken: TakenSnapshot,
  source: OplogSource,
  end: ReplayEnd,
  uri: string,
): Promise<RestoredSnapshot> {
  return await restoreSnapshot(
    {
      repository,
      clusterId: taken.header.clusterId,
      snapshotId: taken.header.snapshotId,
      uri,
      verifyContent: false,
      pointInTime: { end, source },
      clock: systemClock,
      log: silentLogger,
      signal: new AbortController().signal,
      report: () => undefined,
    },
    await readManifest(repository, taken.header),
  );
}

/** The same, as a download of the point and whoever loads it. Users and roles are not loaded. */
async function loadArchiveOfPoint(
  repository: Repository,
  { header: { clusterId, snapshotId } }: TakenSnapshot,
  source: OplogSource,
  end: ReplayEnd,
  target: ReplicaSet,
): Promise<number> {
  const { signal } = new AbortController();
  const manifest = await readManifest(repository, { clusterId, snapshotId });
  const point = await planArchivePoint(repository, manifest, { end, source, signal });
  const archive = await collect(writeArchive({ repository, manifest, point, signal }));
  await new RestoreTarget(target.client, signal).clear();
  const { oplog } = await restoreArchive(Buffer.concat(archive), target.client, (await target.primary()).port);
  return must(oplog, 'an archive of a point has an oplog').length;
}

/**
 * One seed: a snapshot while the workload runs, more workload, then restores at random points, each compared byte for
 * byte with the truth at that point.
 */
export async function checkReplay(seed: number, target: ReplicaSet, options: ReplayOptions): Promise<ReplayReport> {
  // Recovery needs the whole oplog, and the workload writes some gigabytes in ten minutes.
  const oplogMb = (options.ms ?? 0) > 0 ? 8192 : 1024;
  const sourceOptions = { cacheGb: 1, oplogMb, setParameters: { ttlMonitorSleepSecs: 1 } };
  for (let tries = 1; ; tries++) {
    const report = await withReplicaSet(sourceOptions, (source) => checkOnce(seed, source, target, options));
    if (report !== null) return report;
    assert(tries < TRIES_MAX, `seed ${seed}: the source's oplog could not be applied ${tries} times`);
  }
}

async function checkOnce(
  seed: number,
  source: ReplicaSet,
  target: ReplicaSet,
  options: ReplayOptions,
): Promise<ReplayReport | null> {
  const rig = await SnapshotRig.create();
  const copy = await ReplayedCopy.take(source);
  try {
    const tail = options.tailed === true ? new Tailing(source, rig) : null;
    await tail?.begun();
    const workload = new Workload({ seed, port: async () => (await source.primary()).port });
    await workload.setUp();
    await workload.write(options.operations);
    workload.start();
    const snapshots = await takeFor(options.ms ?? 0, rig, source.uri).finally(() => workload.stop());
    await workload.write(options.operations);
    const captured = await tail?.mark();
    await tail?.stop();
    const oplog = await SourceOplog.read(source.client);
    const range = pointsOf(oplog, must(snapshots[0], 'a snapshot'), captured);
    if (range === null) return null;
    const { asArchive = false } = options;
    const checking = { repository: rig.repository, snapshots, oplog, copy, target, tailed: tail !== null, asArchive };
    return await checkPoints(seed, checking, range, options.points);
  } catch (error) {
    const message = `seed ${seed}: ${messageOf(error)}\n(again with SEED=${seed}; the interleaving of writers is not the seed's)`;
    throw new Error(message, { cause: error });
  } finally {
    await copy.remove();
  }
}

/** A snapshot, and more of them until the time is over. */
async function takeFor(ms: number, rig: SnapshotRig, uri: string): Promise<TakenSnapshot[]> {
  const deadline = systemClock.monotonicMs() + ms;
  const snapshots = [await rig.take(uri)];
  while (systemClock.monotonicMs() < deadline) {
    await systemClock.sleep(Math.min(SNAPSHOT_EVERY_MS, Math.max(1, deadline - systemClock.monotonicMs())));
    snapshots.push(await rig.take(uri));
  }
  return snapshots;
}

/**
 * Places of the first and the last moment to restore to; null where the source wrote what nobody can apply, before the
 * snapshot or soon after it.
 */
function pointsOf(
  oplog: SourceOplog,
  taken: TakenSnapshot,
  captured: bigint | undefined,
): { first: number; last: number } | null {
  const first = oplog.indexOf(timestampOf(taken.header.clusterTime)) + 1;
  assert(first > 0, 'the snapshot is of a moment of the oplog');
  const inapplicable = oplog.moments.findIndex((moment) => moment.inapplicable);
  // What a server writes by itself goes on when the tailer has stopped.
  const uncaptured = captured === undefined ? -1 : oplog.moments.findIndex(({ ts }) => ts > captured);
  const ends = [inapplicable, uncaptured].filter((index) => index >= 0);
  const last = Math.min(oplog.moments.length, ...ends) - 1;
  return last - first < ENTRIES_MIN ? null : { first, last };
}

interface Checking {
  repository: Repository;
  /** Oldest first. */
  snapshots: readonly TakenSnapshot[];
  oplog: SourceOplog;
  copy: ReplayedCopy;
  target: ReplicaSet;
  tailed: boolean;
  asArchive: boolean;
}

async function checkPoints(
  seed: number,
  checking: Checking,
  range: { first: number; last: number },
  points: number,
): Promise<ReplayReport> {
  const { oplog } = checking;
  const { first } = range;
  let { last } = range;
  const random = new SeededRandom(seed, 3);
  const report: ReplayReport = {
    points: 0,
    entries: 0,
    operations: 0,
    documents: 0,
    collections: 0,
    entriesPerSecond: 0,
    ambiguous: 0,
    snapshots: checking.snapshots.length,
    sliceEntries: checking.snapshots.reduce((sum, { statistics }) => sum + statistics.sliceEntriesRead, 0),
  };
  let ms = 0;
  while (report.points < points) {
    // One point is the very end; the truth of a moment at which a prepared transaction is undecided is not known to
    // recovery.
    const isLast = report.points === points - 1;
    const index = isLast ? last : random.between(first, last);
    const [before, at] = [oplog.moments[index - 1], oplog.moments[index]];
    if (before === undefined || at === undefined || before.undecided || at.undecided) {
      if (isLast) last--;
      continue;
    }
    const end = { ts: at.ts, inclusive: isLast || random.oneIn(2) };
    ms += await checkPoint(checking, end, end.inclusive ? at.ts : before.ts, report);
    report.points++;
  }
  report.entriesPerSecond = ms === 0 ? 0 : Math.round((report.entries / ms) * 1000);
  return report;
}

/** How long the replay took, where we made it. */
async function checkPoint(checking: Checking, end: ReplayEnd, truthTs: bigint, report: ReplayReport): Promise<number> {
  const { copy, target, asArchive } = checking;
  const ms = await bringTo(checking, end, report);
  const actual = await readTruth(target.client, null);
  const expected = await copy.truthAt(bsonTimestamp(truthTs));
  report.ambiguous += leaveOutAmbiguous(expected, actual);
  const notOfArchives = (namespace: string) => asArchive && /^(config\.|admin\.system\.)/.test(namespace);
  const differences = compareTruth(expected, actual, {
    cappedMayStartLater: true,
    skip: (namespace) => isLeftOut(namespace, expected) || isLeftOut(namespace, actual) || notOfArchives(namespace),
  });
  const where = `${BSON.EJSON.stringify(bsonTimestamp(end.ts))} ${end.inclusive ? 'inclusive' : 'exclusive'}`;
  assert.deepEqual(differences, [], `the restore to ${where} differs from that point`);
  for (const collection of expected.collections.values()) {
    report.collections++;
    report.documents += collection.documents?.size ?? 0;
  }
  return ms;
}

async function bringTo(checking: Checking, end: ReplayEnd, report: ReplayReport): Promise<number> {
  const { repository, target } = checking;
  const taken = baseOf(checking, end);
  const source = await oplogFor(checking, taken, end);
  if (checking.asArchive) {
    report.operations += await loadArchiveOfPoint(repository, taken, source, end, target);
    return 0;
  }
  const { replayed } = await restoreToPoint(repository, taken, source, end, target.uri);
  report.entries += replayed?.entries ?? 0;
  report.operations += replayed?.operations ?? 0;
  return replayed?.ms ?? 0;
}

/** The newest snapshot before the point. */
function baseOf({ snapshots }: Checking, end: ReplayEnd): TakenSnapshot {
  return must(
    snapshots.findLast(({ header }) => timestampOf(header.clusterTime) < end.ts),
    'points lie after the first snapshot',
  );
}

async function oplogFor(checking: Checking, { header }: TakenSnapshot, end: ReplayEnd): Promise<OplogSource> {
  if (!checking.tailed) return checking.oplog;
  const { clusterId, replicaSetName, clusterTime } = header;
  const range = { from: { ts: timestampOf(clusterTime), term: BigInt(clusterTime.term) }, end: end.ts };
  return await sliceOplog(checking.repository, { clusterId, replicaSetName }, range, new AbortController().signal);
}

/**
 * Half-made results of `$out` and the like, which the server itself drops when it starts, and what a creation of a time
 * series that failed half way left beside an ordinary collection.
 */
export function isLeftOut(namespace: string, truth: Truth): boolean {
  const collection = truth.collections.get(namespace);
  if (collection === undefined) return false;
  return isStrayBuckets(namespace, truth) || BSON.deserialize(collection.options).temp === true;
}

/**
 * Removes documents that have several fields of one name and differ. MongoDB's own members differ on those: `$inc` on
 * the primary changes the first of them, and the diff that it logs changes all of them wherever it is applied (seen on
 * 6.0.5). The snapshot holds what a member held, and the expectation was made by applying.
 */
export function leaveOutAmbiguous(expected: Truth, actual: Truth): number {
  let left = 0;
  for (const [namespace, { documents }] of expected.collections) {
    const others = actual.collections.get(namespace)?.documents;
    if (documents === null || !others) continue;
    for (const [id, document] of documents) {
      const other = others.get(id);
      if (other === undefined || other.equals(document) || !repeatsName(document, 0)) continue;
      documents.delete(id);
      others.delete(id);
      left++;
    }
  }
  return left;
}

/** Whether a document, or one within it, has several fields of one name. */
export function repeatsName(document: Buffer, offset: number): boolean {
  const names = new Set<string>();
  let repeats = false;
  forEachElement(document, offset, (name, { type, start }) => {
    repeats = names.has(name) || ((type === 0x03 || type === 0x04) && repeatsName(document, start));
    names.add(name);
    return !repeats;
  });
  return repeats;
}
