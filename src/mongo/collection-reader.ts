import { type ClientSession, type Document, UUID } from 'mongodb';
import { RawValue, rawArray } from '../bson/raw-value.ts';
import type { Timestamp64 } from '../bson/timestamp.ts';
import type { RawBatch } from './raw-reply.ts';
import { bsonTimestamp, FIRST_BATCH_DOCUMENTS, type SourceMember } from './source-member.ts';

/**
 * Of a scan. Left to itself the server fills 16 MiB, of which a reader holds four at times: the batch at work, the next
 * one, and that in the pieces in which it arrives.
 */
const BATCH_BYTES = 2 << 20;

/**
 * A collection as reads name it: by UUID, because a name may be another collection a moment later. The database never
 * changes.
 */
export interface CollectionTarget {
  db: string;
  uuid: string;
}

/** What a read sees: the majority-committed state of the moment, or the state at one cluster time. */
export type ReadPoint = { level: 'majority' } | { level: 'snapshot'; atClusterTime: Timestamp64 };

function readConcern(point: ReadPoint): Document {
  if (point.level === 'majority') return { level: 'majority' };
  return { level: 'snapshot', atClusterTime: bsonTimestamp(point.atClusterTime) };
}

/**
 * Reads a whole collection in natural order, raw. `resumeAfter` continues after a batch's `resumeToken` on the same
 * member; the server refuses it where that record is gone (KeyNotFound), and the caller starts over.
 */
export function scanCollection(
  member: SourceMember,
  target: CollectionTarget,
  point: ReadPoint,
  signal: AbortSignal,
  options: { resumeAfter?: Buffer | null; resumable?: boolean } = {},
): AsyncGenerator<RawBatch, void, undefined> {
  const command: Document = {
    find: new UUID(target.uuid),
    hint: { $natural: 1 },
    readConcern: readConcern(point),
    batchSize: FIRST_BATCH_DOCUMENTS,
    noCursorTimeout: true,
  };
  if (options.resumable || options.resumeAfter) command.$_requestResumeToken = true;
  if (options.resumeAfter) command.$_resumeAfter = new RawValue('$_resumeAfter', 0x03, options.resumeAfter);
  return member.rawBatches(target.db, command, signal, { batchBytes: BATCH_BYTES });
}

/**
 * Reads the documents with these ids (type byte, then value), raw, in no particular order. With `bounds` only between
 * those two: they must hold all of the ids.
 */
export async function* readByIds(
  member: SourceMember,
  target: CollectionTarget,
  ids: readonly Uint8Array[],
  point: ReadPoint,
  signal: AbortSignal,
  bounds: { least: Buffer; greatest: Buffer } | null = null,
): AsyncGenerator<RawBatch, void, undefined> {
  const between = bounds === null ? {} : { $gte: rawId('$gte', bounds.least), $lte: rawId('$lte', bounds.greatest) };
  const command: Document = {
    find: new UUID(target.uuid),
    filter: { _id: { $in: new RawValue('$in', 0x04, rawArray(ids)), ...between } },
    readConcern: readConcern(point),
    batchSize: 1_000_000,
  };
  yield* member.rawBatches(target.db, command, signal, { batchSize: 1_000_000 });
}

function rawId(name: string, id: Buffer): RawValue {
  return new RawValue(name, id[0] as number, id.subarray(1));
}

/**
 * The raw index documents of a collection. With `builds`, one in progress is listed as {spec, buildUUID}; without, as
 * if it were finished.
 */
export async function listIndexes(
  member: SourceMember,
  target: CollectionTarget,
  { builds }: { builds: boolean },
  session: ClientSession,
  signal: AbortSignal,
): Promise<Buffer> {
  const command = { listIndexes: new UUID(target.uuid), cursor: { batchSize: 1_000_000 }, includeBuildUUIDs: builds };
  const batch = await member.rawCursor(target.db, command, session, signal);
  return batch.documents;
}
