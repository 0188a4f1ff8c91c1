import { gzipSync } from 'node:zlib';
import { documentOf, fieldsOf } from '../../bson/raw-bson.ts';
import { LEFT_OUT_NAMED_MAX } from '../left-out.ts';
import { canonicalJson, ExtendedJsonWriter } from './extended-json.ts';

export interface TranscodeOptions {
  signal: AbortSignal;
  /** False: only what has no line is wanted. */
  compress: boolean;
}

export interface Transcoded {
  /** A gzip member; empty where it was not asked for. */
  member: Buffer;
  /** Documents that have no line, because a reader would take them for others. */
  leftOut: number;
  /** The `_id` of the first of them, as Extended JSON. */
  leftOutIds: string[];
}

/**
 * One block of an export: whole raw documents in, one gzip member of Extended JSON lines out. Members one after another
 * are a gzip file, so that blocks can be made in any thread.
 */
export interface BlockTranscoder {
  /** Blocks that are worth having under way at once. */
  readonly parallel: number;
  /** Takes the buffer over. */
  transcode(documents: Buffer<ArrayBuffer>, how: TranscodeOptions): Promise<Transcoded>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

/** Twice as fast as zlib's default for a few per cent more bytes. */
const GZIP_LEVEL = 3;

export function transcodeBlock(
  writer: ExtendedJsonWriter,
  documents: Buffer,
  compress: boolean,
): Transcoded & { member: Buffer<ArrayBuffer> } {
  const leftOut: Buffer[] = [];
  const lines = writer.lines(documents, leftOut);
  const member = compress ? gzipSync(lines, { level: GZIP_LEVEL }) : Buffer.alloc(0);
  return { member, leftOut: leftOut.length, leftOutIds: leftOut.slice(0, LEFT_OUT_NAMED_MAX).map(idText) };
}

/** As far as it is worth reading. */
const ID_TEXT_MAX = 200;

function idText(document: Buffer): string {
  const id = fieldsOf(document, 0).find(({ name }) => name === '_id');
  if (id === undefined) return 'without _id';
  const text = canonicalJson(documentOf([id])).slice('{"_id":'.length, -1);
  return text.length <= ID_TEXT_MAX ? text : `${text.slice(0, ID_TEXT_MAX)}…`;
}

/** In this thread: for what is small. */
export class InlineTranscoder implements BlockTranscoder {
  readonly parallel = 1;
  readonly #writer = new ExtendedJsonWriter();

  async transcode(documents: Buffer<ArrayBuffer>, { compress }: TranscodeOptions): Promise<Transcoded> {
    return transcodeBlock(this.#writer, documents, compress);
  }

  async close(): Promise<void> {}
}
