import { findId, forEachDocument, MalformedBson } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { ByteSet } from '../../lib/byte-set.ts';
import type { ReadPoint } from '../../mongo/collection-reader.ts';
import { readByIds } from '../../mongo/collection-reader.ts';
import { isTimeUnreadable } from '../../mongo/errors.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { LayerRef } from '../../repository/format/manifest.ts';
import type { LayerWriter } from '../../repository/writer.ts';
import type { Capture } from './capture.ts';

const IDS_PER_READ_MAX = 4_000;
const ID_BYTES_PER_READ_MAX = 2 * 1024 * 1024;

/** What a read of touched ids came to. */
export interface TouchedRead {
  layer: LayerRef;
  /**
   * Number of ids, from the first on, that the layer speaks for; less than all where the time became unreadable on the
   * way.
   */
  readIds: number;
}

/**
 * Reads the documents with the given ids and writes them as a delta: what is found is a document of the delta, what is
 * not was deleted. At `snapshot` the delta is exact at that time; at `majority` it is fuzzy, and right together with
 * what is touched afterwards. A time that leaves the server's history half way costs only the ids that are left: a
 * million ids may take longer to read than history is kept.
 */
export async function readTouched(
  capture: Capture,
  member: SourceMember,
  target: { db: string; uuid: string },
  ids: ByteSet,
  point: ReadPoint,
): Promise<TouchedRead> {
  assert(ids.size > 0, 'a delta has something to read');
  const layer = capture.writer.openLayer({ kind: 'delta' });
  let from = 0;
  try {
    // Ids that were not asked for but answer to one that was: equal numbers of another type, equal strings under a
    // collation.
    const strays = new ByteSet(1);
    while (from < ids.size) {
      const until = endOfRead(ids, from);
      await readSome(capture, member, target, ids, from, until, point, layer, strays);
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
  return { layer: await layer.close(), readIds: from };
}

function endOfRead(ids: ByteSet, from: number): number {
  let bytes = 0;
  let at = from;
  while (at < ids.size && at - from < IDS_PER_READ_MAX) {
    bytes += ids.at(at).length;
    if (bytes > ID_BYTES_PER_READ_MAX && at > from) break;
    at++;
  }
  return at;
}

async function readSome(
  capture: Capture,
  member: SourceMember,
  target: { db: string; uuid: string },
  ids: ByteSet,
  from: number,
  until: number,
  point: ReadPoint,
  layer: LayerWriter,
  strays: ByteSet,
): Promise<void> {
  const wanted: Buffer[] = [];
  for (let i = from; i < until; i++) wanted.push(ids.at(i));
  const found = new Uint8Array(until - from);
  for await (const batch of readByIds(member, target, wanted, point, capture.signal)) {
    const documents = keepWanted(batch.documents, ids, from, until, found, strays);
    await capture.meter.read(batch.count, batch.documents.length);
    if (documents.length > 0) await layer.add(documents);
  }
  for (let i = from; i < until; i++) {
    // A copy: the set's memory is its own.
    if (found[i - from] === 0) await layer.addDeleted(Buffer.from(ids.at(i)));
  }
}

/** The documents that belong to this read, moved together in the buffer; marks which ids were found. */
function keepWanted(
  documents: Buffer,
  ids: ByteSet,
  from: number,
  until: number,
  found: Uint8Array,
  strays: ByteSet,
): Buffer {
  let kept = 0;
  forEachDocument(documents, (offset, length) => {
    const id = findId(documents, offset);
    if (id === null) throw new MalformedBson('a document without _id where it was read by _id');
    const index = ids.indexOf(id.type, documents, id.start, id.end);
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
