import { deserialize } from 'bson';
import type { ClientSession, Document } from 'mongodb';
import { isTaken, isTakenDatabase } from '../../bson/namespace.ts';
import { findElement, forEachDocument, MalformedBson } from '../../bson/raw-bson.ts';
import { forEachConcurrently } from '../../lib/bounded.ts';
import { Fault } from '../../lib/errors.ts';
import { listIndexes } from '../collection-reader.ts';
import { codeOf, isCollectionGone } from '../errors.ts';
import type { SourceMember } from '../source-member.ts';

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
/**
 * What 6.0 answers instead of a listing that has an unfinished index of a time series in it (an unknown field in its
 * own reply), the first in 6.0.5.
 */
const UNLISTABLE = new Set([5254501, 40415]);

/** As its member for the catalog has them; so it is with every listing here. */
export async function listDatabases({ catalog: member }: SourceMember, signal: AbortSignal): Promise<string[]> {
  const reply = await member.command('admin', { listDatabases: 1, nameOnly: true }, signal);
  return (reply.databases as { name: string }[]).map((database) => database.name).filter(isTakenDatabase);
}

/** What there is now, or what of it is capped, without indexes: for choosing what to scan. */
export async function listCollections(
  member: SourceMember,
  signal: AbortSignal,
  { cappedOnly = false }: { cappedOnly?: boolean } = {},
): Promise<ListedCollection[]> {
  const databases = await listDatabases(member, signal);
  const found = new Map<string, ListedCollection[]>();
  const filter = cappedOnly ? { 'options.capped': true } : {};
  await forEachConcurrently(databases, LISTINGS_AT_ONCE, async (db) => {
    found.set(db, await listEntries(member, db, signal, filter));
  });
  return databases.flatMap((db) => found.get(db) ?? []);
}

async function listEntries(
  { catalog: member }: SourceMember,
  db: string,
  signal: AbortSignal,
  filter: Document = {},
): Promise<ListedCollection[]> {
  const found: ListedCollection[] = [];
  const command = { listCollections: 1, filter, cursor: { batchSize: 100_000 } };
  for await (const batch of member.rawBatches(db, command, signal, { batchSize: 100_000 })) {
    forEachDocument(batch.documents, (offset, length) => {
      const listed = readListed(db, Buffer.from(batch.documents.subarray(offset, offset + length)));
      if (isTaken(listed)) found.push(listed);
    });
  }
  return found;
}

/**
 * Everything of one database that a snapshot takes, with its indexes. Throws ListingMoved when the catalog moved under
 * it.
 */
export async function listDatabase(
  { catalog: member }: SourceMember,
  db: string,
  signal: AbortSignal,
): Promise<ListedCollection[]> {
  const found = await listEntries(member, db, signal);
  await forEachConcurrently(found, LISTINGS_AT_ONCE, async (listed) => {
    if (listed.uuid === null) return;
    const session = member.startSession();
    try {
      listed.indexes = await readIndexes(member, { ...listed, uuid: listed.uuid }, session, signal);
    } finally {
      await session.endSession();
    }
  });
  return found;
}

interface IndexedCollection {
  db: string;
  name: string;
  uuid: string;
}

/** The raw index documents of what is finished: builds in progress are no part of a collection's state yet. */
async function readIndexes(
  member: SourceMember,
  collection: IndexedCollection,
  session: ClientSession,
  signal: AbortSignal,
): Promise<Buffer[]> {
  try {
    return await listFinished(member, collection, session, signal);
  } catch (error) {
    const { db, uuid } = collection;
    if (isCollectionGone(error)) throw new ListingMoved(`collection ${uuid} of ${db} vanished while it was listed`);
    throw error;
  }
}

async function listFinished(
  member: SourceMember,
  collection: IndexedCollection,
  session: ClientSession,
  signal: AbortSignal,
): Promise<Buffer[]> {
  try {
    const documents = await listIndexes(member, collection, { builds: true }, session, signal);
    return indexesIn(documents, (offset) => findElement(documents, offset, 'buildUUID') === null);
  } catch (error) {
    if (!UNLISTABLE.has(Number(codeOf(error)))) throw error;
    return await tellBuildsByName(member, collection, session, signal);
  }
}

/**
 * Builds of large collections take hours, so nobody can wait for their end. Here they are known by their names, from an
 * answer of its own: whatever begins or ends in between, or renames the collection, is in the oplog after the time that
 * is being settled, and the listing is made again.
 */
async function tellBuildsByName(
  member: SourceMember,
  collection: IndexedCollection,
  session: ClientSession,
  signal: AbortSignal,
): Promise<Buffer[]> {
  const statistics = await member.command(collection.db, { collStats: collection.name }, signal);
  const building = new Set((statistics.indexBuilds ?? []) as string[]);
  const documents = await listIndexes(member, collection, { builds: false }, session, signal);
  return indexesIn(documents, (offset) => {
    const name = findElement(documents, offset, 'name');
    return name === null || !building.has(documents.toString('utf8', name.start + 4, name.end - 1));
  });
}

function indexesIn(documents: Buffer, isFinished: (offset: number) => boolean): Buffer[] {
  const indexes: Buffer[] = [];
  forEachDocument(documents, (offset, length) => {
    if (isFinished(offset)) indexes.push(Buffer.from(documents.subarray(offset, offset + length)));
  });
  return indexes;
}

/**
 * A time series that is its own collection, without a view and without `system.buckets`, as servers make them from 9.0
 * on. Their buckets are read by another kind of request (`rawData`), which was never tried here: what an ordinary one
 * gives are measurements, and a snapshot of those would be none.
 */
export function viewlessSeries(namespace: string): Fault {
  return new Fault({
    op: 'list collections',
    subject: namespace,
    message: `${namespace} is a time series without a view (MongoDB 9.0 and newer), which this version of Tidemark cannot back up`,
    hint: 'Set the feature compatibility version to that of MongoDB 8, under which it has a view and buckets again, or drop the time series',
  });
}

export function readListed(db: string, info: Buffer): ListedCollection {
  // Decoded only to decide by; what is stored and restored is `info` itself.
  const entry = deserialize(info, { promoteValues: true, promoteBuffers: true, validation: { utf8: false } });
  const type = entry.type as ListedCollection['type'];
  if (type !== 'collection' && type !== 'view' && type !== 'timeseries') {
    throw new MalformedBson(`a collection of the unknown type ${String(type)} in ${db}`);
  }
  const uuid = entry.info?.uuid as Buffer | undefined;
  const isSeries = type === 'timeseries' || entry.options?.timeseries !== undefined;
  if (isSeries && uuid !== undefined && !String(entry.name).startsWith('system.buckets.'))
    throw viewlessSeries(`${db}.${String(entry.name)}`);
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
