import { formatTimestamp, timestampParts } from '../../bson/timestamp.ts';
import { isAbort } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { Cancelled, Damage, describeError, Fault } from '../../lib/errors.ts';
import { FollowingClock } from '../../mongo/shared-time.ts';
import type { FoundReplicaSet } from '../../mongo/topology.ts';
import { referencedStoredBytes } from '../../repository/format/layer-blobs.ts';
import type { Manifest, ManifestHeader, ManifestReplicaSet } from '../../repository/format/manifest.ts';
import { replicaSetsOf } from '../../repository/format/manifest-replica-sets.ts';
import { type Committed, SnapshotWriter } from '../../repository/writer.ts';
import { ReplicaSetsProgress } from '../replica-sets-progress.ts';
import { Agreement, RoundVoid } from '../sharding/agreement.ts';
import { balancerHold, type HoldRecord } from '../sharding/balancer-hold.ts';
import type { JointTime } from './joint-time.ts';
import { ReplicaSetTake } from './replica-set-take.ts';
import { defaultSnapshotLimits, type SnapshotLimits } from './snapshot-limits.ts';
import { SourceMeter } from './source-meter.ts';
import { followUntil, type TakenState, takeRound } from './take-round.ts';
import {
  type JointTake,
  readParent,
  type TakenSnapshot,
  type TakenSource,
  type TakeSnapshotOptions,
  takeSource,
} from './take-snapshot.ts';

export interface TakeShardedSnapshotOptions extends TakeSnapshotOptions {
  /** The replica sets, the config servers last. */
  replicaSets: readonly FoundReplicaSet[];
  newId: () => string;
  /** That the balancer is stopped is written down here first. */
  holdRecord: HoldRecord;
  holdMsMax?: number;
  onBalancerReleased?: (heldMs: number) => void;
}

/** The balancer's stop is for seconds. A time that is not found by then is not found. */
const HOLD_MS_MAX = 120_000;
const JOINT_ROUNDS_MAX = 10;

/**
 * Takes a snapshot of a sharded cluster: every replica set, the config servers too, at one cluster time
 * (docs/consistency.md). Each is scanned and caught up by itself; then the balancer is stopped, and in lockstep a time
 * is found at which all are read. One manifest, written last.
 */
export async function takeShardedSnapshot(options: TakeShardedSnapshotOptions): Promise<TakenSnapshot> {
  const parent = await readShardedParent(options);
  try {
    return await takeOnce(options, parent);
  } catch (error) {
    if (!(error instanceof Damage) || parent === null) throw error;
    options.log.warn({ reason: describeError(error) }, 'the parent is damaged; scanning everything again');
    return await takeOnce(options, null);
  }
}

async function readShardedParent(options: TakeShardedSnapshotOptions): Promise<Manifest | null> {
  const parent = await readParent(options);
  return parent?.header.type === 'sharded' ? parent : null;
}

/** One replica set's take, and what it goes by. */
interface JoinedTake {
  replicaSet: FoundReplicaSet;
  parent: Manifest | null;
  writer: SnapshotWriter;
  take: ReplicaSetTake;
}

async function takeOnce(options: TakeShardedSnapshotOptions, parent: Manifest | null): Promise<TakenSnapshot> {
  const { clock } = options;
  const takenAtMs = clock.nowMs();
  const failing = new AbortController();
  const signal = AbortSignal.any([options.signal, failing.signal]);
  const takes = openTakes({ ...options, signal }, parent);
  try {
    const sources = await takeAll({ ...options, signal }, takes, failing);
    options.report({ phase: 'writing manifest', documentsDone: 0, bytesDone: 0 });
    const manifest = describeManifest(options, takes, sources, { takenAtMs, parent });
    const writers = takes.map((joined) => joined.writer);
    const committed = await SnapshotWriter.commitTogether(writers, manifest);
    return takenSnapshot(committed, takes, sources);
  } catch (error) {
    await Promise.all(takes.map(async (joined) => await joined.writer.abandon()));
    throw error;
  }
}

function openTakes(options: TakeShardedSnapshotOptions, parent: Manifest | null): JoinedTake[] {
  const { repository, clusterId, snapshotId, clock, random, signal, replicaSets } = options;
  const before = parent === null ? [] : replicaSetsOf(parent);
  const names = new Set(replicaSets.map(({ shardName }) => shardName));
  assert(names.size === replicaSets.length, 'each has a name of its own');
  const limits = limitsOf(options);
  const progress = new ReplicaSetsProgress(replicaSets.length, options.report);
  return replicaSets.map((replicaSet, index) => {
    // A shard keeps its history under its name in the cluster and its replica set's.
    const found = before.find(
      (one) =>
        one.replicaSet?.shardName === replicaSet.shardName &&
        one.replicaSet.replicaSetName === replicaSet.replicaSetName,
    );
    const own = found?.manifest ?? null;
    const writer = new SnapshotWriter(repository, { clusterId, snapshotId, parent: own, signal });
    const report = progress.reporterOf(index, replicaSet.shardName);
    const meter = new SourceMeter(clock, report, signal, limits.readBytesPerSecondMax);
    const log = options.log.child({ shard: replicaSet.shardName });
    return {
      replicaSet,
      parent: own,
      writer,
      take: new ReplicaSetTake({ writer, limits, meter, clock, random, log, signal }),
    };
  });
}

/** What is bounded for the process is shared out among the replica sets. */
function limitsOf({ limits, replicaSets }: TakeShardedSnapshotOptions): SnapshotLimits {
  assert(replicaSets.length >= 2, 'a sharded cluster has a shard and config servers');
  const all = { ...defaultSnapshotLimits, ...limits };
  const portion = (whole: number) => Math.max(1, Math.floor(whole / replicaSets.length));
  return {
    ...all,
    pendingBytesMax: portion(all.pendingBytesMax),
    cappedBytesMax: portion(all.cappedBytesMax),
    readBytesPerSecondMax: all.readBytesPerSecondMax === 0 ? 0 : portion(all.readBytesPerSecondMax),
    scansAtOnce: 1,
  };
}

async function takeAll(
  options: TakeShardedSnapshotOptions,
  takes: readonly JoinedTake[],
  failing: AbortController,
): Promise<TakenSource[]> {
  const { replicaSets, clock, log, signal, holdRecord } = options;
  const { uri, configServer } = must(replicaSets.at(-1), 'a sharded cluster has config servers');
  assert(configServer, 'the config servers come last');
  const released = options.onBalancerReleased;
  const hold = balancerHold({
    uri,
    record: holdRecord,
    clock,
    log,
    signal,
    ...(released === undefined ? {} : { onReleased: released }),
  });
  const agreement = new Agreement(takes.length, hold, signal);
  const running = takes.map(async (joined) => {
    try {
      return await takeJoined(options, joined, agreement);
    } catch (error) {
      // The others wait for this one in vain.
      failing.abort(error instanceof Error ? error : new Cancelled());
      throw error;
    }
  });
  const ended = await Promise.allSettled(running);
  const failure = ended.find((one) => one.status === 'rejected' && !isEcho(one.reason, failing.signal.reason));
  try {
    await agreement.settled();
  } catch (error) {
    log.error(
      { reason: describeError(error) },
      'the balancer could not be given back; it is written down that it has to be',
    );
  }
  if (failing.signal.aborted) throw failing.signal.reason;
  assert(failure === undefined, 'a take that failed says so');
  return ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

function isEcho(reason: unknown, first: unknown): boolean {
  return reason === first || isAbort(reason);
}

async function takeJoined(
  options: TakeShardedSnapshotOptions,
  { replicaSet, parent, take }: JoinedTake,
  agreement: Agreement,
): Promise<TakenSource> {
  const { repository, clusterId, clock, signal } = options;
  const following = await FollowingClock.connect(replicaSet.uri, replicaSet.shardName, signal);
  try {
    const { uri, facts: found } = replicaSet;
    const on = { repository, clusterId, uri, found, clock, signal, log: take.log };
    const joint = jointTake(agreement, following, options.holdMsMax ?? HOLD_MS_MAX);
    return await takeSource(on, take, parent, take.limits, joint);
  } finally {
    await following.close();
  }
}

function jointTake(agreement: Agreement, following: FollowingClock, holdMsMax: number): JointTake {
  assert(holdMsMax > 0, 'a hold has a time');
  return async (take, source, alone) => {
    let inTheWay: string | null = null;
    for (let rounds = 0; rounds < JOINT_ROUNDS_MAX; rounds++) {
      await alone();
      const round = agreement.join();
      const jointTime: JointTime = {
        round,
        inTheWay: null,
        moveOn: async (time) => await following.moveOn(time),
      };
      const over = new AbortController();
      try {
        take.meter.enter({ phase: 'waiting for the other shards' });
        await followUntil(take, source, round.gathered);
        await alone();
        await round.begin();
        const timed = voidAfter(take, round, holdMsMax, over.signal);
        const state = await takeRound(take, source, jointTime).finally(() => over.abort());
        await timed;
        if (state !== null) {
          round.end();
          return state;
        }
        round.leave();
      } catch (error) {
        round.leave();
        if (!(error instanceof RoundVoid)) throw error;
      } finally {
        over.abort();
      }
      inTheWay = jointTime.inTheWay ?? inTheWay;
    }
    throw noCommonTime(take, inTheWay);
  };
}

/** The balancer is not kept waiting for longer than that. */
async function voidAfter(take: ReplicaSetTake, round: { leave(): void }, ms: number, over: AbortSignal): Promise<void> {
  try {
    await take.clock.sleep(ms, over);
  } catch (error) {
    if (isAbort(error)) return;
    throw error;
  }
  round.leave();
}

function noCommonTime(take: ReplicaSetTake, inTheWay: string | null): Fault {
  const last = inTheWay ?? take.unfinished.join(', ');
  return new Fault({
    op: 'take snapshot',
    subject: 'the sharded cluster',
    message: `in ${JOINT_ROUNDS_MAX} attempts no time was found at which every shard could be read${last === '' ? '' : `; last in the way: ${last}`}`,
    hint: 'Take the snapshot when no chunks are being moved and fewer collections are being created and dropped',
  });
}

function describeManifest(
  options: TakeShardedSnapshotOptions,
  takes: readonly JoinedTake[],
  sources: readonly TakenSource[],
  made: { takenAtMs: number; parent: Manifest | null },
): Manifest {
  assert(sources.length === takes.length, 'every replica set was taken');
  const { at } = must(sources[0], 'a sharded cluster has shards').state;
  for (const { state } of sources) assert(state.at.ts === at.ts, `every replica set is at ${formatTimestamp(at.ts)}`);
  const replicaSets = takes.map((joined, index) =>
    describeReplicaSet(options, joined, must(sources[index], 'its source')),
  );
  const finishedAtMs = options.clock.nowMs();
  const config = must(replicaSets.at(-1), 'the config servers come last');
  const sum = (of: (replicaSet: ManifestReplicaSet) => number) =>
    replicaSets.reduce((total, replicaSet) => total + of(replicaSet), 0);
  const written = takes.map((joined) => joined.writer.written);
  const header: ManifestHeader = {
    repositoryId: options.repository.repositoryId,
    clusterId: options.clusterId,
    clusterName: options.clusterName,
    projectId: options.projectId,
    snapshotId: options.snapshotId,
    parentSnapshotId: made.parent?.header.snapshotId ?? null,
    type: 'sharded',
    replicaSetName: config.replicaSetName,
    replicaSetId: config.replicaSetId,
    clusterTime: {
      ...timestampParts(at.ts),
      term: Math.max(...replicaSets.map((replicaSet) => replicaSet.position.term)),
    },
    replicaSets,
    takenAt: new Date(made.takenAtMs).toISOString(),
    finishedAt: new Date(finishedAtMs).toISOString(),
    mongodVersion: config.mongodVersion,
    featureCompatibilityVersion: config.featureCompatibilityVersion,
    collections: sum((replicaSet) => replicaSet.collections),
    documents: sum((replicaSet) => replicaSet.documents),
    bytes: sum((replicaSet) => replicaSet.bytes),
    writtenPlainBytes: written.reduce((total, one) => total + one.plainBytes, 0),
    writtenStoredBytes: written.reduce((total, one) => total + one.storedBytes, 0),
    retention: options.retentionAt?.(finishedAtMs) ?? options.retention,
  };
  const collections = sources.flatMap(({ state }, replicaSet) =>
    state.collections.map((entry) => ({ replicaSet, ...entry })),
  );
  return { header, collections };
}

function describeReplicaSet(
  options: TakeShardedSnapshotOptions,
  { replicaSet }: JoinedTake,
  { state, facts }: TakenSource,
): ManifestReplicaSet {
  return {
    id: options.newId(),
    shardName: replicaSet.shardName,
    configServer: replicaSet.configServer,
    replicaSetName: facts.replicaSetName,
    replicaSetId: facts.replicaSetId,
    position: positionOf(state),
    mongodVersion: facts.mongodVersion,
    featureCompatibilityVersion: facts.featureCompatibilityVersion,
    collections: state.collections.length,
    documents: state.collections.reduce((total, entry) => total + entry.documents, 0),
    bytes: state.collections.reduce((total, entry) => total + entry.bytes, 0),
  };
}

function positionOf({ at, position }: TakenState): ManifestReplicaSet['position'] {
  assert(position.ts <= at.ts, 'a position is at or before T');
  return { ...timestampParts(position.ts), term: Number(position.term) };
}

function takenSnapshot(
  { manifest, objectBytes }: Committed,
  takes: readonly JoinedTake[],
  sources: readonly TakenSource[],
): TakenSnapshot {
  const sum = (of: (joined: JoinedTake) => number) => takes.reduce((total, joined) => total + of(joined), 0);
  return {
    header: manifest.header,
    manifestBytes: objectBytes,
    referencedStoredBytes: referencedStoredBytes(manifest) + objectBytes,
    sourceHost: sources.map((source) => source.host).join(', '),
    statistics: {
      documentsRead: sum(({ take }) => take.meter.documentsRead),
      bytesRead: sum(({ take }) => take.meter.bytesRead),
      oplogEntriesRead: sum(({ take }) => take.meter.oplogEntriesRead),
      oplogBytesRead: sum(({ take }) => take.meter.oplogBytesRead),
      sliceEntriesRead: sum(({ take }) => take.meter.sliceEntriesRead),
      rounds: sum(({ take }) => take.rounds),
      scannedCollections: sum(({ take }) => take.scannedCollections),
      reusedBytes: sum(({ writer }) => writer.written.reusedBytes),
    },
  };
}
