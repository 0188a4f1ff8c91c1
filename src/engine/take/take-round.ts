import type { Optime } from '../../bson/timestamp.ts';
import { isAbort, throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import { type ListedCollection, listCollections } from '../../mongo/catalog/catalog-listing.ts';
import { isCollectionGone, isTimeUnreadable } from '../../mongo/errors.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { CollectionEntry, LayerRef } from '../../repository/format/manifest.ts';
import { collectTouched } from './collect-touched.ts';
import type { JointTime } from './joint-time.ts';
import { readTouched } from './read-touched.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';
import { scanAll, scanAtTime, scanCapped, type TakenCollection } from './scan.ts';
import { majorityAtLeast, type SettledCatalog, settleCatalog } from './settle-catalog.ts';

/** All collections at one cluster time: what a manifest says. */
export interface TakenState {
  at: Optime;
  /** The newest entry at or before T: another than T itself only where T was agreed upon with other replica sets. */
  position: Optime;
  collections: CollectionEntry[];
}

const TAIL_EVERY_MS = 1_000;

const READS_AT_ONCE = 3;

/**
 * One round of docs/consistency.md: scan what has to be scanned, choose T with its catalog, read at T what was touched.
 * Null when something could not be read at this T; what was read stays, and the next round has less to do.
 */
export async function takeRound(
  take: ReplicaSetTake,
  member: SourceMember,
  jointTime: JointTime | null = null,
): Promise<TakenState | null> {
  take.rounds++;
  take.abandonCapped();
  // On a first snapshot all is new and scanned before T is chosen; later what is new is read at T itself, which takes
  // one step less.
  const isFirst = ![...take.collections.values()].some((one) => one.scanned);
  const listed = await listCollections(member, take.signal, { cappedOnly: !isFirst });
  if (isFirst) await scanNew(take, member, listed.filter(isScannable));
  await scanCappedCollections(take, member, listed);
  take.meter.enter({ phase: 'catching up' });
  const catalog = await settleCatalog(take, member, jointTime);
  assert(take.readUpTo <= catalog.ts, 'no fuzzy read saw anything later than T');
  const unfinished = await readAtTime(take, member, catalog);
  if (unfinished.length > 0) {
    const names = unfinished.slice(0, 5).map((one) => `${one.db}.${one.name}`);
    take.log.info(
      { round: take.rounds, unfinished: unfinished.length, names },
      'collections to be read at a newer time',
    );
    take.unfinished = names;
    for (const one of unfinished) take.elusive.add(`${one.db}.${one.name}`);
    // What takes long is not done while others wait: the next round that this replica set takes by itself does it.
    if (jointTime === null) await scanNew(take, member, unfinished);
    return null;
  }
  const state = await entriesAt(take, catalog);
  if (jointTime === null || state === null) return state;
  await jointTime.round.meet(null);
  return state;
}

/** Right before T is chosen, so that little has to be carried forward. */
async function scanCappedCollections(
  take: ReplicaSetTake,
  member: SourceMember,
  listed: readonly ListedCollection[],
): Promise<void> {
  const capped = listed.filter((one) => one.capped && one.uuid !== null) as TakenCollection[];
  if (capped.length === 0) return;
  await followOplog(take, member);
  take.meter.enter({ phase: 'reading capped collections' });
  for (const one of capped) {
    throwIfAborted(take.signal);
    await scanCapped(take, member, one);
  }
}

function isScannable(listed: { uuid: string | null; capped: boolean }): listed is TakenCollection {
  return listed.uuid !== null && !listed.capped;
}

/** Scans fuzzily while the oplog is followed, so that it cannot overtake a long scan. */
async function scanNew(take: ReplicaSetTake, member: SourceMember, listed: readonly TakenCollection[]): Promise<void> {
  const toScan = listed.filter((one) => !take.collection(one).scanned);
  if (toScan.length === 0) return;
  let scanning = true;
  const scansEnded = new AbortController();
  const scans = scanAll(take, member, toScan).finally(() => {
    scanning = false;
    scansEnded.abort();
  });
  const follow = (async () => {
    while (scanning) {
      await pause(take, scansEnded.signal);
      if (scanning) await followOplog(take, member);
    }
  })();
  // Both end before anything is reported: neither may work on behind the back of a caller that goes to another member.
  const [scanned, followed] = await Promise.allSettled([scans, follow]);
  if (scanned.status === 'rejected') throw scanned.reason;
  if (followed.status === 'rejected') throw followed.reason;
}

/** Until it is time to read the oplog again, or there is no need to. */
async function pause(take: ReplicaSetTake, ended: AbortSignal): Promise<void> {
  try {
    await take.clock.sleep(TAIL_EVERY_MS, AbortSignal.any([take.signal, ended]));
  } catch (error) {
    if (!isAbort(error) || take.signal.aborted) throw error;
  }
}

/**
 * Notes what is written until the promise settles, so that the oplog cannot overtake a take that waits for others.
 */
export async function followUntil(take: ReplicaSetTake, member: SourceMember, until: Promise<void>): Promise<void> {
  const over = new AbortController();
  const waiting = until.finally(() => over.abort());
  const watched = waiting.catch(() => undefined);
  while (!over.signal.aborted) {
    await pause(take, over.signal);
    if (!over.signal.aborted) await followOplog(take, member);
  }
  await watched;
  await waiting;
}

async function followOplog(take: ReplicaSetTake, member: SourceMember): Promise<void> {
  const newest = await majorityAtLeast(take, member, must(take.position, 'a position while scanning').ts);
  await collectTouched(take, member, newest.ts);
}

/**
 * Reads at T what is pending and what is new. Returns what could not be read. Those come first that are the next to
 * become unreadable: what eluded an earlier round, then what is in a restless database, each time what is new before
 * what only changed.
 */
async function readAtTime(
  take: ReplicaSetTake,
  member: SourceMember,
  catalog: SettledCatalog,
): Promise<TakenCollection[]> {
  const point = { level: 'snapshot', atClusterTime: catalog.ts } as const;
  const unfinished: TakenCollection[] = [];
  const listed = catalog.collections.filter(isScannable);
  const isNew = (one: TakenCollection) => take.collections.get(one.uuid)?.scanned !== true;
  const haste = (one: TakenCollection) =>
    take.elusive.has(`${one.db}.${one.name}`) ? 0 : catalog.restless.has(one.db) ? 2 : 4;
  const rank = (one: TakenCollection) => haste(one) + (isNew(one) ? 0 : 1);
  const ordered = listed.toSorted((a, b) => rank(a) - rank(b));
  await forEachConcurrently(ordered, READS_AT_ONCE, async (one) => {
    throwIfAborted(take.signal);
    take.meter.update({ subject: `${one.db}.${one.name}` });
    const done = isNew(one) ? await scanAtTime(take, member, one, point) : await readPending(take, member, one, point);
    if (!done) unfinished.push(one);
  });
  return unfinished;
}

async function readPending(
  take: ReplicaSetTake,
  member: SourceMember,
  one: TakenCollection,
  point: { level: 'snapshot'; atClusterTime: bigint },
): Promise<boolean> {
  const collection = take.collection(one);
  if (collection.pending.size === 0) return true;
  if (outgrown(take, collection)) {
    collection.forget();
    return false;
  }
  const ids = collection.takePending();
  try {
    const { layer, unread } = await readTouched(take, member, collection, ids, point);
    collection.pushLayer(layer);
    collection.returnPending(ids, unread);
    return unread.length === 0;
  } catch (error) {
    collection.returnPending(ids);
    if (isTimeUnreadable(error) || isCollectionGone(error)) return false;
    throw error;
  }
}

/** So much was touched that reading the whole collection is cheaper. */
function outgrown(
  take: ReplicaSetTake,
  collection: { pending: { size: number }; layers: readonly LayerRef[] },
): boolean {
  const { rescanIdsMin, rescanShare } = take.limits;
  const held = collection.layers.at(-1)?.documents ?? 0;
  return collection.pending.size > rescanIdsMin && collection.pending.size > held * rescanShare;
}

/** The manifest's collections, or null where a capped one did not hold still. */
async function entriesAt(take: ReplicaSetTake, catalog: SettledCatalog): Promise<TakenState | null> {
  const collections: CollectionEntry[] = [];
  for (const listed of catalog.collections) {
    let layers: LayerRef[] = [];
    let documents = 0;
    if (listed.uuid !== null && listed.capped) {
      const capped = take.capped.get(listed.uuid);
      const closed = (await capped?.close()) ?? null;
      take.capped.delete(listed.uuid);
      if (capped === undefined || closed === null) {
        const reason = capped?.voidReason ?? 'it was created or could not be read in this round';
        take.log.info({ db: listed.db, name: listed.name, reason }, 'a capped collection has to be read again');
        take.unfinished = [`${listed.db}.${listed.name} (${reason})`];
        return null;
      }
      layers = closed;
      documents = capped.documents;
    } else if (listed.uuid !== null) {
      const collection = must(take.collections.get(listed.uuid), 'what is listed was taken');
      assert(collection.scanned && collection.pending.size === 0, 'a collection of a finished round is exact at T');
      layers = collection.layers;
      documents = collection.documents;
    }
    collections.push(entryOf(listed, layers, documents));
  }
  return { at: { ts: catalog.ts, term: catalog.position.term }, position: catalog.position, collections };
}

function entryOf(listed: SettledCatalog['collections'][number], layers: LayerRef[], reckoned: number): CollectionEntry {
  const held = layers.reduce((sum, layer) => sum + layer.documents, 0);
  const heldBytes = layers.reduce((sum, layer) => sum + layer.bytes, 0);
  assert(reckoned >= 0, 'documents are counted down to none at least');
  const single = layers.length === 1;
  const documents = single ? held : Math.min(reckoned, held);
  const bytes = single ? heldBytes : held === 0 ? 0 : Math.round((heldBytes / held) * documents);
  const { db, name, type, uuid, info, indexes } = listed;
  return { db, name, type, uuid, info, indexes, documents, bytes, layers };
}
