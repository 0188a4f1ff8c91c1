import { documentLength, findElement, forEachElement, MalformedBson, valueLength } from '../bson/raw-bson.ts';

/** A cursor reply, its documents still as the server sent them. */
export interface RawBatch {
  /** The documents, one after another. */
  documents: Buffer;
  count: number;
  cursorId: bigint;
  /** The raw `postBatchResumeToken`, where it was asked for. */
  resumeToken: Buffer | null;
  /** The namespace the cursor is on now: a read by UUID learns the name from it. */
  ns: string;
}

/**
 * Reads the `cursor` field of a reply (a raw document: `firstBatch` or `nextBatch`, `id`, `ns`). The documents are
 * moved together within the buffer, over the array's element headers, so that a batch of 16 MiB is neither copied to
 * new memory nor decoded.
 */
export function readRawBatch(cursor: Buffer): RawBatch {
  let batch: { start: number; end: number } | null = null;
  let cursorId = 0n;
  let resumeToken: Buffer | null = null;
  let ns = '';
  forEachElement(cursor, 0, (name, element) => {
    if (name === 'firstBatch' || name === 'nextBatch') batch = { start: element.start, end: element.end };
    else if (name === 'id') cursorId = cursor.readBigInt64LE(element.start);
    else if (name === 'postBatchResumeToken') resumeToken = Buffer.from(cursor.subarray(element.start, element.end));
    else if (name === 'ns') ns = cursor.toString('utf8', element.start + 4, element.end - 1);
    return true;
  });
  if (batch === null) throw new MalformedBson('a cursor reply without a batch');
  const { start, end } = batch as { start: number; end: number };
  let read = start + 4;
  let write = start;
  let count = 0;
  const limit = end - 1;
  while (read < limit) {
    if (cursor[read] !== 0x03) throw new MalformedBson('a batch holds something other than documents');
    read++;
    while (cursor[read] !== 0) read++;
    read++;
    const length = documentLength(cursor, read);
    cursor.copyWithin(write, read, read + length);
    write += length;
    read += length;
    count++;
  }
  return { documents: cursor.subarray(start, write), count, cursorId, resumeToken, ns };
}

/** Field `name` of a raw document as raw value bytes with its type, or null. A view. */
export function rawField(document: Buffer, name: string): { type: number; value: Buffer } | null {
  const at = findElement(document, 0, name);
  return at === null ? null : { type: at.type, value: document.subarray(at.start, at.end) };
}

/** The documents of a raw array value, in order. Views. */
export function rawArrayDocuments(array: Buffer): Buffer[] {
  const documents: Buffer[] = [];
  let at = 4;
  while (at < array.length - 1) {
    const type = array[at] as number;
    at++;
    while (array[at] !== 0) at++;
    at++;
    const length = valueLength(array, type, at, array.length - 1);
    if (type !== 0x03) throw new MalformedBson('an array holds something other than documents');
    documents.push(array.subarray(at, at + length));
    at += length;
  }
  return documents;
}
