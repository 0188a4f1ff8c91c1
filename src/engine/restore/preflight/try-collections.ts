import { throwIfAborted } from '../../../lib/abort.ts';
import { describeError, Fault, messageOf } from '../../../lib/errors.ts';
import { asFault, isMemberLost } from '../../../mongo/errors.ts';
import type { RestoreTarget } from '../../../mongo/target.ts';
import { dropFromTarget } from '../../../mongo/target-catalog.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import { indexesToBuild } from '../../index-specifications.ts';
import { distinctShapes, type TrialSubject } from './trial-shapes.ts';

/** What is tried is made here, empty, and dropped again. Config servers take no database but their own. */
const DATABASE = 'tidemark_preflight';
const NAME = 'tidemark_preflight';
/** Also after the restore was told to stop. */
const DROP_MS_MAX = 10_000;
const BUCKETS = 'system.buckets.';

export interface TryCollectionsOptions {
  /** What the restore will create: collections and time series, then views. */
  create: readonly CollectionEntry[];
  /** What has indexes: a time series' are those of its buckets. */
  indexed: readonly CollectionEntry[];
  /** Collections are made as an oplog would have them made. */
  byOplog: boolean;
  /** The target in messages. */
  name: string;
  op: string;
  signal: AbortSignal;
}

/**
 * Lets the target make an empty collection, time series or view of each kind that the restore will create, with all its
 * indexes: whether it takes these options, collations and index specifications only it can tell, and after its data is
 * gone is too late to ask.
 */
export async function tryCollections(target: RestoreTarget, options: TryCollectionsOptions): Promise<void> {
  const isConfigServer = (await target.command('admin', { hello: 1 })).configsvr !== undefined;
  const db = isConfigServer ? 'admin' : DATABASE;
  for (const subject of distinctShapes(subjectsOf(options))) {
    throwIfAborted(options.signal);
    await tryOne(target, db, subject, options);
  }
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

async function tryOne(
  target: RestoreTarget,
  db: string,
  { entry, indexes }: TrialSubject,
  options: TryCollectionsOptions,
): Promise<void> {
  const name = entry.name.startsWith(BUCKETS) ? BUCKETS + NAME : NAME;
  // What a process that died in the middle of this has left.
  await dropFromTarget(target, { db, name });
  try {
    if (options.byOplog && entry.type === 'collection') await target.createByOplog(db, name, entry.info, null);
    else await target.create(db, name, entry.info);
    const holder = entry.type === 'timeseries' ? BUCKETS + name : name;
    if (indexes.length > 0) await target.createIndexes(db, holder, indexes);
    if (entry.type !== 'view') await target.letExpire(db, name, entry.info);
  } catch (error) {
    const left = target.under(AbortSignal.timeout(DROP_MS_MAX));
    // That it could not be made is what has to be known; the next trial takes away what it left.
    await dropFromTarget(left, { db, name }).catch(() => undefined);
    throw refusal(error, entry, options);
  }
  await dropFromTarget(target, { db, name });
}

function refusal(error: unknown, entry: CollectionEntry, { op, name, signal }: TryCollectionsOptions): unknown {
  const cause = error instanceof Fault ? (error.cause ?? error) : error;
  if (signal.aborted || isMemberLost(cause)) return asFault(error, op, name);
  const what = entry.type === 'timeseries' ? 'time series' : entry.type;
  return new Fault({
    op,
    subject: name,
    message: `the target takes no ${what} like ${entry.db}.${entry.name}: ${cause instanceof Error ? messageOf(cause) : describeError(error)}; no data of it was touched`,
    hint: 'Restore to a server of the version and feature compatibility version that the snapshot was taken on, or restore the other collections by `tidemark collection restore`',
    cause: error,
  });
}
