import type { Optime } from '../../bson/timestamp.ts';
import { isAbort, throwIfAborted } from '../../lib/abort.ts';
import { assert, must } from '../../lib/assert.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import { type ListedCollection, listCollections } from '../../mongo/catalog-listing.ts';
import { isCollectionGone, isTimeUnreadable } from '../../mongo/errors.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { CollectionEntry, LayerRef } from '../../repository/format/manifest.ts';
import type { Capture } from './capture.ts';
import { collectTouched } from './collect-touched.ts';
import type { JointParty } from './joint-time.ts';
import { readTouched } from './read-touched.ts';
import { scanAll, scanAtTime, scanCapped, type TakenCollection } from './scan.ts';
import { majorityAtLeast, type SettledCatalog, settleCatalog } from './settle-catalog.ts';

/** All collections at one cluster time: what a manifest says. */
export interface CapturedState {
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
export async function captureRound(
  capture: Capture,
  member: SourceMember,
  party: JointParty | null = null,
): Promise<CapturedState | null> {
  capture.rounds++;
  capture.abandonCapped();
  const listed = await listCollections(member, capture.signal);
  // On a first snapshot all is new and scanned before T is chosen; later what is new is read at T itself, which takes
  // one step less.
  if (![...capture.collections.values()].some((one) => one.scanned))
    await scanNew(capture, member, listed.filter(isScannable));
  await scanCappedCollections(capture, member, listed);
  capture.meter.enter({ phase: 'catching up' });
  const catalog = await settleCatalog(capture, member, party);
  assert(capture.readUpTo <= catalog.ts, 'no fuzzy read saw anything later than T');
  const unfinished = await readAtTime(capture, member, catalog);
  if (unfinished.length > 0) {
    const names = unfinished.slice(0, 5).map((one) => `${one.db}.${one.name}`);
    capture.log.info(
      { round: capture.rounds, unfinished: unfinished.length, names },
      'collections to be read at a newer time',
    );
    capture.unfinished = names;
    for (const one of unfinished) capture.elusive.add(`${one.db}.${one.name}`);
    // What takes long is not done while others wait: the next round that this replica set takes by itself does it.
    if (party === null) await scanNew(capture, member, unfinished);
    return null;
  }
  const state = await entriesAt(capture, catalog);
  if (party === null || state === null) return state;
  await party.round.meet(null);
  return state;
}

/** Right before T is chosen, so that little has to be carried forward. */
async function scanCappedCollections(
  capture: Capture,
  member: SourceMember,
  listed: readonly ListedCollection[],
): Promise<void> {
  const capped = listed.filter((one) => one.capped && one.uuid !== null) as TakenCollection[];
  if (capped.length === 0) return;
  await followOplog(capture, member);
  capture.meter.enter({ phase: 'reading capped collections' });
  for (const one of capped) {
    throwIfAborted(capture.signal);
    await scanCapped(capture, member, one);
  }
}

function isScannable(listed: { uuid: string | null; capped: boolean }): listed is TakenCollection {
  return listed.uuid !== null && !listed.capped;
}

/** Scans fuzzily while the oplog is followed, so that it cannot overtake a long scan. */
async function scanNew(capture: Capture, member: SourceMember, listed: readonly TakenCollection[]): Promise<void> {
  const toScan = listed.filter((one) => !capture.collection(one).scanned);
  if (toScan.length === 0) return;
  let scanning = true;
  const scansEnded = new AbortController();
  const scans = scanAll(capture, member, toScan).finally(() => {
    scanning = false;
    scansEnded.abort();
  });
  const follow = (async () => {
    while (scanning) {
      await pause(capture, scansEnded.signal);
      if (scanning) await followOplog(capture, member);
    }
  })();
  // Both end before anything is reported: neither may work on behind the back of a caller that goes to another member.
  const [scanned, followed] = await Promise.allSettled([scans, follow]);
  if (scanned.status === 'rejected') throw scanned.reason;
  if (followed.status === 'rejected') throw followed.reason;
}

/** Until it is time to read the oplog again, or there is no need to. */
async function pause(capture: Capture, ended: AbortSignal): Promise<void> {
  try {
    await capture.clock.sleep(TAIL_EVERY_MS, AbortSignal.any([capture.signal, ended]));
  } catch (error) {
    if (!isAbort(error) || capture.signal.aborted) throw error;
  }
}

/**
 * Notes what is written until the promise settles, so that the oplog cannot overtake a capture that waits for others.
 */
export async function followUntil(capture: Capture, member: SourceMember, until: Promise<void>): Promise<void> {
  const over = new AbortController();
  const waiting = until.finally(() => over.abort());
  const watched = waiting.catch(() => undefined);
  while (!over.signal.aborted) {
    await pause(capture, over.signal);
    if (!over.signal.aborted) await followOplog(capture, member);
  }
  await watched;
  await waiting;
}

async function followOplog(capture: Capture, member: SourceMember): Promise<void> {
  const newest = await majorityAtLeast(capture, member, must(capture.position, 'a position while scanning').ts);
  await collectTouched(capture, member, newest.ts);
}

/**
 * Reads at T what is pending and what is new. Returns what could not be read. Those come first that are the next to
 * become unreadable: what eluded an earlier round, then what is in a restless database, each time what is new before
 * what only changed.
 */
async function readAtTime(capture: Capture, member: SourceMember, catalog: SettledCatalog): Promise<TakenCollection[]> {
  const point = { level: 'snapshot', atClusterTime: catalog.ts } as const;
  const unfinished: TakenCollection[] = [];
  const listed = catalog.collections.filter(isScannable);
  const isNew = (one: TakenCollection) => capture.collections.get(one.uuid)?.scanned !== true;
  const haste = (one: TakenCollection) =>
    capture.elusive.has(`${one.db}.${one.name}`) ? 0 : catalog.restless.has(one.db) ? 2 : 4;
  const rank = (one: TakenCollection) => haste(one) + (isNew(one) ? 0 : 1);
  const ordered = listed.toSorted((a, b) => rank(a) - rank(b));
  await forEachConcurrently(ordered, READS_AT_ONCE, async (one) => {
    throwIfAborted(capture.signal);
    capture.meter.update({ subject: `${one.db}.${one.name}` });
    const done = isNew(one)
      ? await scanAtTime(capture, member, one, point)
      : await readPending(capture, member, one, point);
    if (!done) unfinished.push(one);
  });
  return unfinished;
}

async function readPending(
  capture: Capture,
  member: SourceMember,
  one: TakenCollection,
  point: { level: 'snapshot'; atClusterTime: bigint },
): Promise<boolean> {
  const collection = capture.collection(one);
  if (collection.pending.size === 0) return true;
  if (outgrown(capture, collection)) {
    collection.forget();
    return false;
  }
  const ids = collection.takePending();
  try {
    const { layer, unread } = await readTouched(capture, member, collection, ids, point);
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
function outgrown(capture: Capture, collection: { pending: { size: number }; layers: readonly LayerRef[] }): boolean {
  const { rescanIdsMin, rescanShare } = capture.limits;
  const held = collection.layers.at(-1)?.documents ?? 0;
  return collection.pending.size > rescanIdsMin && collection.pending.size > held * rescanShare;
}

/** The manifest's collections, or null where a capped one did not hold still. */
async function entriesAt(capture: Capture, catalog: SettledCatalog): Promise<CapturedState | null> {
  const collections: CollectionEntry[] = [];
  for (const listed of catalog.collections) {
    let layers: LayerRef[] = [];
    let documents = 0;
    if (listed.uuid !== null && listed.capped) {
      const capped = capture.capped.get(listed.uuid);
      const closed = (await capped?.close()) ?? null;
      capture.capped.delete(listed.uuid);
      if (capped === undefined || closed === null) {
        const reason = capped?.voidReason ?? 'it was created or could not be read in this round';
        capture.log.info({ db: listed.db, name: listed.name, reason }, 'a capped collection has to be read again');
        capture.unfinished = [`${listed.db}.${listed.name} (${reason})`];
        return null;
      }
      layers = closed;
      documents = capped.documents;
    } else if (listed.uuid !== null) {
      const collection = must(capture.collections.get(listed.uuid), 'what is listed was captured');
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
  const single = layers.length === 1;
  const documents = single ? held : Math.min(reckoned, held);
  const bytes = single ? heldBytes : held === 0 ? 0 : Math.round((heldBytes / held) * documents);
  const { db, name, type, uuid, info, indexes } = listed;
  return { db, name, type, uuid, info, indexes, documents, bytes, layers };
}
