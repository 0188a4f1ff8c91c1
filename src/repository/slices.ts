import { findElement, forEachDocument, MalformedBson } from '../bson/raw-bson.ts';
import { formatTimestamp, type Optime, type Timestamp64, timestampParts } from '../bson/timestamp.ts';
import { isAbort } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { Damage, Fault } from '../lib/errors.ts';
import { ObjectExists, ObjectMissing } from '../storage/object-store.ts';
import { envelopeKind } from './format/envelope.ts';
import {
  gapName,
  parseGapName,
  parseSliceName,
  runsOf,
  type SliceRun,
  type SliceSpan,
  sliceName,
  slicesFor,
} from './format/slice-name.ts';
import type { ReadOptions } from './reader.ts';
import type { Repository } from './repository.ts';

/** Whose oplog: a cluster, and the replica set of it. */
export interface SliceSource {
  clusterId: string;
  replicaSetName: string;
}

export interface SliceGap {
  from: Timestamp64;
  cause: string;
  at: string;
}

export interface SliceCoverage {
  runs: SliceRun[];
  gaps: SliceGap[];
  storedBytes: number;
}

export interface SliceReadOptions extends ReadOptions {
  /** Copies of the repository: what it has lost is read there. */
  copies?: readonly Repository[] | undefined;
  /** Told of a place that could not give what it should have. */
  onTrouble?: ((place: string, error: unknown) => void) | undefined;
}

export function prefixOf(repository: Repository, source: SliceSource): string {
  const nameId = repository.sealer.nameId(source.replicaSetName);
  return `oplog/${source.clusterId}/${nameId}/`;
}

/** Writes one slice. That the same slice is there already is fine: another worker was as far. */
export async function writeSlice(
  repository: Repository,
  source: SliceSource,
  entries: Buffer,
  options: ReadOptions = {},
): Promise<{ span: SliceSpan; storedBytes: number }> {
  const { first, last } = endsOf(entries, 'a slice to be written');
  const span = { first: first.ts, last: last.ts };
  const objectKey = prefixOf(repository, source) + sliceName(span);
  const object = await repository.sealer.seal(envelopeKind.slice, entries, Buffer.from(objectKey));
  try {
    await repository.store.put(objectKey, object, { ifAbsent: true, signal: options.signal });
  } catch (error) {
    if (!(error instanceof ObjectExists)) throw error;
  }
  return { span, storedBytes: object.length };
}

/** Says why a run ends at `from`, for people; that it ends there the listing shows by itself. */
export async function writeGap(
  repository: Repository,
  source: SliceSource,
  from: Timestamp64,
  cause: string,
): Promise<void> {
  assert(cause !== '', 'a gap says why it is there');
  const objectKey = prefixOf(repository, source) + gapName(from);
  const gap = { from: timestampParts(from), cause, at: new Date(repository.clock.nowMs()).toISOString() };
  const object = await repository.sealer.seal(
    envelopeKind.gap,
    Buffer.from(JSON.stringify(gap)),
    Buffer.from(objectKey),
  );
  try {
    await repository.store.put(objectKey, object, { ifAbsent: true });
  } catch (error) {
    if (!(error instanceof ObjectExists)) throw error;
  }
}

/**
 * What there is: a query on the repository, and its copies where they are named. A copy that cannot be asked adds
 * nothing.
 */
export async function readCoverage(
  repository: Repository,
  source: SliceSource,
  options: SliceReadOptions = {},
): Promise<SliceCoverage> {
  const { slices, gaps, storedBytes } = await listSlices(repository, source, options);
  for (const copy of options.copies ?? []) {
    try {
      const there = await listSlices(copy, source, options);
      slices.push(...there.slices);
      for (const gap of there.gaps) if (!gaps.some(({ from }) => from === gap.from)) gaps.push(gap);
    } catch (error) {
      if (isAbort(error)) throw error;
      options.onTrouble?.(copy.store.description, error);
    }
  }
  return { runs: runsOf(slices), gaps, storedBytes };
}

async function listSlices(
  repository: Repository,
  source: SliceSource,
  { signal }: ReadOptions,
): Promise<{ slices: SliceSpan[]; gaps: SliceGap[]; storedBytes: number }> {
  const prefix = prefixOf(repository, source);
  const slices: SliceSpan[] = [];
  const gaps: SliceGap[] = [];
  let storedBytes = 0;
  for await (const info of repository.store.list(prefix, { signal })) {
    const name = info.objectKey.slice(prefix.length);
    const span = parseSliceName(name);
    const gapFrom = parseGapName(name);
    if (span !== null) slices.push(span);
    else if (gapFrom !== null) gaps.push(await readGap(repository, info.objectKey, gapFrom, { signal }));
    storedBytes += info.sizeBytes;
  }
  return { slices, gaps, storedBytes };
}

async function readGap(
  repository: Repository,
  objectKey: string,
  from: Timestamp64,
  options: ReadOptions,
): Promise<SliceGap> {
  const object = await repository.store.get(objectKey, options);
  const payload = await repository.sealer.unseal(envelopeKind.gap, object, Buffer.from(objectKey), objectKey);
  const { cause, at } = JSON.parse(payload.toString('utf8')) as { cause: string; at: string };
  return { from, cause, at };
}

/**
 * Deletes the slices and gap notes that end at or before `ts`, but never the newest slice: the tailer goes on from its
 * last entry, and without it a restart would begin a new run. Null deletes everything. Returns the bytes freed.
 */
export async function deleteSlicesUpTo(
  repository: Repository,
  source: SliceSource,
  ts: Timestamp64 | null,
  options: ReadOptions = {},
): Promise<number> {
  const prefix = prefixOf(repository, source);
  const ended: { objectKey: string; sizeBytes: number; ends: Timestamp64; slice: boolean }[] = [];
  for await (const { objectKey, sizeBytes } of repository.store.list(prefix, options)) {
    const name = objectKey.slice(prefix.length);
    const span = parseSliceName(name);
    const ends = span?.last ?? parseGapName(name);
    if (ends !== null) ended.push({ objectKey, sizeBytes, ends, slice: span !== null });
  }
  let newest: Timestamp64 = 0n;
  for (const { ends, slice } of ended) if (slice && ends > newest) newest = ends;
  let freed = 0;
  for (const { objectKey, sizeBytes, ends } of ended) {
    if (ts !== null && (ends > ts || ends >= newest)) continue;
    await repository.store.delete(objectKey, options);
    freed += sizeBytes;
  }
  return freed;
}

/**
 * The raw entries after `from` up to and including `to`, in buffers, in order. Proves on the way that none is missing:
 * the entry at `from` must be in the first slice with its term, and every slice must begin with the entry the one
 * before it ended with, byte for byte. Rejects with a Fault where no run reaches, with Damage where a slice is missing
 * or is not what was written.
 */
export async function* readSlices(
  repository: Repository,
  source: SliceSource,
  range: { from: Optime; to: Timestamp64 },
  options: SliceReadOptions = {},
): AsyncGenerator<Buffer, void, undefined> {
  const { from, to } = range;
  if (to <= from.ts) return;
  const spans = slicesFor((await readCoverage(repository, source, options)).runs, from.ts, to);
  if (spans === null) throw notCovered(source, from.ts, to);
  assert(spans.length > 0, 'what is covered has slices');
  let before: Buffer | null = null;
  for (const span of spans) {
    const entries = await readSlice(repository, source, span, options);
    const found = entriesBetween(entries, from.ts, to);
    if (before === null) expectEntry(found.at, from, sliceName(span));
    else if (!found.firstEntry.equals(before)) {
      throw new Damage({
        op: 'read slice',
        subject: sliceName(span),
        message: `slice ${sliceName(span)} does not go on from the one before it`,
      });
    }
    before = found.lastEntry;
    if (found.entries.length > 0) yield found.entries;
  }
}

/**
 * One slice, after every check: its envelope, and that it holds whole entries, rising, from the first to the last that
 * its name says. From a copy where the repository's is lost or damaged.
 */
export async function readSlice(
  repository: Repository,
  source: SliceSource,
  span: SliceSpan,
  options: SliceReadOptions = {},
): Promise<Buffer> {
  try {
    return await readSliceThere(repository, source, span, options);
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    for (const copy of options.copies ?? []) {
      try {
        const entries = await readSliceThere(copy, source, span, options);
        options.onTrouble?.(repository.store.description, error);
        return entries;
      } catch (problem) {
        if (isAbort(problem)) throw problem;
        options.onTrouble?.(copy.store.description, problem);
      }
    }
    throw error;
  }
}

async function readSliceThere(
  repository: Repository,
  source: SliceSource,
  span: SliceSpan,
  { signal }: ReadOptions,
): Promise<Buffer> {
  const objectKey = prefixOf(repository, source) + sliceName(span);
  let object: Buffer;
  try {
    object = await repository.store.get(objectKey, { signal });
  } catch (error) {
    if (!(error instanceof ObjectMissing)) throw error;
    throw new Damage({ op: 'read slice', subject: objectKey, message: `${objectKey} is missing`, cause: error });
  }
  return await openSlice(repository, object, span, objectKey);
}

/** The entries of an object that is at hand, after the same checks. */
export async function openSlice(
  repository: Repository,
  object: Buffer,
  span: SliceSpan,
  objectKey: string,
): Promise<Buffer> {
  const entries = await repository.sealer.unseal(envelopeKind.slice, object, Buffer.from(objectKey), objectKey);
  const { first, last } = endsOf(entries, objectKey);
  if (first.ts !== span.first || last.ts !== span.last) {
    throw new Damage({
      op: 'read slice',
      subject: objectKey,
      message: `${objectKey} does not hold what its name says`,
    });
  }
  return entries;
}

/** Time and term of the last entry of a slice: where a tailer goes on. */
export async function lastEntryOf(
  repository: Repository,
  source: SliceSource,
  span: SliceSpan,
  options: ReadOptions = {},
): Promise<Optime> {
  return endsOf(await readSlice(repository, source, span, options), sliceName(span)).last;
}

/** The raw entry at `ts` among those of a slice, or null. */
export function rawEntryAt(entries: Buffer, ts: Timestamp64): Buffer | null {
  let found: Buffer | null = null;
  forEachDocument(entries, (offset, length) => {
    if (found === null && optimeAt(entries, offset).ts === ts) found = entries.subarray(offset, offset + length);
  });
  return found;
}

function optimeAt(buffer: Buffer, offset: number): Optime {
  const ts = findElement(buffer, offset, 'ts');
  const term = findElement(buffer, offset, 't');
  if (ts === null) throw new MalformedBson('an oplog entry without `ts`');
  return { ts: buffer.readBigUInt64LE(ts.start), term: term === null ? -1n : buffer.readBigInt64LE(term.start) };
}

function endsOf(entries: Buffer, subject: string): { first: Optime; last: Optime } {
  let first: Optime | null = null;
  let last: Optime | null = null;
  forEachDocument(entries, (offset) => {
    const optime = optimeAt(entries, offset);
    if (last !== null && optime.ts <= last.ts)
      throw new Damage({ op: 'read slice', subject, message: `${subject} is out of order` });
    first ??= optime;
    last = optime;
  });
  assert(first !== null && last !== null, 'a slice holds at least one entry');
  return { first, last };
}

function entriesBetween(
  entries: Buffer,
  from: Timestamp64,
  to: Timestamp64,
): { entries: Buffer; at: Optime | null; firstEntry: Buffer; lastEntry: Buffer } {
  let start = -1;
  let end = 0;
  let at: Optime | null = null;
  let firstEntry: Buffer = entries.subarray(0, 0);
  let lastEntry: Buffer = firstEntry;
  forEachDocument(entries, (offset, length) => {
    const optime = optimeAt(entries, offset);
    if (offset === 0) firstEntry = entries.subarray(0, length);
    if (optime.ts === from) at = optime;
    lastEntry = entries.subarray(offset, offset + length);
    // The first entry of a slice is the last one of the slice before it and was given there, or lies at `from`.
    if (optime.ts <= from || optime.ts > to || offset === 0) return;
    if (start < 0) start = offset;
    end = offset + length;
  });
  return { entries: start < 0 ? entries.subarray(0, 0) : entries.subarray(start, end), at, firstEntry, lastEntry };
}

function expectEntry(at: Optime | null, from: Optime, subject: string): void {
  if (at !== null && at.term === from.term) return;
  throw new Damage({
    op: 'read slice',
    subject,
    message: `slice ${subject} does not hold the entry at ${formatTimestamp(from.ts)} from which the snapshot goes on`,
  });
}

function notCovered(source: SliceSource, from: Timestamp64, to: Timestamp64): Fault {
  return new Fault({
    op: 'read slices',
    subject: source.replicaSetName,
    message: `the captured oplog of ${source.replicaSetName} does not cover ${formatTimestamp(from)} to ${formatTimestamp(to)} without a gap`,
    hint: 'Choose a point within the restorable ranges, or restore a snapshot',
  });
}
