import { forEachDocument } from '../bson/raw-bson.ts';
import { formatTimestamp, type Optime, type Timestamp64 } from '../bson/timestamp.ts';
import { throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import { type PositionedEntry, readOplogEntry } from '../oplog/entry.ts';
import { mayCloseChain, unfinishedChain } from '../oplog/transactions.ts';
import { isPositionLost } from './errors.ts';
import { bsonTimestamp, type SourceMember } from './source-member.ts';

/** The oplog no longer holds the entry we stood at, or holds another one there: what happened since is unknown. */
export class OplogGap extends Fault {
  override readonly name = 'OplogGap';
}

/** Reads in a row that lose their place before they come to an entry that is new. */
const OPENINGS_MAX = 5;

function oplogFind(filter: Record<string, unknown>): Record<string, unknown> {
  return { find: 'oplog.rs', filter, readConcern: { level: 'majority' }, batchSize: 10_000 };
}

/**
 * Whether the majority-committed oplog still holds exactly this entry, of this term: then everything since is in it
 * too.
 */
export async function oplogHolds(member: SourceMember, position: Optime, signal: AbortSignal): Promise<boolean> {
  const found = await entryAt(member, position.ts, signal);
  return found !== null && found.entry.term === position.term;
}

/** The majority-committed entry at `ts`, or null. */
export async function entryAt(
  member: SourceMember,
  ts: Timestamp64,
  signal: AbortSignal,
): Promise<PositionedEntry | null> {
  const session = member.startSession();
  try {
    const command = { ...oplogFind({ ts: bsonTimestamp(ts) }), limit: 1, singleBatch: true };
    const batch = await member.rawCursor('local', command, session, signal);
    return batch.count === 0 ? null : { buffer: batch.documents, entry: readOplogEntry(batch.documents, 0) };
  } finally {
    await session.endSession();
  }
}

/** The newest majority-committed entry at or before the time; read from the end, which is near. */
export async function newestEntryUpTo(member: SourceMember, ts: Timestamp64, signal: AbortSignal): Promise<Optime> {
  const session = member.startSession();
  try {
    const filter = { ts: { $lte: bsonTimestamp(ts) } };
    const command = { ...oplogFind(filter), sort: { $natural: -1 }, limit: 1, singleBatch: true };
    const batch = await member.rawCursor('local', command, session, signal);
    if (batch.count > 0) return optimeAt(batch.documents, 0);
  } finally {
    await session.endSession();
  }
  throw new OplogGap({
    op: 'read oplog',
    subject: member.host,
    message: `the oplog of ${member.host} begins after ${formatTimestamp(ts)}`,
  });
}

/**
 * The majority-committed entries from `from` up to and including `to`, raw and in order, the entry at `from` first.
 * Proves that none is missing: that entry must still be there with its term, else OplogGap; and `to` is the time of a
 * majority-committed entry, so that reading short of it is noticed.
 */
export async function* readOplogRaw(
  member: SourceMember,
  from: Optime,
  to: Timestamp64,
  signal: AbortSignal,
): AsyncGenerator<{ documents: Buffer; last: Optime }, void, undefined> {
  assert(to >= from.ts, 'an oplog interval ends at or after its start');
  let last: Optime | null = null;
  for (let opened = 1; ; opened++) {
    const position: Optime = last ?? from;
    try {
      for await (const batch of batchesFrom(member, position, to, last !== null, signal)) {
        last = optimeAt(batch, lastOffsetOf(batch));
        yield { documents: batch, last };
      }
      break;
    } catch (error) {
      if (!isPositionLost(error)) throw error;
      // The first entry of the next read proves whether the history still is where we stood.
      if (last !== null && last.ts > position.ts) opened = 0;
      if (opened >= OPENINGS_MAX) throw error;
    }
  }
  assert(last !== null, 'a read that found nothing at its start has failed');
  if (last.ts !== to) {
    throw new Fault({
      op: 'read oplog',
      subject: member.host,
      message: `the oplog of ${member.host} ended at ${formatTimestamp(last.ts)}, before the majority-committed entry ${formatTimestamp(to)}`,
      retryable: true,
    });
  }
}

/**
 * Sees an entry, and before it the entries of its transaction that lie where the reading began or earlier. A promise is
 * waited for.
 */
export type EntryVisitor = (found: PositionedEntry, earlier: PositionedEntry[]) => Promise<void> | undefined;

export interface OplogRead {
  /** Of the last entry seen. */
  last: Optime;
  entries: number;
  bytes: number;
}

/**
 * Whole entries from `position` on, the one at `position` first unless it was `seen`: then it is only looked at. Never
 * an empty buffer.
 */
async function* batchesFrom(
  member: SourceMember,
  position: Optime,
  to: Timestamp64,
  seen: boolean,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const command = oplogFind({ ts: { $gte: bsonTimestamp(position.ts), $lte: bsonTimestamp(to) } });
  let first = true;
  for await (const batch of member.rawBatches('local', command, signal)) {
    throwIfAborted(signal);
    if (batch.count === 0) continue;
    if (first) expectStart(member, optimeAt(batch.documents, 0), position);
    const documents = first && seen ? batch.documents.subarray(batch.documents.readInt32LE(0)) : batch.documents;
    first = false;
    if (documents.length > 0) yield documents;
  }
  if (first) throw gap(member, position);
}

function lastOffsetOf(documents: Buffer): number {
  let last = 0;
  forEachDocument(documents, (offset) => {
    last = offset;
  });
  return last;
}

/**
 * Reads the entries after `from` up to and including `to`, as `readOplogRaw` does, and shows each to `visit`. Returns
 * the optime of the last entry seen.
 *
 * An entry that closes a transaction brings the transaction's earlier entries with it where those lie at or before
 * `from`: `visit` sees them first.
 */
export async function readOplog(
  member: SourceMember,
  from: Optime,
  to: Timestamp64,
  signal: AbortSignal,
  visit: EntryVisitor,
): Promise<OplogRead> {
  const chainOf = async (ts: Timestamp64) => await chainBefore(ts, (at) => entryAt(member, at, signal), member.host);
  const batches = documentsOf(readOplogRaw(member, from, to, signal));
  return await visitOplog(batches, { from, chainsFrom: from.ts, chainBefore: chainOf }, visit);
}

async function* documentsOf(batches: AsyncIterable<{ documents: Buffer }>): AsyncGenerator<Buffer, void, undefined> {
  for await (const { documents } of batches) yield documents;
}

/**
 * Shows the entries after `from` of raw batches to `visit`, wherever the batches come from. Of a chain that takes
 * effect, the part at or before `chainsFrom` is fetched; the part after it was shown already.
 */
export async function visitOplog(
  batches: AsyncIterable<Buffer>,
  range: { from: Optime; chainsFrom: Timestamp64; chainBefore: (ts: Timestamp64) => Promise<PositionedEntry[]> },
  visit: EntryVisitor,
): Promise<OplogRead> {
  const { from, chainsFrom, chainBefore } = range;
  let last = from;
  let entries = 0;
  let bytes = 0;
  for await (const documents of batches) {
    bytes += documents.length;
    const found: PositionedEntry[] = [];
    forEachDocument(documents, (offset) => {
      found.push({ buffer: documents, entry: readOplogEntry(documents, offset) });
    });
    for (const next of found) {
      if (next.entry.ts <= from.ts) continue;
      assert(next.entry.ts > last.ts, 'the oplog is read in order');
      entries++;
      const closes = mayCloseChain(next.buffer, next.entry) && next.entry.previousTs <= chainsFrom;
      const working = visit(next, closes ? await chainBefore(next.entry.previousTs) : []);
      if (working !== undefined) await working;
      last = { ts: next.entry.ts, term: next.entry.term };
    }
  }
  return { last, entries, bytes };
}

function optimeAt(documents: Buffer, offset: number): Optime {
  const { ts, term } = readOplogEntry(documents, offset);
  return { ts, term };
}

function expectStart(member: SourceMember, found: Optime, from: Optime): void {
  if (found.ts !== from.ts || found.term !== from.term) throw gap(member, from);
}

function gap(member: SourceMember, from: Optime): OplogGap {
  return new OplogGap({
    op: 'read oplog',
    subject: member.host,
    message: `the oplog of ${member.host} no longer reaches back to ${formatTimestamp(from.ts)}`,
    hint: 'A larger oplog (replSetResizeOplog) lets Tidemark stay incremental over longer pauses',
  });
}

/** The parts of a transaction from `ts` back, oldest first. OplogGap where one is not there any more. */
export async function chainBefore(
  ts: Timestamp64,
  entryAt: (ts: Timestamp64) => Promise<PositionedEntry | null>,
  host: string,
): Promise<PositionedEntry[]> {
  return await unfinishedChain(ts, entryAt, (at) => {
    throw new OplogGap({
      op: 'read oplog',
      subject: host,
      message: `the oplog of ${host} no longer holds ${formatTimestamp(at)}, the beginning of a transaction that was committed later`,
      hint: 'A larger oplog (replSetResizeOplog) holds long transactions whole',
    });
  });
}
