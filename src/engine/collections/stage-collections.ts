import { formatNamespace, type Namespace } from '../../bson/namespace.ts';
import { formatTimestamp } from '../../bson/timestamp.ts';
import { isAbort, throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import type { Clock } from '../../lib/clock.ts';
import { describeError, Fault } from '../../lib/errors.ts';
import { ForeignWrites } from '../../mongo/bulk-writer.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import { countOnTarget, findOnTarget, roomOnTarget } from '../../mongo/target-catalog.ts';
import type { Repository } from '../../repository/repository.ts';
import { describeLeftOut, type LeftOut } from '../left-out.ts';
import { type ReplayedOplog, replayOplog, sumReplayed } from '../replay/replay-oplog.ts';
import { buildEachIndex } from '../restore/build-indexes.ts';
import { type CollectionLoad, loadCollections } from '../restore/load-collections.ts';
import type { RestoreLosses } from '../restore/losses.ts';
import { FULL_SHARE } from '../restore/preflight/require-room.ts';
import type { PartReplay } from './backup/read-backup.ts';
import type { ChosenCollection } from './backup/select-collections.ts';
import type { CollectionRecord, RecordChange, RestoreJournal } from './collection-record.ts';
import { apart, destinationsOn, joinParts, partsBeside, stagedParts } from './stage-parts.ts';
import { type IndexStrategy, indexesFor, infoFor } from './target-form.ts';

/** One collection on its way. */
export interface Item {
  chosen: ChosenCollection;
  /** `database.collection` on the source: its name in the journal. */
  source: string;
  target: Namespace;
  /** The name that it has until it is in its place; its own from the start where it cannot be renamed (time series). */
  staged: Namespace;
  /** What the names of its other parts begin with, where it has some: see `stagedParts`. */
  partsName: string;
  /** Null before it is created. */
  uuid: string | null;
  documents: number;
  /** This attempt has made it. */
  created: boolean;
  placed: boolean;
  /** How it is made where the target does not take all its options; null where it does. */
  reducedInfo: Buffer | null;
  /** What the target refuses of it. */
  losses: RestoreLosses;
  /** Indexes are among that. */
  lacksIndexes: boolean;
  /** Why it failed, where it is this one that did. */
  failure: { state: 'FAILED' | 'INDEX_BUILD_FAILED'; reason: string } | null;
}

export interface Staging {
  repository: Repository;
  clusterId: string;
  /**
   * With a signal of its own, later than `signal`: an insert that is cut off goes on at the server, and would make the
   * collection anew after it was dropped.
   */
  target: RestoreTarget;
  journal: RestoreJournal;
  indexStrategy: IndexStrategy;
  /** What an item is said to be in while it is made. */
  state: 'IN_PROGRESS' | 'FINALIZING';
  /** All items of the restore, by source: views follow their collections. */
  items: ReadonlyMap<string, Item>;
  /** None where there is nothing to replay. */
  replays: readonly PartReplay[];
  clock: Clock;
  signal: AbortSignal;
  enter(phase: string, collections: number): void;
  /** What is being worked on, for people. */
  say(subject: string): void;
  loaded(more: { count: number; bytes: number }): void;
  /** What the point has and the target does not take. */
  leaveOut(one: LeftOut): void;
  done(): void;
}

export interface Staged {
  indexes: number;
  replayed: ReplayedOplog | null;
}

const BUCKETS = 'system.buckets.';
const CREATED_AT_ONCE = 8;
const INDEX_BUILDS_AT_ONCE = 2;
const LOOK_EVERY_MS = 1_000;

/** Makes the items whole under their staged names: created, loaded, replayed, indexed, counted. */
export async function stageCollections(staging: Staging, items: readonly Item[]): Promise<Staged> {
  assert(
    items.every((item) => !item.placed && item.chosen.kind !== 'view'),
    'what has documents is staged, before it is in its place',
  );
  assert(staging.items.size >= items.length, 'a collection of the backup is chosen once');
  staging.enter('creating collections', items.length);
  await createAll(staging, items);
  staging.enter('loading documents', items.length);
  await load(staging, items);
  const replayed = await replay(staging, items);
  if (staging.replays.length > 0) await join(staging, apart(items));
  staging.enter('building indexes', items.length);
  const indexes = await buildIndexes(staging, items);
  return { indexes, replayed };
}

/** Where an item's documents are on the target before it is in its place. */
export function documentsOf({ chosen, staged }: Item): Namespace {
  return chosen.kind === 'timeseries' ? { db: staged.db, name: BUCKETS + staged.name } : staged;
}

/** The raw listing entry to create an item by. */
export function infoOf({ items, indexStrategy }: Pick<Staging, 'items' | 'indexStrategy'>, item: Item): Buffer {
  if (item.reducedInfo !== null) return item.reducedInfo;
  return infoFor(item.chosen, {
    strategy: indexStrategy,
    nameOf: (source) => {
      const on = items.get(formatNamespace(source));
      return on?.target.db === item.target.db ? on.target.name : null;
    },
  });
}

/** Notes which item it was that failed, and how. */
export async function attempt<T>(
  { signal }: Pick<Staging, 'signal'>,
  item: Item,
  state: 'FAILED' | 'INDEX_BUILD_FAILED',
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAbort(error) && !signal.aborted) item.failure ??= { state, reason: describeError(error) };
    throw error;
  }
}

/** A time series brings its buckets along: one by one. */
async function createAll(staging: Staging, items: readonly Item[]): Promise<void> {
  const createOne = async (item: Item) => {
    throwIfAborted(staging.signal);
    await create(staging, item);
  };
  const collections = items.filter(({ chosen }) => chosen.kind === 'collection');
  await forEachConcurrently(collections, CREATED_AT_ONCE, createOne);
  for (const item of items.filter(({ chosen }) => chosen.kind !== 'collection')) await createOne(item);
}

async function create(staging: Staging, item: Item): Promise<void> {
  const { target, journal } = staging;
  const { db, name } = item.staged;
  staging.say(item.source);
  await attempt(staging, item, 'FAILED', async () => {
    // Before it is there: what is found under the name later is known to be ours.
    await journal.update(item.source, { state: staging.state, stagedName: name });
    await target.create(db, name, infoOf(staging, item));
    item.created = true;
    const documents = documentsOf(item);
    item.uuid = (await findOnTarget(target, documents))?.uuid ?? null;
    if (item.uuid === null) throw vanished(item);
    await journal.update(item.source, { stagedUuid: item.uuid });
    for (const { made } of partsBeside(item, staging)) await target.create(db, made.name, infoOf(staging, item));
  });
}

function vanished(item: Item): Fault {
  const subject = formatNamespace(item.staged);
  const message = `${subject}, which this restore had just created, is gone: somebody else drops collections there`;
  return new Fault({ op: 'restore collections', subject, message });
}

async function load(staging: Staging, items: readonly Item[]): Promise<void> {
  const { repository, clusterId, target, signal } = staging;
  const loads = items.flatMap((item) => loadsOf(item, staging));
  const open = new Map(items.map((item) => [item, item.chosen.parts.length]));
  await whileWatched(staging, items, async (stop) => {
    await loadCollections({
      ...{ repository, clusterId, target, loads },
      signal: AbortSignal.any([signal, stop]),
      began: ({ item }) => staging.say(item.source),
      loaded: ({ item }, more) => {
        item.documents += more.count;
        staging.loaded(more);
      },
      ended: async ({ item }) => {
        const left = must(open.get(item), 'what is loaded is one of the items') - 1;
        open.set(item, left);
        if (left > 0) return;
        await staging.journal.update(item.source, { restoredDocuments: item.documents });
        staging.done();
      },
      failed: ({ item }, error) => {
        if (!isAbort(error) && !signal.aborted && !stop.aborted)
          item.failure ??= { state: 'FAILED', reason: describeError(error) };
      },
    });
  });
}

/** Leaves of what several shards had what clients saw at the point. */
async function join(staging: Staging, items: readonly Item[]): Promise<void> {
  if (items.length === 0) return;
  const { target, signal } = staging;
  staging.enter('bringing together what the shards own', items.length);
  await whileWatched(staging, items, async (stop) => {
    await joinParts(items, {
      ...{ target, signal: AbortSignal.any([signal, stop]) },
      each: async (item, work) => {
        staging.say(item.source);
        await attempt({ signal: AbortSignal.any([signal, stop]) }, item, 'FAILED', work);
        staging.done();
      },
    });
  });
}

/** Does what fills the target, and stops it before the disk is full; `stop` fires then. */
async function whileWatched(
  staging: Staging,
  items: readonly Item[],
  work: (stop: AbortSignal) => Promise<void>,
): Promise<void> {
  const stop = new AbortController();
  const watching = watchLoad(staging, items, stop);
  try {
    await work(stop.signal);
  } catch (error) {
    // What made the load stop says more than that it was stopped.
    if (stop.signal.reason instanceof Fault) throw stop.signal.reason;
    const shared = items.find(({ chosen, failure }) => failure !== null && chosen.parts.length > 1);
    if (error instanceof ForeignWrites && shared !== undefined) throw sameIds(shared, error);
    throw error;
  } finally {
    stop.abort();
    await watching;
  }
}

/** Nothing keeps an _id unique across shards where it is not the shard key. */
function sameIds({ source }: Item, cause: ForeignWrites): Fault {
  return new Fault({
    op: 'restore collections',
    subject: source,
    message: `${source} has documents on several shards with the same _id, which no replica set can hold, or something else writes to the target: ${cause.message}`,
    hint: 'Download the snapshot: every shard has an archive of its own',
    cause,
  });
}

/** What each shard owns of a collection comes together in one; at a point not before each part is there. */
function loadsOf(item: Item, { replays }: Staging): (CollectionLoad & { item: Item })[] {
  assert(item.created, 'documents are loaded into what this attempt has created');
  if (replays.length > 0)
    return stagedParts(item).map(({ part: { entry }, documents }) => ({ item, entry, into: documents }));
  return item.chosen.parts.map(({ entry, owned }) => ({ item, entry, owned, into: documentsOf(item) }));
}

/** While documents are loaded: says how many, and stops before the disk is full. */
async function watchLoad(staging: Staging, items: readonly Item[], stop: AbortController): Promise<void> {
  const { clock, journal, target } = staging;
  const db = items[0]?.target.db ?? 'admin';
  const told = new Map<string, number>();
  while (!stop.signal.aborted) {
    try {
      await clock.sleep(LOOK_EVERY_MS, AbortSignal.any([staging.signal, stop.signal]));
      const changed = items.filter((item) => item.documents > (told.get(item.source) ?? 0));
      const news = new Map(changed.map((item) => [item.source, item.documents]));
      if (news.size > 0) await journal.progress(news);
      for (const [source, documents] of news) told.set(source, documents);
      const room = await roomOnTarget(target, db);
      if (room !== null && room.used > room.total * FULL_SHARE) throw diskFull(db, room);
    } catch (error) {
      if (!stop.signal.aborted) stop.abort(error);
      return;
    }
  }
}

export function diskFull(subject: string, { used, total }: { used: number; total: number }): Fault {
  const share = Math.round((used / total) * 100);
  return new Fault({
    op: 'restore collections',
    subject,
    message: `the disk of the target is full to ${share} %`,
    hint: 'Give the target more room and restore again',
  });
}

/** Each shard's entries on what it had, by UUID; none are read of a shard that has nothing of the items. */
async function replay(staging: Staging, items: readonly Item[]): Promise<ReplayedOplog | null> {
  const { target, clock, signal, leaveOut } = staging;
  const replayed: ReplayedOplog[] = [];
  for (const { shardName, plan, source } of staging.replays) {
    const into = destinationsOn(items, shardName);
    if (into.size === 0) continue;
    staging.enter('replaying the oplog', items.length);
    const of = shardName === '' ? '' : `${shardName}: `;
    const progress = (entries: number, lastTs: bigint) =>
      staging.say(`${of}${entries} of ${plan.entries} entries, up to ${formatTimestamp(lastTs)}`);
    replayed.push(await replayOplog({ target, plan, source, into, clock, signal, progress, leaveOut }));
  }
  return sumReplayed(replayed);
}

async function buildIndexes(staging: Staging, items: readonly Item[]): Promise<number> {
  let built = 0;
  await forEachConcurrently(items, INDEX_BUILDS_AT_ONCE, async (item) => {
    throwIfAborted(staging.signal);
    staging.say(item.source);
    const indexes = await attempt(staging, item, 'INDEX_BUILD_FAILED', () => buildIndexesOf(staging, item));
    // Others count meanwhile.
    built += indexes;
    staging.done();
  });
  return built;
}

async function buildIndexesOf(staging: Staging, item: Item): Promise<number> {
  const { target, journal, indexStrategy, signal } = staging;
  const { db, name } = documentsOf(item);
  assert(item.created, 'indexes are built on what this attempt has created');
  const specifications = indexesFor(item.chosen, indexStrategy);
  const { losses } = item;
  let built = 0;
  if (specifications.length > 0) {
    await journal.update(item.source, { indexState: 'IN_PROGRESS' });
    const indexes = { into: { db, name }, namespace: item.source, specifications };
    // May take long, and ends with the collection: there is no need to wait for it.
    built = await buildEachIndex(target.under(signal), indexes, { losses });
  }
  item.lacksIndexes = built < specifications.length;
  item.documents = await countOnTarget(target, { db, name });
  const counts: RecordChange = { restoredDocuments: item.documents, totalDocuments: item.documents };
  await journal.update(item.source, { ...counts, ...indexOutcome(item, indexStrategy) });
  return built;
}

function indexOutcome({ losses }: Item, strategy: IndexStrategy): Pick<CollectionRecord, 'indexState' | 'indexError'> {
  const lost = losses.list.named.filter(({ kind }) => kind === 'index').map(describeLeftOut);
  if (lost.length > 0) return { indexState: 'FAILED', indexError: lost.join('; ') };
  return { indexState: strategy === 'none' ? 'NOT_RESTORED' : 'SUCCESSFUL', indexError: null };
}
