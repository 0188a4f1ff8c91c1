import { formatNamespace } from '../../bson/namespace.ts';
import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import type { Clock } from '../../lib/clock.ts';
import { Fault, messageOf } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Progress, ReportProgress } from '../../lib/progress.ts';
import { foreignWrites } from '../../mongo/bulk-writer.ts';
import { connectCluster, redactUri } from '../../mongo/connection/connect.ts';
import { isDuplicateKey } from '../../mongo/errors.ts';
import { RestoreTarget } from '../../mongo/target.ts';
import { countOnTarget } from '../../mongo/target-catalog.ts';
import { readClusterFacts } from '../../mongo/topology.ts';
import type { Decisions } from '../../oplog/transactions.ts';
import type { CollectionEntry, Manifest } from '../../repository/format/manifest.ts';
import type { Repository } from '../../repository/repository.ts';
import type { LeftOut, LeftOutSummary } from '../left-out.ts';
import type { OplogSource, ReplayEnd } from '../replay/replay-interval.ts';
import { type ReplayedOplog, replayOplog } from '../replay/replay-oplog.ts';
import { planRestore, type RestorePlan, refuseVersion } from '../restore-plan.ts';
import { buildIndexes } from './build-indexes.ts';
import { leftIncomplete } from './left-incomplete.ts';
import { loadCollections } from './load-collections.ts';
import { RestoreLosses } from './losses.ts';
import { CollectionMaker, isOrdinary } from './make/collection-maker.ts';
import { isSmall } from './make/early-indexes.ts';
import { type PointInTime, planPointInTime, pointOfSnapshot } from './point-in-time.ts';
import { admitTarget } from './preflight/admit-target.ts';
import { appNameOf, endEarlierWork, type RestoreRun } from './preflight/end-earlier-work.ts';
import { whileMajorityFollows } from './preflight/follow-majority.ts';
import { requireRoom } from './preflight/require-room.ts';
import { defaultRestoreLimits, type RestoreLimits } from './preflight/restore-limits.ts';
import { type Tried, tryCollections } from './preflight/try-collections.ts';
import { isContentToBeRead, requireSound } from './preflight/verified-content.ts';
import { restoreUsers } from './restore-users.ts';

export interface RestoreSnapshotOptions {
  repository: Repository;
  clusterId: string;
  snapshotId: string;
  /** Connection string of the target: its data is replaced. */
  uri: string;
  /** Read and hash every blob before the target is touched. Existence and size are checked in any case. */
  verifyContent: boolean;
  /** Left out where that was done within this time, by this or another restore or a check; 0, or left out: never. */
  verifiedWithinMs?: number | undefined;
  /** To go on from the snapshot to a later point. Left out: the snapshot's own time. */
  pointInTime?: { end: ReplayEnd; source: OplogSource; searchTo?: Timestamp64 };
  limits?: Partial<RestoreLimits>;
  /**
   * Which restore it is, and which attempt of it: what an earlier one may have under way at the target is ended first.
   * Left out: there was none.
   */
  run?: RestoreRun;
  /** Awaited before the data of the target is touched. */
  clearing?: () => Promise<void>;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
  report: ReportProgress;
}

export interface RestoredSnapshot {
  documents: number;
  bytes: number;
  collections: number;
  indexes: number;
  loadMs: number;
  indexMs: number;
  /** Null where nothing was asked for beyond the snapshot. */
  replayed: ReplayedOplog | null;
  /** What the target could not be given, because it refuses it. */
  leftOut: LeftOutSummary;
}

const INDEX_BUILDS_AT_ONCE = 2;
const REPORT_EVERY_MS = 250;

/**
 * Makes a replica set hold exactly what the source held at the snapshot's time, or at a later point that the oplog
 * reaches: preflight, clear, create, load, replay, indexes, views, users. The target is touched only after the
 * repository, the oplog and the target have passed every check. A failure after that says so: the target is then
 * incomplete and the restore has to be run again. An index, view, option, user or role that the target refuses is left
 * out by name, and costs nothing else.
 */
export async function restoreSnapshot(options: RestoreSnapshotOptions, manifest: Manifest): Promise<RestoredSnapshot> {
  const { snapshotId, signal, clock } = options;
  if (manifest.header.type !== 'replicaSet') {
    throw new Fault({
      op: 'restore',
      subject: snapshotId,
      message: `snapshot ${snapshotId} is of a sharded cluster and cannot be restored to a replica set`,
    });
  }
  const restore = new Restore(options, manifest);
  await restore.verify();
  const client = await connectCluster(options.uri, { signal, appName: appNameOf(options.run) });
  try {
    const target = await restore.preflight(new RestoreTarget(client, signal));
    await options.clearing?.();
    try {
      return await restore.follow(target, async (followed) => await restore.run(followed));
    } catch (error) {
      throw leftIncomplete(error, { uri: options.uri, phase: restore.progress.phase, signal });
    }
  } finally {
    await client.close();
    options.log.debug({ snapshotId, ms: clock.monotonicMs() - restore.startedMs }, 'restore ended');
  }
}

/**
 * One replica set's restore, step by step: `restoreSnapshot` takes the steps one after another, a sharded restore those
 * of its replica sets side by side.
 */
export class Restore {
  readonly progress: Progress = { phase: 'verifying the repository', documentsDone: 0, bytesDone: 0 };
  readonly startedMs: number;
  readonly #options: RestoreSnapshotOptions;
  readonly #manifest: Manifest;
  #point: PointInTime;
  /** Documents, by the entry that they are of. */
  readonly #loaded = new Map<CollectionEntry, number>();
  #tried: Pick<Tried, 'reduced' | 'indexed'> = { reduced: new Map(), indexed: new Set() };
  readonly #losses: RestoreLosses;
  #reportedMs = Number.NEGATIVE_INFINITY;

  /** `ofShard`: collections keep their UUIDs, and `config` is left to whoever restores the routing. */
  readonly #ofShard: boolean;

  constructor(options: RestoreSnapshotOptions, manifest: Manifest, ofShard = false) {
    const { clusterId, snapshotId } = manifest.header;
    assert(
      clusterId === options.clusterId && snapshotId === options.snapshotId,
      'the manifest is that of the snapshot',
    );
    this.#options = options;
    this.#ofShard = ofShard;
    this.#losses = new RestoreLosses(options.log);
    this.#manifest = manifest;
    this.#point = pointOfSnapshot(options.repository, options.clusterId, manifest, options.signal);
    this.startedMs = options.clock.monotonicMs();
  }

  /** What the target will hold; before `verify` that of the snapshot. */
  get point(): PointInTime {
    return this.#point;
  }

  /**
   * Everything that will be read is there, of the right size and, where asked for, of the right content: whether all
   * was read for that.
   */
  async verify(): Promise<boolean> {
    const verifyContent = await isContentToBeRead(this.#options);
    this.#enter(verifyContent ? 'verifying every blob' : 'verifying the repository');
    // Stored bytes, which are no part of what will have been restored.
    const report = ({ bytesDone }: Progress) => this.#options.report({ ...this.progress, bytesDone });
    await requireSound({ ...this.#options, verifyContent, isPart: this.#ofShard, report }, this.#manifest);
    await this.#planReplay();
    return verifyContent;
  }

  /** Plans the replay anew, with what is known of transactions from the other replica sets of the cluster. */
  async decide(decisions: Decisions): Promise<void> {
    assert(this.#point.plan !== null, 'what is decided was planned');
    await this.#planReplay(decisions);
  }

  /** Reads the whole oplog up to the point, so that what cannot be replayed is known now. */
  async #planReplay(decisions?: Decisions): Promise<void> {
    const { pointInTime, repository, clusterId, log, signal } = this.#options;
    if (pointInTime === undefined) return;
    this.#enter('verifying the oplog');
    const options = {
      ...pointInTime,
      ...(decisions === undefined ? {} : { decisions }),
      signal,
      progress: (entries: number, lastTs: Timestamp64) =>
        this.#update({ subject: `${entries} entries, up to ${formatTimestamp(lastTs)}` }),
    };
    const source = this.#ofShard ? 'ofShardedCluster' : 'replicaSet';
    this.#point = await planPointInTime(repository, clusterId, this.#manifest, options, source);
    const { plan } = this.#point;
    if (plan !== null && plan.undecided.length > 0)
      log.warn(
        { transactions: plan.undecided.length },
        `the oplog does not tell the outcome of prepared transactions; ${this.#ofShard ? 'asking the other replica sets' : 'they are left out'}`,
      );
  }

  /** All that can be known of the target before its data is touched. Gives it in the form to work with. */
  async preflight(connected: RestoreTarget): Promise<RestoreTarget> {
    this.#enter('checking the target');
    const name = redactUri(this.#options.uri);
    const facts = await readClusterFacts(connected.client, name);
    refuseVersion({ ...this.#manifest.header, ...this.#point.server }, facts);
    await this.#requirePrimary(connected, name);
    const about = { op: 'restore', name };
    const { majorityMsMax } = this.#limits;
    const target = await admitTarget(connected, { ...about, facts, majorityMsMax });
    await endEarlierWork(target, { run: this.#options.run, name, clock: this.#options.clock });
    await target.requireAccountRights();
    const plan = this.#plan();
    await requireRoom(target, plan.load, about);
    const trial = { create: [...plan.create, ...plan.views], indexed: plan.load, byOplog: this.#ofShard };
    const { signal } = this.#options;
    await this.follow(target, async (followed) => {
      this.#tried = await tryCollections(followed, { ...about, ...trial, onRefusal: 'leaveOut', signal });
    });
    return target;
  }

  async #requirePrimary(target: RestoreTarget, name: string): Promise<void> {
    const hello = await target.command('admin', { hello: 1 });
    if (!this.#ofShard && hello.configsvr !== undefined) {
      throw new Fault({
        op: 'restore',
        subject: name,
        message: `${name} leads to the config servers of a sharded cluster, whose routing metadata a replica set's snapshot would replace; they were not touched`,
      });
    }
    if (hello.isWritablePrimary === true) return;
    throw new Fault({
      op: 'restore',
      subject: name,
      message: `${name} has no primary that can be written to`,
      retryable: true,
      hint: 'Restore to the whole replica set (no directConnection to a secondary) once it has a primary',
    });
  }

  get #limits(): RestoreLimits {
    return { ...defaultRestoreLimits, ...this.#options.limits };
  }

  get #collections(): readonly CollectionEntry[] {
    return this.#point.collections.filter((entry) => !this.#ofShard || entry.db !== 'config');
  }

  #plan(): RestorePlan {
    return planRestore(this.#collections);
  }

  /** Does what waits for majorities of the target, bounded: see `whileMajorityFollows`. */
  async follow<T>(target: RestoreTarget, work: (target: RestoreTarget) => Promise<T>): Promise<T> {
    const { uri, clock, signal } = this.#options;
    const about = { name: redactUri(uri), phase: () => this.progress.phase, limits: this.#limits };
    return await whileMajorityFollows(target, { ...about, clock, signal }, work);
  }

  async run(target: RestoreTarget): Promise<RestoredSnapshot> {
    const { clock } = this.#options;
    const { accessControl } = this.#point;
    const collections = this.#collections;
    const plan = this.#plan();
    for (const { db, name } of plan.leftOut)
      this.#options.log.warn({ db, name }, 'a temporary or stray collection of the source cannot be restored');
    for (const one of this.#point.plan?.leftOut ?? []) this.#losses.add(one);
    this.#enter('clearing the target');
    await target.clear({ config: !this.#ofShard });
    this.#enter('creating collections');
    const maker = this.#maker(target);
    // Making one keeps the server busy with other things than filling another: small ones are made as they are filled.
    const small = new Set(plan.load.filter((entry) => isOrdinary(entry) && isSmall(entry)));
    await maker.makeAll(plan.create.filter((entry) => !small.has(entry)));
    this.#enter('loading documents', {
      bytesTotal: this.#manifest.header.bytes,
      collectionsDone: 0,
      collectionsTotal: plan.load.length,
    });
    const loadStartedMs = clock.monotonicMs();
    await this.#load(target, plan.load, { maker, small });
    const loadMs = clock.monotonicMs() - loadStartedMs;
    assert(this.progress.collectionsDone === plan.load.length, 'every collection was loaded');
    const replayed = await this.#replay(target);
    const indexStartedMs = clock.monotonicMs();
    this.#enter('building indexes', { collectionsDone: 0, collectionsTotal: plan.load.length });
    const indexes = await this.#buildIndexes(target, plan.load, maker);
    const indexMs = clock.monotonicMs() - indexStartedMs;
    this.#enter('creating views');
    for (const view of plan.views) await this.#createView(maker, view);
    this.#enter('letting documents expire');
    for (const entry of plan.create) await this.#letExpire(target, entry);
    this.#enter('restoring users and roles');
    await restoreUsers(target, accessControl, this.#losses);
    this.#enter('waiting for a majority');
    await target.settle();
    const { documentsDone: documents, bytesDone: bytes } = this.progress;
    const { list: leftOut } = this.#losses;
    return { documents, bytes, collections: collections.length, indexes, loadMs, indexMs, replayed, leftOut };
  }

  #maker(target: RestoreTarget): CollectionMaker {
    const [tried, losses] = [this.#tried, this.#losses];
    const buckets = new Map(this.#collections.map((entry) => [formatNamespace(entry), entry.uuid]));
    const ofShard = this.#ofShard
      ? { bucketsUuid: ({ db, name }: CollectionEntry) => buckets.get(`${db}.system.buckets.${name}`) ?? null }
      : null;
    // What is replayed may bring any number of documents, also such as an index of the point would have refused before.
    const mayIndexEarly = this.#point.plan === null;
    return new CollectionMaker({ target, ofShard, tried, mayIndexEarly, losses });
  }

  async #createView(maker: CollectionMaker, view: CollectionEntry): Promise<void> {
    const item = { namespace: formatNamespace(view), kind: 'view', name: view.name } as const;
    await this.#losses.unlessRefused(item, async () => await maker.make(view));
  }

  async #letExpire(target: RestoreTarget, { db, name, info }: CollectionEntry): Promise<void> {
    const item = { namespace: `${db}.${name}`, kind: 'option', name: 'expireAfterSeconds' } as const;
    await this.#losses.unlessRefused(item, async () => await target.letExpire(db, name, info));
  }

  async #replay(target: RestoreTarget): Promise<ReplayedOplog | null> {
    const { pointInTime, clock, signal } = this.#options;
    const { plan } = this.#point;
    assert((plan === null) === (pointInTime === undefined), 'a point has a plan, and a snapshot has none');
    if (plan === null || pointInTime === undefined) return null;
    this.#enter('replaying the oplog');
    const progress = (entries: number, lastTs: Timestamp64) =>
      this.#update({ subject: `${entries} of ${plan.entries} entries, up to ${formatTimestamp(lastTs)}` });
    const leaveOut = (one: LeftOut) => this.#losses.add(one);
    return await replayOplog({ target, plan, source: pointInTime.source, clock, signal, progress, leaveOut });
  }

  async #load(
    target: RestoreTarget,
    entries: readonly CollectionEntry[],
    { maker, small }: { maker: CollectionMaker; small: ReadonlySet<CollectionEntry> },
  ): Promise<void> {
    const { repository, clusterId, signal } = this.#options;
    await loadCollections({
      ...{ repository, clusterId, target, signal },
      loads: entries.map((entry) => ({ entry, into: entry })),
      make: async ({ entry }) => {
        if (small.has(entry)) await maker.make(entry);
      },
      refused: async ({ entry }) => await maker.withdrawIndexes(entry),
      began: ({ entry }) => this.#update({ subject: formatNamespace(entry) }),
      loaded: ({ entry }, { count, bytes }) => {
        this.#loaded.set(entry, (this.#loaded.get(entry) ?? 0) + count);
        this.progress.documentsDone += count;
        this.progress.bytesDone += bytes;
        this.#update({});
      },
      ended: async () => this.#update({ collectionsDone: (this.progress.collectionsDone ?? 0) + 1 }),
    });
  }

  async #buildIndexes(
    target: RestoreTarget,
    entries: readonly CollectionEntry[],
    maker: CollectionMaker,
  ): Promise<number> {
    let built = 0;
    await forEachConcurrently(entries, INDEX_BUILDS_AT_ONCE, async (entry) => {
      this.#update({ subject: formatNamespace(entry) });
      const otherCause = async (error: unknown) => await this.#foreignCause(target, entry, error);
      // Others count meanwhile.
      const indexes =
        maker.indexesOf(entry) ?? (await buildIndexes(target, entry, { losses: this.#losses, otherCause }));
      built += indexes;
      this.#update({ collectionsDone: (this.progress.collectionsDone ?? 0) + 1 });
    });
    return built;
  }

  /**
   * A unique index meets a key twice where the source had it so, which no server lets happen, or where somebody else
   * wrote it.
   */
  async #foreignCause(target: RestoreTarget, entry: CollectionEntry, error: unknown): Promise<Fault | null> {
    if (!isDuplicateKey(error) || this.#point.plan !== null) return null;
    const isForeign = (await countOnTarget(target, entry)) !== this.#loaded.get(entry);
    return isForeign ? foreignWrites(formatNamespace(entry), messageOf(error)) : null;
  }

  #enter(phase: string, state: Partial<Progress> = {}): void {
    delete this.progress.subject;
    delete this.progress.collectionsDone;
    delete this.progress.collectionsTotal;
    Object.assign(this.progress, { phase, ...state });
    this.#report(true);
  }

  #update(state: Partial<Progress>): void {
    Object.assign(this.progress, state);
    this.#report(false);
  }

  #report(always: boolean): void {
    const now = this.#options.clock.monotonicMs();
    if (!always && now - this.#reportedMs < REPORT_EVERY_MS) return;
    this.#reportedMs = now;
    this.#options.report({ ...this.progress });
  }
}
