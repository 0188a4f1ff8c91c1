import { deserialize } from 'bson';
import type { ClientSession } from 'mongodb';
import { forEachConcurrently } from '../lib/bounded.ts';
import { findElement, forEachDocument, MalformedBson } from '../lib/raw-bson.ts';
import { listIndexes } from './collection-reader.ts';
import { codeOf, isCollectionGone } from './errors.ts';
import { isTaken, isTakenDatabase } from './namespace.ts';
import type { SourceMember } from './source-member.ts';

/** One entry of a listing. Raw where it is kept raw; the rest is what the engine decides by. */
export interface ListedCollection {
  db: string;
  name: string;
  type: 'collection' | 'view' | 'timeseries';
  /** 32 hex digits; null for views and time-series views. */
  uuid: string | null;
  capped: boolean;
  /** The raw `listCollections` entry. */
  info: Buffer;
  /** The raw `listIndexes` documents, finished indexes only. */
  indexes: Buffer[];
}

/** A collection vanished between two steps of one listing: the listing has to be made again. */
export class ListingMoved extends Error {
  override readonly name = 'ListingMoved';
}

const LISTINGS_AT_ONCE = 8;
const UNKNOWN_FIELD = 40415;

export async function listDatabases(member: SourceMember, signal: AbortSignal): Promise<string[]> {
  const reply = await member.command('admin', { listDatabases: 1, nameOnly: true }, signal);
  return (reply.databases as { name: string }[]).map((database) => database.name).filter(isTakenDatabase);
}

/** What there is now, without indexes: for choosing what to scan. */
export async function listCollections(member: SourceMember, signal: AbortSignal): Promise<ListedCollection[]> {
  const found: ListedCollection[] = [];
  for (const db of await listDatabases(member, signal)) found.push(...(await listEntries(member, db, signal)));
  return found;
}

async function listEntries(member: SourceMember, db: string, signal: AbortSignal): Promise<ListedCollection[]> {
  const found: ListedCollection[] = [];
  const command = { listCollections: 1, filter: {}, cursor: { batchSize: 100_000 } };
  for await (const batch of member.rawBatches(db, command, signal, { batchSize: 100_000 })) {
    forEachDocument(batch.documents, (offset, length) => {
      const listed = readListed(db, Buffer.from(batch.documents.subarray(offset, offset + length)));
      if (isTaken(listed)) found.push(listed);
    });
  }
  return found;
}

/** Everything of one database that a snapshot takes, with its indexes. Throws ListingMoved when the catalog moved under it. */
export async function listDatabase(member: SourceMember, db: string, signal: AbortSignal): Promise<ListedCollection[]> {
  const found = await listEntries(member, db, signal);
  await forEachConcurrently(found, LISTINGS_AT_ONCE, async (listed) => {
    if (listed.uuid === null) return;
    const session = member.startSession();
    try {
      listed.indexes = await readIndexes(member, listed.db, listed.uuid, session, signal);
    } finally {
      await session.endSession();
    }
  });
  return found;
}

async function readIndexes(
  member: SourceMember,
  db: string,
  uuid: string,
  session: ClientSession,
  signal: AbortSignal,
): Promise<Buffer[]> {
  let documents: Buffer;
  try {
    documents = await listIndexes(member, { db, uuid }, session, signal);
  } catch (error) {
    if (isCollectionGone(error)) throw new ListingMoved(`collection ${uuid} of ${db} vanished while it was listed`);
    // 6.0 cannot put an unfinished index of a time series into its own reply; once the build is over, it can.
    if (codeOf(error) === UNKNOWN_FIELD) throw new ListingMoved(`an index of ${uuid} of ${db} was being built`);
    throw error;
  }
  const indexes: Buffer[] = [];
  forEachDocument(documents, (offset, length) => {
    // With includeBuildUUIDs a build in progress is listed as {spec, buildUUID}.
    if (findElement(documents, offset, 'buildUUID') !== null) return;
    indexes.push(Buffer.from(documents.subarray(offset, offset + length)));
  });
  return indexes;
}

function readListed(db: string, info: Buffer): ListedCollection {
  // Decoded only to decide by; what is stored and restored is `info` itself.
  const entry = deserialize(info, { promoteValues: true, promoteBuffers: true, validation: { utf8: false } });
  const type = entry.type as ListedCollection['type'];
  if (type !== 'collection' && type !== 'view' && type !== 'timeseries') {
    throw new MalformedBson(`a collection of the unknown type ${String(type)} in ${db}`);
  }
  const uuid = entry.info?.uuid as Buffer | undefined;
  return {
    db,
    name: String(entry.name),
    type,
    uuid: uuid === undefined ? null : Buffer.from(uuid).toString('hex'),
    capped: entry.options?.capped === true,
    info,
    indexes: [],
  };
}
