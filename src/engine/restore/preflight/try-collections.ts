import { throwIfAborted } from '../../../lib/abort.ts';
import { describeError, Fault, isWeather, messageOf } from '../../../lib/errors.ts';
import { areWritesBlocked, asFault, refusalOf } from '../../../mongo/errors.ts';
import type { RestoreTarget } from '../../../mongo/target.ts';
import { dropFromTarget } from '../../../mongo/target-catalog.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import { indexesToBuild } from '../../index-specifications.ts';
import { makeByOplog } from '../make/make-by-oplog.ts';
import { type ReducedOptions, reducedAlike, reduceOptions } from './reduce-options.ts';
import { NoBuckets, requireBuckets } from './series-form.ts';
import { groupedByShape, type TrialSubject } from './trial-shapes.ts';

/** What is tried is made here, empty, and dropped again. Config servers take no database but their own. */
const DATABASE = 'tidemark_preflight';
const NAME = 'tidemark_preflight';
/** Also after the restore was told to stop. */
const DROP_MS_MAX = 10_000;
const BUCKETS = 'system.buckets.';
/** Nothing else has it. */
const TRIAL_UUID = '7469646d61724b40800000007472696c';

export interface TryCollectionsOptions {
  /** What the restore will create: collections and time series, then views. */
  create: readonly CollectionEntry[];
  /** What has indexes: a time series' are those of its buckets. */
  indexed: readonly CollectionEntry[];
  /** Collections are made as an oplog would have them made. */
  byOplog: boolean;
  /**
   * What is refused of an object while its documents have a place: `refuse` the whole restore, or let it be `leftOut`.
   */
  onRefusal: 'refuse' | 'leaveOut';
  /** The target in messages. */
  name: string;
  op: string;
  signal: AbortSignal;
}

/** What the target does not take as it is. */
export interface Tried {
  /** By the entries that are created: how they are made instead, and what is left out of their options. */
  reduced: ReadonlyMap<CollectionEntry, ReducedOptions>;
  /** Those whose indexes it takes as they are, as far as it can tell without documents. */
  indexed: ReadonlySet<CollectionEntry>;
  /** Why it takes no such view. */
  refusedViews: ReadonlyMap<CollectionEntry, string>;
}

/**
 * Lets the target make an empty collection, time series or view of each kind that the restore will create, with all its
 * indexes: whether it takes these options, collations and index specifications only it can tell, and after its data is
 * gone is too late to ask. A collection that it does not make at all, and whatever is no fault of one object, ends the
 * restore here. Of options that it does not take it gives the most that it does; views and indexes are asked for again
 * when they are made.
 */
export async function tryCollections(target: RestoreTarget, options: TryCollectionsOptions): Promise<Tried> {
  const isConfigServer = (await target.command('admin', { hello: 1 })).configsvr !== undefined;
  const db = isConfigServer ? 'admin' : DATABASE;
  const reduced = new Map<CollectionEntry, ReducedOptions>();
  const indexed = new Set<CollectionEntry>();
  const refusedViews = new Map<CollectionEntry, string>();
  for (const [subject, ...same] of groupedByShape(subjectsOf(options))) {
    throwIfAborted(options.signal);
    const found = await tryOne(target, db, subject, options);
    for (const { entry } of [subject, ...same]) {
      if (found.refusedView !== null) refusedViews.set(entry, found.refusedView);
      if (found.indexed) indexed.add(entry);
      // Their options are the same; what else a listing entry tells is not.
      if (found.reduced !== null)
        reduced.set(entry, { ...found.reduced, info: reducedAlike(entry.info, found.reduced.info) });
    }
  }
  return { reduced, indexed, refusedViews };
}

function subjectsOf({ create, indexed }: TryCollectionsOptions): TrialSubject[] {
  const byName = new Map(indexed.map((entry) => [`${entry.db}.${entry.name}`, entry]));
  // Stored functions are documents of a collection that is never dropped.
  const tried = create.filter(({ db, name }) => db !== 'admin' || name !== 'system.js');
  return tried.map((entry) => {
    const holder = byName.get(`${entry.db}.${entry.type === 'timeseries' ? BUCKETS : ''}${entry.name}`);
    return { entry, indexes: holder === undefined ? [] : indexesToBuild(holder.indexes, holder.info) };
  });
}

interface TriedOne {
  /** Null where it is taken as it is. */
  reduced: ReducedOptions | null;
  /** All its indexes are taken as they are. */
  indexed: boolean;
  refusedView: string | null;
}

async function tryOne(
  target: RestoreTarget,
  db: string,
  { entry, indexes }: TrialSubject,
  options: TryCollectionsOptions,
): Promise<TriedOne> {
  const name = entry.name.startsWith(BUCKETS) ? BUCKETS + NAME : NAME;
  const isSeries = entry.type === 'timeseries' || name.startsWith(BUCKETS);
  const tolerated = options.onRefusal === 'leaveOut' ? refusalOf : () => null;
  const make = async (info: Buffer) => {
    const uuid = isSeries ? TRIAL_UUID : null;
    if (options.byOplog) await makeByOplog(target, { db, name }, { type: entry.type, info, uuid });
    else await target.create(db, name, info);
  };
  const attempt = async (work: () => Promise<unknown>): Promise<string | null> => {
    try {
      await work();
      return null;
    } catch (error) {
      const problem = tolerated(error);
      if (problem === null) throw error;
      return problem;
    }
  };
  // Buckets without a series are made with one, which does not stay.
  const drop = async (from: RestoreTarget) => {
    for (const one of new Set([name, NAME])) await dropFromTarget(from, { db, name: one });
  };
  // What a process that died in the middle of this has left.
  await drop(target);
  let reduced: ReducedOptions | null = null;
  let indexed = false;
  try {
    const problem = await attempt(async () => await make(entry.info));
    if (problem !== null) {
      // It has no documents that need a place.
      if (entry.type === 'view') return { reduced, indexed, refusedView: problem };
      reduced = await reduceOptions(entry.info, async (info) => {
        const found = await attempt(async () => await make(info));
        await drop(target);
        return found;
      });
      await make(reduced?.info ?? entry.info);
    }
    const holder = entry.type === 'timeseries' ? BUCKETS + name : name;
    if (entry.type === 'timeseries') {
      const listing = { listCollections: 1, nameOnly: true, filter: { name: holder } };
      const { cursor } = await target.command(db, listing);
      requireBuckets(new Set(cursor.firstBatch.map((one: { name: string }) => one.name)), holder, options);
    }
    if (indexes.length > 0)
      await attempt(async () => {
        const { droppedOptions } = await target.createIndexes(db, holder, indexes);
        indexed = !droppedOptions;
      });
    if (entry.type !== 'view') await attempt(async () => await target.letExpire(db, name, entry.info));
  } catch (error) {
    const left = target.under(AbortSignal.timeout(DROP_MS_MAX));
    // That it could not be made is what has to be known; the next trial takes away what it left.
    await drop(left).catch(() => undefined);
    throw refusal(error, entry, options);
  }
  await drop(target);
  return { reduced, indexed, refusedView: null };
}

function refusal(error: unknown, entry: CollectionEntry, { op, name, signal }: TryCollectionsOptions): unknown {
  const cause = error instanceof Fault ? (error.cause ?? error) : error;
  if (error instanceof NoBuckets) return error;
  const fault = asFault(error, op, name);
  if (signal.aborted || isWeather(fault) || areWritesBlocked(fault)) return fault;
  const what = entry.type === 'timeseries' ? 'time series' : entry.type;
  return new Fault({
    op,
    subject: name,
    message: `the target takes no ${what} like ${entry.db}.${entry.name}: ${cause instanceof Error ? messageOf(cause) : describeError(error)}; no data of it was touched`,
    hint: 'Restore to a server of the version and feature compatibility version that the snapshot was taken on, or restore the other collections by `tidemark collection restore`',
    cause: error,
  });
}
