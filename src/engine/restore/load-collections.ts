import { formatNamespace, type Namespace } from '../../bson/namespace.ts';
import { zeroTimestampUpdates } from '../../bson/zero-timestamps.ts';
import { assert } from '../../lib/assert.ts';
import { forEachConcurrently, Semaphore } from '../../lib/bounded.ts';
import { cutBatches, type InsertBatch, insertRaw } from '../../mongo/bulk-writer.ts';
import { refusalOf } from '../../mongo/errors.ts';
import { OplogApplier } from '../../mongo/oplog-applier.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { readCollection } from '../../repository/layers/layers.ts';
import type { Repository } from '../../repository/repository.ts';
import { type Ownership, ownedDocuments } from '../sharding/shard-routing.ts';
import { bytesOfSmall, isSmall } from './make/early-indexes.ts';

const COLLECTIONS_AT_ONCE = 2;
const INSERTS_AT_ONCE = 4;
/** Small ones, of one insert each: as many as the target's client has connections. */
const SMALL_AT_ONCE = 16;
/** Of documents on their way to the target. */
const BYTES_IN_FLIGHT_MAX = 48 * 1024 * 1024;

/** A collection of a snapshot and where its documents go. */
export interface CollectionLoad {
  entry: CollectionEntry;
  into: Namespace;
  /** Of a shard's collection: which of its documents are loaded. Left out: all. */
  owned?: Ownership;
}

export interface LoadCollectionsOptions<Load extends CollectionLoad> {
  repository: Repository;
  clusterId: string;
  target: RestoreTarget;
  loads: readonly Load[];
  signal: AbortSignal;
  began(load: Load): void;
  /** Makes a small collection that is not there yet, just before it is filled. Left out: all are there. */
  make?(load: Load): Promise<void>;
  /** So many documents more are on the target. */
  loaded(load: Load, more: { count: number; bytes: number }): void;
  ended(load: Load): Promise<void>;
  /**
   * The target refuses a document of a small collection: whether what refused it is out of the way, and the collection
   * empty again, to be loaded once more. Left out: it is not.
   */
  refused?(load: Load): Promise<boolean>;
  /** What kept this collection from being loaded; the whole call rejects with it, or with what failed before. */
  failed?(load: Load, error: unknown): void;
}

/**
 * Writes the snapshot's documents of every collection, as raw as they were taken, into collections that are there and
 * empty; small ones first, which may be made on the way.
 */
export async function loadCollections<Load extends CollectionLoad>(
  options: LoadCollectionsOptions<Load>,
): Promise<void> {
  const { inserts, memory } = insertLimits();
  const each = (work: (load: Load) => Promise<void>) => async (load: Load) => {
    options.began(load);
    try {
      await work(load);
    } catch (error) {
      options.failed?.(load, error);
      throw error;
    }
    await options.ended(load);
  };
  // In the order of the snapshot, in which neighbors were stored together.
  const small = options.loads.filter(({ entry }) => isSmall(entry));
  await forEachConcurrently(
    small,
    SMALL_AT_ONCE,
    each(async (load) => await loadSmall(options, load, memory)),
  );
  const others = options.loads.filter(({ entry }) => !isSmall(entry));
  await forEachConcurrently(
    others,
    COLLECTIONS_AT_ONCE,
    each(async (load) => await loadCollection(options, load, inserts, memory)),
  );
}

/** The whole collection is in memory, so that it can be inserted by one command, and once more where it has to be. */
async function loadSmall<Load extends CollectionLoad>(
  { repository, clusterId, target, signal, make, loaded, refused }: LoadCollectionsOptions<Load>,
  load: Load,
  memory: Semaphore,
): Promise<void> {
  const { entry, into, owned = 'all' } = load;
  const ordered = entry.layers.some((layer) => layer.ordered);
  const bytesMax = bytesOfSmall(entry);
  const release = await memory.acquire(bytesMax, signal);
  try {
    const read: Buffer[] = [];
    const stored = readCollection(repository, clusterId, entry, { signal });
    for await (const documents of ownedDocuments(stored, owned)) read.push(documents);
    const batches = [...cutBatches(Buffer.concat(read))];
    const bytes = read.reduce((sum, { length }) => sum + length, 0);
    assert(bytes <= bytesMax, 'layers tell what a collection has at most');
    await make?.(load);
    const insert = async (): Promise<void> => {
      for (const batch of batches) {
        await insertRaw(target.db(into.db), into.name, batch, { ordered, signal: target.signal });
        await mendZeroTimestamps(target, into, batch);
      }
    };
    try {
      await insert();
    } catch (error) {
      if (refusalOf(error) === null || (await refused?.(load)) !== true) throw error;
      await insert();
    }
    loaded(load, { count: batches.reduce((sum, { count }) => sum + count, 0), bytes });
  } finally {
    release();
  }
}

async function loadCollection<Load extends CollectionLoad>(
  { repository, clusterId, target, signal, loaded }: LoadCollectionsOptions<Load>,
  load: Load,
  inserts: Semaphore,
  memory: Semaphore,
): Promise<void> {
  const { entry, into, owned = 'all' } = load;
  const ordered = entry.layers.some((layer) => layer.ordered);
  const documents = ownedDocuments(readCollection(repository, clusterId, entry, { signal }), owned);
  await insertAll(documents, {
    ...{ target, into, ordered, inserts, memory, signal },
    inserted: (more) => loaded(load, more),
  });
}

export interface InsertAllOptions {
  target: RestoreTarget;
  into: Namespace;
  /** One batch after another. */
  ordered: boolean;
  /** Shared with others that insert: how many batches, and how many bytes, are on their way. */
  inserts: Semaphore;
  memory: Semaphore;
  signal: AbortSignal;
  inserted(more: { count: number; bytes: number }): void;
}

/** Shared by all that are inserted at the same time. */
export function insertLimits(): Pick<InsertAllOptions, 'inserts' | 'memory'> {
  return { inserts: new Semaphore(INSERTS_AT_ONCE), memory: new Semaphore(BYTES_IN_FLIGHT_MAX) };
}

/** Inserts runs of whole documents as they come, exactly as they are. */
export async function insertAll(
  documents: AsyncIterable<Buffer>,
  { target, into, ordered, inserts, memory, signal, inserted }: InsertAllOptions,
): Promise<void> {
  const batches = async function* () {
    for await (const run of documents) {
      for (const batch of cutBatches(run)) {
        assert(batch.count > 0, 'a batch has documents');
        assert(batch.documents.length <= BYTES_IN_FLIGHT_MAX, 'a batch by itself may be in flight');
        yield { batch, release: await memory.acquire(batch.documents.length, signal) };
      }
    }
  };
  await forEachConcurrently(batches(), ordered ? 1 : INSERTS_AT_ONCE, async ({ batch, release }) => {
    try {
      const done = await inserts.acquire(1, signal);
      try {
        await insertRaw(target.db(into.db), into.name, batch, { ordered, signal: target.signal });
        await mendZeroTimestamps(target, into, batch);
      } finally {
        done();
      }
    } finally {
      release();
    }
    inserted({ count: batch.count, bytes: batch.documents.length });
  });
}

/** An insert puts the time into top-level Timestamp(0, 0) values. */
async function mendZeroTimestamps(target: RestoreTarget, into: Namespace, batch: InsertBatch): Promise<void> {
  const updates = zeroTimestampUpdates(batch.documents, target.form);
  if (updates.length === 0) return;
  const applier = new OplogApplier(target, 1);
  try {
    for (const { o, o2 } of updates) await applier.write(0, { op: 'u', namespace: formatNamespace(into), o, o2 });
    await applier.flush();
  } finally {
    await applier.settle();
  }
}
