import { formatTimestamp, timestampParts } from '../../bson/timestamp.ts';
import { isAbort } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { Cancelled, Damage, describeError, Fault } from '../../lib/errors.ts';
import type { ShardMember } from '../../mongo/shard-members.ts';
import { FollowingClock } from '../../mongo/shared-time.ts';
import type { Manifest, ManifestHeader, ManifestMember } from '../../repository/format/manifest.ts';
import { partsOf } from '../../repository/format/manifest-members.ts';
import { SnapshotWriter } from '../../repository/writer.ts';
import { MemberProgress } from '../member-progress.ts';
import { Agreement, RoundVoid } from '../sharding/agreement.ts';
import { balancerHold, type HoldRecord } from '../sharding/balancer-hold.ts';
import { Capture } from './capture.ts';
import { type CapturedState, captureRound, followUntil } from './capture-round.ts';
import type { JointParty } from './joint-time.ts';
import { defaultSnapshotLimits, type SnapshotLimits } from './snapshot-limits.ts';
import { SourceMeter } from './source-meter.ts';
import {
  type CapturedSource,
  captureSource,
  type JointCapture,
  readParent,
  referencedBytes,
  type TakenSnapshot,
  type TakeSnapshotOptions,
} from './take-snapshot.ts';

export interface TakeShardedSnapshotOptions extends TakeSnapshotOptions {
  /** The replica sets, the config servers last. */
  members: readonly ShardMember[];
  newMemberId: () => string;
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

/** One replica set's share of the work. */
interface Share {
  member: ShardMember;
  parent: Manifest | null;
  writer: SnapshotWriter;
  capture: Capture;
}

async function takeOnce(options: TakeShardedSnapshotOptions, parent: Manifest | null): Promise<TakenSnapshot> {
  const { clock } = options;
  const takenAtMs = clock.nowMs();
  const failing = new AbortController();
  const signal = AbortSignal.any([options.signal, failing.signal]);
  const shares = openShares({ ...options, signal }, parent);
  try {
    const sources = await captureAll({ ...options, signal }, shares, failing);
    options.report({ phase: 'writing manifest', documentsDone: 0, bytesDone: 0 });
    const manifest = describeManifest(options, shares, sources, { takenAtMs, parent });
    const writers = shares.map((share) => share.writer);
    const { storedBytes } = await SnapshotWriter.commitTogether(writers, manifest);
    return takenSnapshot(manifest, storedBytes, shares, sources);
  } catch (error) {
    await Promise.all(shares.map(async (share) => await share.writer.abandon()));
    throw error;
  }
}

function openShares(options: TakeShardedSnapshotOptions, parent: Manifest | null): Share[] {
  const { repository, clusterId, snapshotId, clock, random, signal, members } = options;
  const parts = parent === null ? [] : partsOf(parent);
  const limits = limitsOf(options);
  const progress = new MemberProgress(members.length, options.report);
  return members.map((member, index) => {
    // A shard keeps its history under its name in the cluster and its replica set's.
    const part = parts.find(
      (one) => one.member?.shardName === member.shardName && one.member.replicaSetName === member.replicaSetName,
    );
    const own = part?.manifest ?? null;
    const writer = new SnapshotWriter(repository, { clusterId, snapshotId, parent: own, signal });
    const report = progress.reporterOf(index, member.shardName);
    const meter = new SourceMeter(clock, report, signal, limits.readBytesPerSecondMax);
    const log = options.log.child({ shard: member.shardName });
    return { member, parent: own, writer, capture: new Capture({ writer, limits, meter, clock, random, log, signal }) };
  });
}

/** What is bounded for the process is shared out among the replica sets. */
function limitsOf({ limits, members }: TakeShardedSnapshotOptions): SnapshotLimits {
  const all = { ...defaultSnapshotLimits, ...limits };
  const share = (whole: number) => Math.max(1, Math.floor(whole / members.length));
  return {
    ...all,
    pendingBytesMax: share(all.pendingBytesMax),
    cappedBytesMax: share(all.cappedBytesMax),
    readBytesPerSecondMax: all.readBytesPerSecondMax === 0 ? 0 : share(all.readBytesPerSecondMax),
    scansAtOnce: 1,
  };
}

async function captureAll(
  options: TakeShardedSnapshotOptions,
  shares: readonly Share[],
  failing: AbortController,
): Promise<CapturedSource[]> {
  const { members, clock, log, signal, holdRecord } = options;
  const { uri, configServer } = must(members.at(-1), 'a sharded cluster has config servers');
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
  const agreement = new Agreement(shares.length, hold, signal);
  const running = shares.map(async (share) => {
    try {
      return await captureShare(options, share, agreement);
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
  assert(failure === undefined, 'a share that failed says so');
  return ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}

function isEcho(reason: unknown, first: unknown): boolean {
  return reason === first || isAbort(reason);
}

async function captureShare(
  options: TakeShardedSnapshotOptions,
  { member, parent, capture }: Share,
  agreement: Agreement,
): Promise<CapturedSource> {
  const { repository, clusterId, clock, signal } = options;
  const following = await FollowingClock.connect(member.uri, member.shardName, signal);
  try {
    const on = { repository, clusterId, uri: member.uri, clock, signal, log: capture.log };
    const joint = jointCapture(agreement, following, options.holdMsMax ?? HOLD_MS_MAX);
    return await captureSource(on, capture, parent, capture.limits, joint);
  } finally {
    await following.close();
  }
}

function jointCapture(agreement: Agreement, following: FollowingClock, holdMsMax: number): JointCapture {
  return async (capture, source, alone) => {
    let inTheWay: string | null = null;
    for (let rounds = 0; rounds < JOINT_ROUNDS_MAX; rounds++) {
      await alone();
      const round = agreement.join();
      const party: JointParty = {
        round,
        inTheWay: null,
        moveOn: async (time) => await following.moveOn(time),
      };
      const over = new AbortController();
      try {
        capture.meter.enter({ phase: 'waiting for the other shards' });
        await followUntil(capture, source, round.gathered);
        await alone();
        await round.begin();
        const timed = voidAfter(capture, round, holdMsMax, over.signal);
        const state = await captureRound(capture, source, party).finally(() => over.abort());
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
      inTheWay = party.inTheWay ?? inTheWay;
    }
    throw noCommonTime(capture, inTheWay);
  };
}

/** The balancer is not kept waiting for longer than that. */
async function voidAfter(capture: Capture, round: { leave(): void }, ms: number, over: AbortSignal): Promise<void> {
  try {
    await capture.clock.sleep(ms, over);
  } catch (error) {
    if (isAbort(error)) return;
    throw error;
  }
  round.leave();
}

function noCommonTime(capture: Capture, inTheWay: string | null): Fault {
  const last = inTheWay ?? capture.unfinished.join(', ');
  return new Fault({
    op: 'take snapshot',
    subject: 'the sharded cluster',
    message: `in ${JOINT_ROUNDS_MAX} attempts no time was found at which every shard could be read${last === '' ? '' : `; last in the way: ${last}`}`,
    hint: 'Take the snapshot when no chunks are being moved and fewer collections are being created and dropped',
  });
}

function describeManifest(
  options: TakeShardedSnapshotOptions,
  shares: readonly Share[],
  sources: readonly CapturedSource[],
  made: { takenAtMs: number; parent: Manifest | null },
): Manifest {
  assert(sources.length === shares.length, 'every replica set was captured');
  const { at } = must(sources[0], 'a sharded cluster has shards').state;
  for (const { state } of sources) assert(state.at.ts === at.ts, `every member is at ${formatTimestamp(at.ts)}`);
  const members = shares.map((share, index) => describeMember(options, share, must(sources[index], 'its source')));
  const finishedAtMs = options.clock.nowMs();
  const config = must(members.at(-1), 'the config servers come last');
  const sum = (of: (member: ManifestMember) => number) => members.reduce((total, member) => total + of(member), 0);
  const written = shares.map((share) => share.writer.written);
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
    clusterTime: { ...timestampParts(at.ts), term: Math.max(...members.map((member) => member.position.term)) },
    members,
    takenAt: new Date(made.takenAtMs).toISOString(),
    finishedAt: new Date(finishedAtMs).toISOString(),
    mongodVersion: config.mongodVersion,
    featureCompatibilityVersion: config.featureCompatibilityVersion,
    collections: sum((member) => member.collections),
    documents: sum((member) => member.documents),
    bytes: sum((member) => member.bytes),
    writtenPlainBytes: written.reduce((total, one) => total + one.plainBytes, 0),
    writtenStoredBytes: written.reduce((total, one) => total + one.storedBytes, 0),
    retention: options.retentionAt?.(finishedAtMs) ?? options.retention,
  };
  const collections = sources.flatMap(({ state }, member) => state.collections.map((entry) => ({ member, ...entry })));
  return { header, collections };
}

function describeMember(
  options: TakeShardedSnapshotOptions,
  { member }: Share,
  { state, facts }: CapturedSource,
): ManifestMember {
  return {
    id: options.newMemberId(),
    shardName: member.shardName,
    configServer: member.configServer,
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

function positionOf({ at, position }: CapturedState): ManifestMember['position'] {
  assert(position.ts <= at.ts, 'a position is at or before T');
  return { ...timestampParts(position.ts), term: Number(position.term) };
}

function takenSnapshot(
  manifest: Manifest,
  manifestBytes: number,
  shares: readonly Share[],
  sources: readonly CapturedSource[],
): TakenSnapshot {
  const sum = (of: (share: Share) => number) => shares.reduce((total, share) => total + of(share), 0);
  return {
    header: manifest.header,
    manifestBytes,
    referencedStoredBytes: referencedBytes(manifest) + manifestBytes,
    sourceHost: sources.map((source) => source.host).join(', '),
    statistics: {
      documentsRead: sum(({ capture }) => capture.meter.documentsRead),
      bytesRead: sum(({ capture }) => capture.meter.bytesRead),
      oplogEntriesRead: sum(({ capture }) => capture.meter.oplogEntriesRead),
      oplogBytesRead: sum(({ capture }) => capture.meter.oplogBytesRead),
      sliceEntriesRead: sum(({ capture }) => capture.meter.sliceEntriesRead),
      rounds: sum(({ capture }) => capture.rounds),
      scannedCollections: sum(({ capture }) => capture.scannedCollections),
      reusedBytes: sum(({ writer }) => writer.written.reusedBytes),
    },
  };
}
