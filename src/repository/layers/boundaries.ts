import { documentLength, findId } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { murmur3 } from '../../lib/murmur.ts';

/** How a repository cuts documents into blobs; `docs/repository-format.md` has the rule. */
export interface Chunker {
  minBytes: number;
  targetBytes: number;
  maxBytes: number;
  /** 32 bits. */
  seed: number;
}

export const defaultChunkSizes = { minBytes: 2 << 20, targetBytes: 8 << 20, maxBytes: 16 << 20 } as const;

/** A run of whole documents for the blob that is being filled. */
export interface Run {
  /** Where the run ends in the buffer; equal to the start when the blob must end before the first document. */
  end: number;
  documents: number;
  /** The blob ends with this run. */
  cut: boolean;
}

/**
 * Takes documents from `start` on, until the blob that already holds `blobBytes` is complete or the buffer ends.
 * This loop runs once for each document of a scan: it looks at an id only where the blob may end.
 */
export function nextRun(chunker: Chunker, buffer: Buffer, start: number, blobBytes: number): Run {
  assert(blobBytes >= 0 && start <= buffer.length, 'a run starts inside its buffer');
  const { minBytes, maxBytes } = chunker;
  let bytes = blobBytes;
  let documents = 0;
  let at = start;
  while (at < buffer.length) {
    const length = documentLength(buffer, at);
    if (bytes + length > maxBytes && bytes > 0) return { end: at, documents, cut: true };
    const offset = at;
    at += length;
    bytes += length;
    documents++;
    if (bytes >= minBytes && isBoundary(chunker, buffer, offset, length)) return { end: at, documents, cut: true };
  }
  return { end: at, documents, cut: false };
}

/** Whether a blob may end after the document. A document without an `_id` is never a boundary. */
export function isBoundary(chunker: Chunker, buffer: Buffer, offset: number, length: number): boolean {
  const id = findId(buffer, offset);
  if (id === null) return false;
  return murmur3(buffer, id.type, id.start, id.end, chunker.seed) % chunker.targetBytes < length;
}
