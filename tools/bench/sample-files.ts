import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { serialize } from 'bson';
import { type SampleCollection, SampleDocuments, sampleCollections, shareOfBytes } from '../sample-documents.ts';

/**
 * The sample data as files of raw documents, so that loading it costs no generating and no encoding: that is what makes
 * the load floor a floor.
 */

const WRITE_BYTES = 1 << 20;
const READ_BYTES = 8 << 20;

export interface SampleFile {
  collection: SampleCollection;
  path: string;
  documents: number;
  bytes: number;
}

export async function writeSampleFiles(directory: string, bytes: number, seed: number): Promise<SampleFile[]> {
  const files: SampleFile[] = [];
  for (const [index, collection] of sampleCollections.entries()) {
    const file = { collection, path: join(directory, `${collection}.bson`), documents: 0, bytes: 0 };
    await pipeline(
      generate(file, new SampleDocuments(seed + index), bytes * shareOfBytes[collection]),
      createWriteStream(file.path),
    );
    files.push(file);
  }
  return files;
}

async function* generate(file: SampleFile, documents: SampleDocuments, bytes: number): AsyncGenerator<Buffer> {
  let parts: Uint8Array[] = [];
  let gathered = 0;
  while (file.bytes < bytes) {
    const document = serialize(documents.next(file.collection));
    parts.push(document);
    gathered += document.length;
    file.documents++;
    file.bytes += document.length;
    if (gathered >= WRITE_BYTES) {
      yield Buffer.concat(parts);
      parts = [];
      gathered = 0;
    }
  }
  if (gathered > 0) yield Buffer.concat(parts);
}

/** Buffers of whole documents, one after another, of up to 8 MiB and a document. */
export async function* readSampleFile(path: string): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of createReadStream(path, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
    const buffer = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    const end = endOfLastWhole(buffer);
    if (end > 0) yield buffer.subarray(0, end);
    rest = buffer.subarray(end);
  }
  if (rest.length > 0) throw new Error(`${path} ends inside a document`);
}

function endOfLastWhole(buffer: Buffer): number {
  let at = 0;
  while (at + 4 <= buffer.length && at + buffer.readInt32LE(at) <= buffer.length) at += buffer.readInt32LE(at);
  return at;
}
