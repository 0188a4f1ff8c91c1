import { forEachDocument } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';

/**
 * How documents are spread over the files of an export. Decided by the documents' lengths and their order alone, so
 * that an export that is taken up again makes the same files.
 */
export interface BlockLimits {
  /** A block is given once it has so many bytes of BSON; it is larger by at most a document. */
  blockBytes: number;
  /** A file ends with the block that brings it to so many bytes of BSON. One put is one file, in memory. */
  fileBytes: number;
}

export const blockLimits: BlockLimits = { blockBytes: 1024 * 1024, fileBytes: 32 * 1024 * 1024 };

export interface Block {
  /** Number of the file, from 0. */
  file: number;
  documents: Buffer<ArrayBuffer>;
  count: number;
  bytes: number;
}

export async function* cutBlocks(
  buffers: AsyncIterable<Buffer>,
  { blockBytes, fileBytes }: BlockLimits = blockLimits,
): AsyncGenerator<Block> {
  assert(blockBytes > 0 && fileBytes > 0, 'blocks and files have a size');
  let [file, bytesInFile] = [0, 0];
  let parts: Buffer[] = [];
  let [bytes, count] = [0, 0];
  const take = (): Block => {
    assert(count > 0 && bytes > 0, 'a block has documents');
    const block = { file, documents: ownBuffer(parts, bytes), count, bytes };
    bytesInFile += bytes;
    if (bytesInFile >= fileBytes) [file, bytesInFile] = [file + 1, 0];
    [parts, bytes, count] = [[], 0, 0];
    return block;
  };
  for await (const buffer of buffers) {
    let from = 0;
    const cuts: { to: number; count: number }[] = [];
    let [bytesSoFar, counted] = [bytes, count];
    forEachDocument(buffer, (offset, length) => {
      bytesSoFar += length;
      counted++;
      if (bytesSoFar < blockBytes) return;
      cuts.push({ to: offset + length, count: counted });
      [bytesSoFar, counted] = [0, 0];
    });
    for (const cut of cuts) {
      parts.push(buffer.subarray(from, cut.to));
      [bytes, count, from] = [bytes + cut.to - from, cut.count, cut.to];
      yield take();
    }
    // A copy, so that a few documents do not keep all of a blob in memory.
    if (from < buffer.length) parts.push(Buffer.from(buffer.subarray(from)));
    [bytes, count] = [bytesSoFar, counted];
  }
  if (count > 0) yield take();
}

/** A copy with a memory of its own, which a thread can be given. */
function ownBuffer(parts: readonly Buffer[], length: number): Buffer<ArrayBuffer> {
  const own = Buffer.from(new ArrayBuffer(length));
  let at = 0;
  for (const part of parts) at += part.copy(own, at);
  assert(at === length, 'the parts are as long as was counted');
  return own;
}
