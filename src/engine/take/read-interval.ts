import { documentLength } from '../../bson/raw-bson.ts';
import { formatTimestamp, type Optime, type Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import {
  chainBefore,
  type EntryVisitor,
  entryAt,
  OplogGap,
  readOplogRaw,
  visitOplog,
} from '../../mongo/oplog-reader.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { PositionedEntry } from '../../oplog/entry.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';

/**
 * Shorter intervals are read from the source without looking whether there are new slices: a tailer is behind by up to
 * this.
 */
const REFRESH_FROM_SECONDS = 30n;

/**
 * Shows every entry after `from` up to and including `to` to `visit`, in order, none missing; returns the optime of the
 * last. What slices cover is read from them, the rest from the source, whose reading begins with the very entry at
 * which the slices end. Slices that fail in the middle are left there, and the source is read on from that entry.
 * OplogGap where the source cannot.
 */
export async function readInterval(
  take: ReplicaSetTake,
  member: SourceMember,
  from: Optime,
  to: Timestamp64,
  visit: EntryVisitor,
): Promise<Optime> {
  const { captured, meter, signal } = take;
  assert(to >= from.ts, 'an interval ends at or after its start');
  if (captured !== null && to - from.ts >= REFRESH_FROM_SECONDS << 32n) await captured.refresh();
  const findEntry = async (ts: Timestamp64) =>
    (await entryAt(member, ts, signal)) ?? (await captured?.entryAt(ts)) ?? null;
  const chains = {
    chainsFrom: from.ts,
    chainBefore: async (ts: Timestamp64) => await chainBefore(ts, findEntry, member.host),
  };
  const seam = await readStored(take, from, to, chains, visit);
  const start = seam ?? { at: from, raw: null };
  const read = await visitOplog(sourceBatches(member, start, to, signal), { from: start.at, ...chains }, visit);
  assert(read.last.ts >= start.at.ts, 'the source is read on from where the slices end');
  meter.oplogEntriesRead += read.entries;
  meter.oplogBytesRead += read.bytes;
  return read.last;
}

/** Where reading goes over from slices to the source: an entry that both have to hold. */
interface Seam {
  at: Optime;
  /** The entry's bytes in the slices; null where nothing was read from them. */
  raw: Buffer | null;
}

interface Chains {
  chainsFrom: Timestamp64;
  chainBefore: (ts: Timestamp64) => Promise<PositionedEntry[]>;
}

/** Reads as far as slices go. Null where they give nothing. */
async function readStored(
  { captured, meter }: ReplicaSetTake,
  from: Optime,
  to: Timestamp64,
  chains: Chains,
  visit: EntryVisitor,
): Promise<Seam | null> {
  const reach = captured?.reach(from.ts) ?? null;
  if (captured === null || reach === null) return null;
  let seam: Seam | null = null;
  // What `visit` rejects with is not the slices' fault and passes.
  const slices = captured.read(from, reach < to ? reach : to);
  for (;;) {
    let buffer: Buffer;
    try {
      const next = await slices.next();
      if (next.done === true) break;
      buffer = next.value;
    } catch (error) {
      captured.giveUp(error);
      break;
    }
    const read = await visitOplog(once(buffer), { from: seam?.at ?? from, ...chains }, visit);
    meter.sliceEntriesRead += read.entries;
    meter.sliceBytesRead += read.bytes;
    seam = { at: read.last, raw: lastDocument(buffer) };
  }
  assert(seam === null || seam.at.ts <= to, 'slices are read no further than asked');
  return seam;
}

async function* once(buffer: Buffer): AsyncGenerator<Buffer, void, undefined> {
  yield buffer;
}

async function* sourceBatches(
  member: SourceMember,
  { at, raw }: Seam,
  to: Timestamp64,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  let first = true;
  for await (const { documents } of readOplogRaw(member, at, to, signal)) {
    if (first && raw !== null && !documents.subarray(0, documentLength(documents, 0)).equals(raw)) {
      throw new OplogGap({
        op: 'read oplog',
        subject: member.host,
        message: `the oplog of ${member.host} has another entry at ${formatTimestamp(at.ts)} than the slices`,
      });
    }
    first = false;
    yield documents;
  }
}

function lastDocument(buffer: Buffer): Buffer {
  let at = 0;
  for (let next = 0; next < buffer.length; ) {
    at = next;
    next += documentLength(buffer, next);
  }
  assert(buffer.length > 0, 'slices give no empty buffers');
  return Buffer.from(buffer.subarray(at));
}
