import { InvalidArgumentError } from 'commander';
import { type Timestamp64, timestampOf } from '../bson/timestamp.ts';

/** How a person names a document and a time at the command line. */

/**
 * An `_id` as Extended JSON; 24 hex digits by themselves are an ObjectId, and other text that is no JSON is a string.
 */
export function parseDocumentId(text: string): unknown {
  if (/^[0-9a-fA-F]{24}$/.test(text)) return { $oid: text.toLowerCase() };
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export function parseNamespaceArgument(text: string): string {
  if (!/^[^.]+\../s.test(text)) throw new InvalidArgumentError('A collection is named database.collection.');
  return text;
}

const TIME = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.\d{3})?Z(?:\.(\d{1,10}))?$/;

/**
 * `2026-11-22T10:20:30Z`, or `2026-11-22T10:20:30Z.5` for the fifth entry within the second, as histories show times.
 */
export function parseEntryTime(text: string): Timestamp64 {
  const match = TIME.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}Z`);
  const i = Number(match?.[2] ?? 0);
  if (Number.isNaN(ms) || i > 0xffff_ffff)
    throw new InvalidArgumentError(
      'A time is 2026-11-22T10:20:30Z, or with an entry of that second 2026-11-22T10:20:30Z.5.',
    );
  return timestampOf({ t: ms / 1000, i });
}

/** A point to go up to: a second means all before it, an entry of a second that entry too. */
export function parsePoint(text: string): { ts: Timestamp64; inclusive: boolean } {
  return { ts: parseEntryTime(text), inclusive: /Z\.\d+$/.test(text) };
}
