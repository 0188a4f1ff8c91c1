import { findId, forEachDocument, MalformedBson } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { ByteSet } from '../../lib/byte-set.ts';
import type { ReadPoint } from '../../mongo/collection-reader.ts';
import { readByIds } from '../../mongo/collection-reader.ts';
import { isTimeUnreadable } from '../../mongo/errors.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { LayerRef } from '../../repository/format/manifest.ts';
import type { LayerWriter } from '../../repository/writer.ts';
import { boundsOf, placesInOrder } from './ids-in-order.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';

const IDS_PER_READ_MAX = 4_000;
const ID_BYTES_PER_READ_MAX = 2 * 1024 * 1024;

/** What a read of touched ids came to. */
export interface TouchedRead {
  layer: LayerRef;
  /** Places of the ids that the layer does not speak for: some, where the time became unreadable on the way. */
  unread: Uint32Array;
}

/** The ids of one call, in the order in which they are read. */
interface Reading {
  ids: ByteSet;
  /** Their places in `ids`, in that order, and for each place where in the order it comes. */
  order: Uint32Array;
  rank: Uint32Array;
  clustered: boolean;
}

/**
 * Reads the documents with the given ids and writes them as a delta: what is found is a document of the delta, what is
 * not was deleted. At `snapshot` the delta is exact at that time; at `majority` it is fuzzy, and right together with
 * what is touched afterwards. A time that leaves the server's history half way costs only the ids that are left: a
 * million ids may take longer to read than history is kept.
 */
export async function readTouched(
  take: ReplicaSetTake,
  member: SourceMember,
  target: { db: string; uuid: string; clustered: boolean },
  ids: ByteSet,
  point: ReadPoint,
): Promise<TouchedRead> {
  assert(ids.size > 0, 'a delta has something to read');
  const reading = readingOf(ids, target.clustered);
  const layer = take.writer.openLayer({ kind: 'delta' });
  let from = 0;
  try {
    // Ids that were not asked for but answer to one that was: equal numbers of another type, equal strings under a
    // collation.
    const strays = new ByteSet(1);
    while (from < ids.size) {
      const until = endOfRead(reading, from);
      await readSome(take, member, target, reading, from, until, point, layer, strays);
      from = until;
    }
  } catch (error) {
    // Documents of the read that failed may be in the layer already: they are as of the same time, and their ids stay
    // pending.
    if (from === 0 || !isTimeUnreadable(error)) {
      layer.abandon();
      throw error;
    }
  }
  assert(from > 0 && from <= ids.size, 'a delta speaks for ids that were asked for');
  return { layer: await layer.close(), unread: reading.order.subarray(from) };
}

function readingOf(ids: ByteSet, clustered: boolean): Reading {
  const order = clustered ? placesInOrder(ids) : Uint32Array.from({ length: ids.size }, (_, place) => place);
  const rank = new Uint32Array(ids.size);
  for (const [at, place] of order.entries()) rank[place] = at;
  return { ids, order, rank, clustered };
}

function idAt({ ids, order }: Reading, at: number): Buffer {
  return ids.at(order[at] as number);
}

function endOfRead(reading: Reading, from: number): number {
  let bytes = 0;
  let at = from;
  while (at < reading.order.length && at - from < IDS_PER_READ_MAX) {
    bytes += idAt(reading, at).length;
    if (bytes > ID_BYTES_PER_READ_MAX && at > from) break;
    at++;
  }
  assert(at > from, 'a read gets on');
  return at;
}

async function readSome(
  take: ReplicaSetTake,
  member: SourceMember,
  target: { db: string; uuid: string },
  reading: Reading,
  from: number,
  until: number,
  point: ReadPoint,
  layer: LayerWriter,
  strays: ByteSet,
): Promise<void> {
  const wanted: Buffer[] = [];
  for (let i = from; i < until; i++) wanted.push(idAt(reading, i));
  const found = new Uint8Array(until - from);
  const bounds = reading.clustered ? boundsOf(wanted) : null;
  for await (const batch of readByIds(member, target, wanted, point, take.signal, bounds)) {
    const documents = keepWanted(batch.documents, reading, from, until, found, strays);
    await take.meter.read(batch.count, batch.documents.length);
    if (documents.length > 0) await layer.add(documents);
  }
  for (let i = from; i < until; i++) {
    // A copy: the set's memory is its own.
    if (found[i - from] === 0) await layer.addDeleted(Buffer.from(idAt(reading, i)));
  }
}

/** The documents that belong to this read, moved together in the buffer; marks which ids were found. */
function keepWanted(
  documents: Buffer,
  { ids, rank }: Reading,
  from: number,
  until: number,
  found: Uint8Array,
  strays: ByteSet,
): Buffer {
  let kept = 0;
  forEachDocument(documents, (offset, length) => {
    const id = findId(documents, offset);
    if (id === null) throw new MalformedBson('a document without _id where it was read by _id');
    const place = ids.indexOf(id.type, documents, id.start, id.end);
    const index = place < 0 ? -1 : (rank[place] as number);
    if (index >= from && index < until) {
      // A majority read may meet a document that was deleted and inserted again twice; either will do, for it was
      // touched since.
      if (found[index - from] === 1) return;
      found[index - from] = 1;
    } else if (index >= 0 || !strays.add(id.type, documents, id.start, id.end)) {
      // It comes, or came, with the read that asks for its own id.
      return;
    }
    documents.copyWithin(kept, offset, offset + length);
    kept += length;
  });
  return documents.subarray(0, kept);
}
