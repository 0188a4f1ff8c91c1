import { gzipSync } from 'node:zlib';
import { ExtendedJsonWriter } from './extended-json.ts';

/**
 * One block of an export: whole raw documents in, one gzip member of Extended JSON lines out. Members one after another
 * are a gzip file, so that blocks can be made in any thread.
 */
export interface BlockTranscoder {
  /** Blocks that are worth having under way at once. */
  readonly parallel: number;
  /** Takes the buffer over. */
  transcode(documents: Buffer<ArrayBuffer>, signal: AbortSignal): Promise<Buffer>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** Twice as fast as zlib's default for a few per cent more bytes. */
const GZIP_LEVEL = 3;

export function transcodeBlock(writer: ExtendedJsonWriter, documents: Buffer): Buffer<ArrayBuffer> {
  return gzipSync(writer.lines(documents), { level: GZIP_LEVEL });
}

/** In this thread: for what is small. */
export class InlineTranscoder implements BlockTranscoder {
  readonly parallel = 1;
  readonly #writer = new ExtendedJsonWriter();

  async transcode(documents: Buffer<ArrayBuffer>): Promise<Buffer> {
    return transcodeBlock(this.#writer, documents);
  }

  async close(): Promise<void> {}
}
