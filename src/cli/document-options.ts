import { InvalidArgumentError, Option } from 'commander';
import { type Timestamp64, timestampOf, timestampParts } from '../bson/timestamp.ts';
import type { ReplayEnd } from '../engine/replay/replay-interval.ts';

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

const TIME = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d{3})?Z(?:\.(\d{1,10}))?$/;

/**
 * `2026-11-22T10:20:30Z`, or `2026-11-22T10:20:30Z.5` for the fifth entry within the second, as histories show times;
 * with a space for the T, as tables do.
 */
export function parseEntryTime(text: string): Timestamp64 {
  const match = TIME.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}Z`);
  const i = Number(match?.[3] ?? 0);
  if (Number.isNaN(ms) || i > 0xffff_ffff)
    throw new InvalidArgumentError(
      'A time is 2026-11-22T10:20:30Z (UTC), or with an entry of that second 2026-11-22T10:20:30Z.5.',
    );
  return timestampOf({ t: ms / 1000, i });
}

/** A point to go up to: a second means all before it, an entry of a second that entry too. */
export function parsePoint(text: string): ReplayEnd {
  return { ts: parseEntryTime(text), inclusive: /Z\.\d+$/.test(text) };
}

/** The point before an entry: what was written at the same time or later is not in it. */
export function parseJustBefore(text: string): ReplayEnd {
  const ts = parseEntryTime(text);
  const { i } = timestampParts(ts);
  return i === 0 ? { ts, inclusive: false } : { ts: ts - 1n, inclusive: true };
}

export interface PointOptions {
  at?: ReplayEnd | undefined;
  justBefore?: ReplayEnd | undefined;
}

export const atOption = (): Option =>
  new Option(
    '--at <time>',
    'a later point of the captured oplog: 2026-11-22T10:20:30Z for all before that second, 2026-11-22T10:20:30Z.5 up to that entry; `latest` is then the newest snapshot before it',
  ).argParser(parsePoint);

export const justBeforeOption = (): Option =>
  new Option(
    '--just-before <time>',
    'as --at, but without the entry of that time: the state that a mistake at 2026-11-22T10:20:30Z.5 found',
  )
    .argParser(parseJustBefore)
    .conflicts('at');

/** The point that is asked for, under whichever name; undefined where a snapshot is meant as it is. */
export function pointAsked({ at, justBefore }: PointOptions): ReplayEnd | undefined {
  return at ?? justBefore;
}

/** As the domain asks for points: by a second, or by an entry. */
export function pointRequest({ ts, inclusive }: ReplayEnd) {
  const { t, i } = timestampParts(ts);
  return inclusive ? { oplogTs: t, oplogInc: i } : { pointInTimeUtcSeconds: t };
}
