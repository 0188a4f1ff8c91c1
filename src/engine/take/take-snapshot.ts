import { timestampParts } from '../../bson/timestamp.ts';
import { isAbort, throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { Damage, describeError, Fault } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { Random } from '../../lib/random.ts';
import { OplogGap, oplogHolds } from '../../mongo/oplog-reader.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { ClusterFacts } from '../../mongo/topology.ts';
import { referencedStoredBytes } from '../../repository/format/layer-blobs.ts';
import type { Manifest, ManifestHeader, ManifestRetention } from '../../repository/format/manifest.ts';
import { readManifest } from '../../repository/manifests.ts';
import type { Repository } from '../../repository/repository.ts';
import { checkSnapshot } from '../../repository/upkeep/check.ts';
import { compactLayers, planCompaction } from '../../repository/upkeep/compaction.ts';
import { repackShared } from '../../repository/upkeep/repack.ts';
import { type Committed, SnapshotWriter } from '../../repository/writer.ts';
import { onSomeMember } from '../source.ts';
import { openCapturedOplog } from './captured-oplog.ts';
import { ReplicaSetTake } from './replica-set-take.ts';
import { majorityAtLeast } from './settle-catalog.ts';
import { defaultSnapshotLimits, type SnapshotLimits } from './snapshot-limits.ts';
import { SourceMeter } from './source-meter.ts';
import { type TakenState, takeRound } from './take-round.ts';

export interface TakeSnapshotOptions {
  /** Connection string of the source. */
  uri: string;
  /** What it has just said of itself; it is asked where this is left out, and again when a member is lost. */
  found?: ClusterFacts | undefined;
  repository: Repository;
  clusterId: string;
  clusterName: string;
  projectId: string;
  snapshotId: string;
  /**
   * The newest completed snapshot of the cluster. Where its history does not go on in the oplog it only lends its
   * blobs.
   */
  parent: { clusterId: string; snapshotId: string } | null;
  retention: ManifestRetention;
  limits?: Partial<SnapshotLimits>;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
  report: ReportProgress;
  /** Completes `retention.expiresAt` where it counts from the end of the snapshot. */
  retentionAt?: (finishedAtMs: number) => ManifestRetention;
}

export interface TakenSnapshot {
  header: ManifestHeader;
  /** Bytes of the manifest object. */
  manifestBytes: number;
  /** Bytes of all objects the snapshot is made of, also those it shares with others. */
  referencedStoredBytes: number;
  /** The member that was read last. */
  sourceHost: string;
  statistics: {
    documentsRead: number;
    bytesRead: number;
    oplogEntriesRead: number;
    oplogBytesRead: number;
    /** Oplog entries read from slices of continuous backup instead of the source. */
    sliceEntriesRead: number;
    rounds: number;
    scannedCollections: number;
    reusedBytes: number;
  };
}

/**
 * Takes a snapshot of a replica set: every collection at one cluster time (docs/consistency.md), written as layers and,
 * last, a manifest. When it rejects there is no manifest, and what was written is garbage for prune. Faults: the source
 * cannot be reached or read, the store fails, T cannot be reached in bounded rounds.
 */
export async function takeSnapshot(options: TakeSnapshotOptions): Promise<TakenSnapshot> {
  const read = await readParent(options);
  // A cluster of that name may have been another kind of deployment.
  const parent = read?.header.type === 'replicaSet' ? read : null;
  try {
    return await takeOnce(options, parent);
  } catch (error) {
    // Seen when everything that the manifest names was looked for: the parent has lost what was to be shared with it.
    if (!(error instanceof Damage) || parent === null) throw error;
    options.log.warn({ reason: describeError(error) }, 'the parent is damaged; scanning everything again');
    return await takeOnce(options, null);
  }
}

async function takeOnce(options: TakeSnapshotOptions, parent: Manifest | null): Promise<TakenSnapshot> {
  const { repository, clusterId, snapshotId, clock, signal, log } = options;
  const takenAtMs = clock.nowMs();
  const limits = { ...defaultSnapshotLimits, ...options.limits };
  const meter = new SourceMeter(clock, options.report, signal, limits.readBytesPerSecondMax);
  const writer = new SnapshotWriter(repository, { clusterId, snapshotId, parent, signal });
  const take = new ReplicaSetTake({ writer, limits, meter, clock, random: options.random, log, signal });
  try {
    const source = await takeSource(options, take, parent, limits);
    meter.enter({ phase: 'writing manifest' });
    const manifest = describeManifest(options, source, { takenAtMs, parent, writer });
    const committed = await writer.commit(manifest);
    return takenSnapshot(committed, source.host, take);
  } catch (error) {
    // Nothing may go on being written behind the back of whoever is told that it failed.
    await writer.abandon();
    throw error;
  }
}

/**
 * Takes and compacts. A parent whose content turns out to be damaged when it is merged is not built upon: everything
 * is scanned again, which mends what the repository lost.
 */
export async function takeSource(
  options: SourceToTake,
  take: ReplicaSetTake,
  parent: Manifest | null,
  limits: SnapshotLimits,
  joint: JointTake | null = null,
): Promise<TakenSource> {
  const { repository, uri, clock, signal, log } = options;
  const on = { uri, clock, log, signal, lossesMax: limits.memberLossesMax, op: 'take snapshot', listsCatalog: true };
  let attached = false;
  for (let mended = false; ; mended = true) {
    const {
      result: state,
      facts,
      host,
    } = await onSomeMember(mended ? on : { ...on, found: options.found }, async (member, known) => {
      if (!attached) await attach(take, member, known, parent, options);
      attached = true;
      return await takeOn(take, member, joint);
    });
    take.meter.enter({ phase: 'compacting' });
    try {
      await compact(repository, take.writer, state, signal);
      return { state, facts, host };
    } catch (error) {
      if (!(error instanceof Damage) || mended || joint !== null) throw error;
      log.warn({ reason: describeError(error) }, 'the parent is damaged; scanning everything again');
      take.startOver(must(take.position, 'a take that has ended has a position'));
    }
  }
}

function takenSnapshot({ manifest, objectBytes }: Committed, sourceHost: string, take: ReplicaSetTake): TakenSnapshot {
  const { meter, writer } = take;
  return {
    header: manifest.header,
    manifestBytes: objectBytes,
    referencedStoredBytes: referencedStoredBytes(manifest) + objectBytes,
    sourceHost,
    statistics: {
      documentsRead: meter.documentsRead,
      bytesRead: meter.bytesRead,
      oplogEntriesRead: meter.oplogEntriesRead,
      oplogBytesRead: meter.oplogBytesRead,
      sliceEntriesRead: meter.sliceEntriesRead,
      rounds: take.rounds,
      scannedCollections: take.scannedCollections,
      reusedBytes: writer.written.reusedBytes,
    },
  };
}

/** The parent's manifest; a parent that cannot be read costs a full scan, never the snapshot. */
export async function readParent(
  options: Pick<TakeSnapshotOptions, 'parent' | 'repository' | 'signal' | 'log'>,
): Promise<Manifest | null> {
  if (options.parent === null) return null;
  try {
    return await readManifest(options.repository, options.parent, { signal: options.signal });
  } catch (error) {
    if (isAbort(error)) throw error;
    options.log.warn(
      { parent: options.parent.snapshotId, reason: describeError(error) },
      'the parent cannot be read; taking a full snapshot',
    );
    return null;
  }
}

export type SourceToTake = Pick<
  TakeSnapshotOptions,
  'repository' | 'clusterId' | 'uri' | 'found' | 'clock' | 'signal' | 'log'
>;

/** How a replica set of a sharded cluster comes to the time of all; `alone` takes it at a time of its own. */
export type JointTake = (
  take: ReplicaSetTake,
  member: SourceMember,
  alone: () => Promise<TakenState>,
) => Promise<TakenState>;

export interface TakenSource {
  state: TakenState;
  facts: ClusterFacts;
  host: string;
}

/** Sets the take's start: the parent's T where the oplog goes on from it, else now. */
async function attach(
  take: ReplicaSetTake,
  member: SourceMember,
  facts: ClusterFacts,
  parent: Manifest | null,
  options: SourceToTake,
): Promise<void> {
  const { repository, log } = options;
  const slices = { clusterId: options.clusterId, replicaSetName: facts.replicaSetName };
  take.captured = await openCapturedOplog(repository, slices, take);
  if (parent !== null) {
    const reason =
      (await whyNotIncremental(take, member, facts, parent)) ?? (await whyDamaged(take, repository, parent));
    take.adoptParent(parent, reason === null);
    if (reason !== null) log.info({ parent: parent.header.snapshotId, reason }, 'taking a full snapshot');
  }
  if (take.position === null) take.startOver(await member.majorityOptime(take.signal));
  assert(take.position !== null, 'an attached take has a position');
}

/**
 * A hole in the parent would be inherited. Seen by one listing of the cluster's blobs, so only up to a size at which
 * that takes a moment; beyond it `tidemark repository check` finds it.
 */
async function whyDamaged(take: ReplicaSetTake, repository: Repository, parent: Manifest): Promise<string | null> {
  if (parent.header.bytes > take.limits.parentCheckBytesMax) return null;
  const [problem] = await checkSnapshot(repository, parent, { signal: take.signal });
  return problem === undefined ? null : `the parent is damaged: ${problem.problem}`;
}

async function whyNotIncremental(
  take: ReplicaSetTake,
  member: SourceMember,
  facts: ClusterFacts,
  parent: Manifest,
): Promise<string | null> {
  const { header } = parent;
  if (header.replicaSetName !== facts.replicaSetName) return `the parent is of replica set ${header.replicaSetName}`;
  if (header.replicaSetId !== null && facts.replicaSetId !== null && header.replicaSetId !== facts.replicaSetId) {
    return 'the parent is of another replica set of the same name';
  }
  const { t, i, term } = header.position ?? header.clusterTime;
  const position = { ts: (BigInt(t) << 32n) | BigInt(i), term: BigInt(term) };
  const newest = await member.majorityOptime(take.signal);
  if (newest.ts < position.ts) return "the source is behind the parent's time: its history is another one";
  if (await oplogHolds(member, position, take.signal)) return null;
  return (await take.captured?.leadsOn(member, position)) === true
    ? null
    : "the oplog no longer reaches back to the parent's time, and no slices lead on from it";
}

async function takeOn(take: ReplicaSetTake, member: SourceMember, joint: JointTake | null): Promise<TakenState> {
  // Another member may have been read further than this one knows to be majority-committed yet.
  await majorityAtLeast(take, member, must(take.position, 'an attached take has a position').ts);
  const alone = async () => await takeAlone(take, member);
  return joint === null ? await alone() : await joint(take, member, alone);
}

/** Rounds until one ends. */
async function takeAlone(take: ReplicaSetTake, member: SourceMember): Promise<TakenState> {
  for (;;) {
    throwIfAborted(take.signal);
    try {
      const state = await takeRound(take, member);
      if (state !== null) return state;
    } catch (error) {
      if (!(error instanceof OplogGap)) throw error;
      take.log.warn({ reason: error.message }, 'the oplog was overtaken; scanning everything again');
      take.startOver(await member.majorityOptime(take.signal));
    }
    if (take.rounds >= take.limits.roundsMax) throw tooManyRounds(take);
  }
}

function tooManyRounds(take: ReplicaSetTake): Fault {
  return new Fault({
    op: 'take snapshot',
    subject: take.unfinished.join(', '),
    message: `after ${take.rounds} rounds no time was found at which everything could be read; last in the way: ${take.unfinished.join(', ')}`,
    hint: 'Raise minSnapshotHistoryWindowInSeconds on the source, or take the snapshot when less is being written',
  });
}

async function compact(
  repository: Repository,
  writer: SnapshotWriter,
  state: TakenState,
  signal: AbortSignal,
): Promise<void> {
  await writer.flush();
  for (const entry of state.collections) {
    const plan = planCompaction(entry.layers);
    if (plan !== null) entry.layers = await compactLayers(repository, writer, entry, plan, { signal });
  }
  await writer.flush();
  await repackShared(repository, writer, state.collections, { signal });
  await writer.flush();
}

function describeManifest(
  options: TakeSnapshotOptions,
  source: TakenSource,
  made: { takenAtMs: number; parent: Manifest | null; writer: SnapshotWriter },
): Manifest {
  const { collections, at, position } = source.state;
  assert(position.ts === at.ts, 'T of a replica set by itself is one of its entries');
  const finishedAtMs = options.clock.nowMs();
  const { t, i } = timestampParts(at.ts);
  assert(at.term >= 0n && at.term < 2n ** 53n, 'an election term is a small number');
  const header: ManifestHeader = {
    repositoryId: options.repository.repositoryId,
    clusterId: options.clusterId,
    clusterName: options.clusterName,
    projectId: options.projectId,
    snapshotId: options.snapshotId,
    parentSnapshotId: made.parent?.header.snapshotId ?? null,
    type: 'replicaSet',
    replicaSetName: source.facts.replicaSetName,
    replicaSetId: source.facts.replicaSetId,
    clusterTime: { t, i, term: Number(at.term) },
    takenAt: new Date(made.takenAtMs).toISOString(),
    finishedAt: new Date(finishedAtMs).toISOString(),
    mongodVersion: source.facts.mongodVersion,
    featureCompatibilityVersion: source.facts.featureCompatibilityVersion,
    collections: collections.length,
    documents: collections.reduce((sum, entry) => sum + entry.documents, 0),
    bytes: collections.reduce((sum, entry) => sum + entry.bytes, 0),
    writtenPlainBytes: made.writer.written.plainBytes,
    writtenStoredBytes: made.writer.written.storedBytes,
    retention: options.retentionAt?.(finishedAtMs) ?? options.retention,
  };
  return { header, collections };
}
