import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import type { ListedCollection } from '../../mongo/catalog/catalog-listing.ts';
import { type ReadPoint, scanCollection } from '../../mongo/collection-reader.ts';
import { codeOf, isCollectionGone, isTimeUnreadable } from '../../mongo/errors.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { LayerRef } from '../../repository/format/manifest.ts';
import type { CollectionTake } from './collection-take.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';

export type TakenCollection = ListedCollection & { uuid: string };

/** `$_resumeAfter` names a record that is gone: the scan starts over. */
const RESUME_POINT_GONE = new Set([211 /* KeyNotFound */, 40415, 50811, 7738600]);

const NAMESPACE_NOT_FOUND = 26;

/** A rename or an index change kills cursors; so often may one collection's scan be taken up again. */
const RESUMES_MAX = 200;

/**
 * Scans the collections fuzzily, several at once. One that is dropped meanwhile is left unscanned: no later T lists it.
 */
export async function scanAll(
  take: ReplicaSetTake,
  member: SourceMember,
  collections: readonly TakenCollection[],
): Promise<void> {
  let done = 0;
  // Of an increment's few new collections a database's size says nothing.
  const isFirst = ![...take.collections.values()].some((one) => one.scanned);
  const bytesTotal = isFirst ? await estimateBytes(member, collections, take.signal) : 0;
  take.meter.enter({ phase: 'scanning', bytesTotal, collectionsDone: 0, collectionsTotal: collections.length });
  await forEachConcurrently(collections, take.limits.scansAtOnce, async (listed) => {
    throwIfAborted(take.signal);
    take.meter.update({ subject: `${listed.db}.${listed.name}` });
    await scanFuzzily(take, member, take.collection(listed));
    done++;
    take.meter.update({ collectionsDone: done });
  });
}

/**
 * What a progress bar ends at. The server keeps these figures in memory; asking about so many databases is cheaper than
 * one batch. Unknown (0) where there are more, and to a user without the right.
 */
const ESTIMATED_DATABASES_MAX = 200;
const UNAUTHORIZED = 13;

async function estimateBytes(
  member: SourceMember,
  collections: readonly TakenCollection[],
  signal: AbortSignal,
): Promise<number> {
  const databases = new Set(collections.map((one) => one.db));
  if (databases.size > ESTIMATED_DATABASES_MAX) return 0;
  let bytes = 0;
  try {
    for (const db of databases) bytes += Number((await member.command(db, { dbStats: 1 }, signal)).dataSize ?? 0);
  } catch (error) {
    if (codeOf(error) !== UNAUTHORIZED) throw error;
    return 0;
  }
  return bytes;
}

async function scanFuzzily(take: ReplicaSetTake, member: SourceMember, collection: CollectionTake): Promise<void> {
  for (;;) {
    const epoch = collection.epoch;
    const base = await scanOnce(take, member, collection);
    if (base === 'gone') return;
    if (base !== 'again' && collection.epoch === epoch) {
      take.noteFuzzyRead(await member.majorityOptime(take.signal));
      finishScan(take, collection, base);
      return;
    }
    take.log.info({ db: collection.db, uuid: collection.uuid }, 'a scan has to begin again');
  }
}

/**
 * The scan's layer; or that the collection is gone; or that the scan cannot be taken up where its cursor was killed.
 */
async function scanOnce(
  take: ReplicaSetTake,
  member: SourceMember,
  collection: CollectionTake,
): Promise<LayerRef | 'gone' | 'again'> {
  const layer = take.writer.openLayer({ kind: 'base', reuse: collection.reuse });
  let closed = false;
  let resumeAfter: Buffer | null = null;
  try {
    for (let resumes = 0; ; resumes++) {
      try {
        const options: { resumable: boolean; resumeAfter: Buffer | null } = { resumable: true, resumeAfter };
        for await (const batch of scanCollection(member, collection, { level: 'majority' }, take.signal, options)) {
          await take.meter.read(batch.count, batch.documents.length);
          if (batch.count > 0) await layer.add(batch.documents);
          resumeAfter = batch.resumeToken ?? resumeAfter;
        }
        closed = true;
        return await layer.close();
      } catch (error) {
        if (RESUME_POINT_GONE.has(codeOf(error) ?? -1)) return 'again';
        if (!isCollectionGone(error)) throw error;
        if (codeOf(error) === NAMESPACE_NOT_FOUND) return 'gone';
        if (resumes >= RESUMES_MAX) throw error;
      }
    }
  } finally {
    if (!closed) layer.abandon();
  }
}

function finishScan(take: ReplicaSetTake, collection: CollectionTake, base: LayerRef): void {
  // Deltas that were flushed while the scan ran are newer than it and stay above it.
  const deltas = collection.layers;
  assert(base.kind === 'base', 'a scan gives a base');
  assert(
    deltas.every(({ kind }) => kind === 'delta'),
    'what came while a scan ran are deltas',
  );
  collection.layers = [];
  collection.pushLayer(base);
  for (const delta of deltas.toReversed()) collection.pushLayer(delta);
  collection.scanned = true;
  collection.documents = base.documents;
  take.scannedCollections++;
}

/**
 * Reads a new collection at T itself. False where that is not possible (any more) or takes too long: then it is scanned
 * fuzzily.
 */
export async function scanAtTime(
  take: ReplicaSetTake,
  member: SourceMember,
  listed: TakenCollection,
  point: ReadPoint,
): Promise<boolean> {
  const collection = take.collection(listed);
  assert(!collection.scanned, 'only what is new is read at T whole');
  const layer = take.writer.openLayer({ kind: 'base', reuse: collection.reuse });
  const deadline = take.clock.monotonicMs() + take.limits.snapshotScanMsMax;
  let closed = false;
  try {
    for await (const batch of scanCollection(member, collection, point, take.signal)) {
      await take.meter.read(batch.count, batch.documents.length);
      if (take.clock.monotonicMs() > deadline) return false;
      if (batch.count > 0) await layer.add(batch.documents);
    }
    closed = true;
    const base = await layer.close();
    collection.forget();
    finishScan(take, collection, base);
    return true;
  } catch (error) {
    if (isTimeUnreadable(error) || isCollectionGone(error)) return false;
    throw error;
  } finally {
    if (!closed) layer.abandon();
  }
}

/** Scans a capped collection in order. What happens to it from the take's position on is told by the oplog. */
export async function scanCapped(take: ReplicaSetTake, member: SourceMember, listed: TakenCollection): Promise<void> {
  const capped = take.openCapped(listed);
  try {
    for await (const batch of scanCollection(member, capped, { level: 'majority' }, take.signal)) {
      await take.meter.read(batch.count, batch.documents.length);
      if (batch.count > 0) await capped.scanned(batch.documents, batch.count);
    }
    capped.scanEnded();
  } catch (error) {
    capped.abandon();
    take.capped.delete(listed.uuid);
    // CappedPositionLost: it was overwritten faster than it was read. The next round tries again.
    if (codeOf(error) !== 136 && !isCollectionGone(error)) throw error;
  }
}
