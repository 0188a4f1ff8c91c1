import {
  Binary,
  BSON,
  type ClientSession,
  type Document,
  Long,
  type MongoClient,
  MongoServerError,
  type Timestamp,
} from 'mongodb';
import { documentLength, findId, idBytes } from '../../src/bson/raw-bson.ts';
import { assert, must } from '../../src/lib/assert.ts';
import { forEachConcurrently } from '../../src/lib/bounded.ts';

const READS_AT_ONCE = 3;
const BATCH_DOCUMENTS = 10_000;

/** What a collection is, as the server itself tells it: nothing here goes through the code under test. */
export interface CollectionTruth {
  db: string;
  name: string;
  type: string;
  uuid: string | null;
  /** The `options` of listCollections, raw. */
  options: Buffer;
  /** Raw specs by name, those still being built left out. */
  indexes: Map<string, Buffer>;
  /** Raw documents by the hex of their id element; null for views and for what could not be read at the time. */
  documents: Map<string, Buffer> | null;
  /** The ids in natural order, of capped collections. */
  order: string[] | null;
}

/** Everything that a snapshot holds, by namespace, and what the server refused to read at the time, with its reason. */
export interface Truth {
  collections: Map<string, CollectionTruth>;
  unreadable: Map<string, string>;
}

/**
 * Reads all of a cluster: at the cluster time, or now (majority) where it is null. The listing is always today's: a
 * caller who passes a time sees to it that the catalog has not changed since, or takes the listing elsewhere.
 */
export async function readTruth(client: MongoClient, clusterTime: Timestamp | null): Promise<Truth> {
  const truth: Truth = { collections: new Map(), unreadable: new Map() };
  const listing = await client.db('admin').command({ listDatabases: 1, nameOnly: true });
  for (const { name: db } of listing.databases as { name: string }[]) {
    const entries = (await listCollections(client, db)).filter((entry) => isCompared(db, entry.name));
    await forEachConcurrently(entries, READS_AT_ONCE, (entry) => addCollection(client, db, entry, clusterTime, truth));
  }
  return truth;
}

async function addCollection(
  client: MongoClient,
  db: string,
  entry: Listed,
  clusterTime: Timestamp | null,
  truth: Truth,
): Promise<void> {
  const namespace = `${db}.${entry.name}`;
  const isCapped = BSON.deserialize(entry.options).capped === true;
  const collection: CollectionTruth = {
    db,
    name: entry.name,
    type: entry.type,
    uuid: entry.uuid,
    options: entry.options,
    indexes: new Map(),
    documents: null,
    order: null,
  };
  try {
    if (entry.type === 'collection') {
      collection.indexes = await listIndexes(client, db, entry.name);
      if (isCapped && clusterTime !== null) throw new Unreadable('capped');
      const documents = await readDocuments(client, db, entry.name, clusterTime);
      collection.documents = documents;
      collection.order = isCapped ? [...documents.keys()] : null;
    }
  } catch (error) {
    if (!(error instanceof MongoServerError || error instanceof Unreadable)) throw error;
    truth.unreadable.set(namespace, error.message);
  }
  truth.collections.set(namespace, collection);
}

class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** The HMAC keys and the version document (FCV) belong to the cluster that has them. */
const NOT_COMPARED = new Set(['admin.system.keys', 'admin.system.version']);

/**
 * The namespaces that a restore makes equal; views' definitions are compared as options, not as documents of
 * system.views.
 */
export function isCompared(db: string, name: string): boolean {
  if (db === 'local' || db === 'config' || NOT_COMPARED.has(`${db}.${name}`)) return false;
  return name !== 'system.profile' && name !== 'system.views';
}

interface Listed {
  name: string;
  type: string;
  uuid: string | null;
  options: Buffer;
}

async function listCollections(client: MongoClient, db: string): Promise<Listed[]> {
  const listed: Listed[] = [];
  for await (const batch of readCursor(client, db, { listCollections: 1, cursor: {} }, 'system.views')) {
    for (const raw of batch) {
      const entry = BSON.deserialize(raw, { raw: true });
      const info = BSON.deserialize(entry.info as Buffer);
      const uuid = info.uuid instanceof Binary ? info.uuid.toString('hex') : null;
      listed.push({ name: entry.name, type: entry.type, uuid, options: entry.options });
    }
  }
  return listed;
}

async function listIndexes(client: MongoClient, db: string, collection: string): Promise<Map<string, Buffer>> {
  const indexes = new Map<string, Buffer>();
  const command = { listIndexes: collection, includeBuildUUIDs: true, cursor: {} };
  try {
    for await (const batch of readCursor(client, db, command, collection)) {
      for (const raw of batch) {
        const spec = BSON.deserialize(raw);
        if (spec.buildUUID === undefined) indexes.set(spec.name, raw);
      }
    }
    return indexes;
  } catch (error) {
    // 6.0.5 cannot put an unfinished index of a time series into its own reply.
    if (!(error instanceof MongoServerError) || error.code !== 5254501) throw error;
    return await listReadyIndexes(client, db, collection);
  }
}

/** By the server's own catalog, which says of each index whether it is ready. */
async function listReadyIndexes(client: MongoClient, db: string, collection: string): Promise<Map<string, Buffer>> {
  const [entry] = await client
    .db(db)
    .collection(collection)
    .aggregate<{ md: { indexes: { ready: boolean; spec: { name: string } }[] } }>([{ $listCatalog: {} }])
    .toArray();
  const ready = new Set(entry?.md.indexes.filter((index) => index.ready).map(({ spec }) => spec.name));
  const indexes = new Map<string, Buffer>();
  for await (const batch of readCursor(client, db, { listIndexes: collection, cursor: {} }, collection)) {
    for (const raw of batch) {
      const { name } = BSON.deserialize(raw);
      if (ready.has(name)) indexes.set(name, raw);
    }
  }
  return indexes;
}

async function readDocuments(
  client: MongoClient,
  db: string,
  collection: string,
  clusterTime: Timestamp | null,
): Promise<Map<string, Buffer>> {
  const readConcern = clusterTime === null ? { level: 'majority' } : { level: 'snapshot', atClusterTime: clusterTime };
  const documents = new Map<string, Buffer>();
  const command = { find: collection, hint: { $natural: 1 }, batchSize: BATCH_DOCUMENTS, readConcern };
  for await (const batch of readCursor(client, db, command, collection)) {
    for (const raw of batch) {
      const id = must(findId(raw, 0), `a document of ${db}.${collection} has an _id`);
      const key = idBytes(raw, id).toString('hex');
      assert(!documents.has(key), `${db}.${collection} gave the _id ${key} twice`);
      documents.set(key, raw);
    }
  }
  return documents;
}

/** The documents of a cursor, raw, batch by batch. */
async function* readCursor(
  client: MongoClient,
  db: string,
  command: Document,
  collection: string,
): AsyncGenerator<Buffer[]> {
  const session = client.startSession({ causalConsistency: false });
  try {
    let cursor = await runForCursor(client, db, command, session);
    yield cursor.batch;
    while (!cursor.id.isZero()) {
      cursor = await runForCursor(
        client,
        db,
        { getMore: cursor.id, collection: cursor.collection ?? collection },
        session,
      );
      yield cursor.batch;
    }
  } finally {
    await session.endSession();
  }
}

async function runForCursor(
  client: MongoClient,
  db: string,
  command: Document,
  session: ClientSession,
): Promise<{ id: Long; batch: Buffer[]; collection: string | null }> {
  const reply = await client.db(db).command(command, { raw: true, session });
  const fields = { firstBatch: true, nextBatch: true };
  const cursor = BSON.deserialize(reply.cursor as Buffer, { fieldsAsRaw: fields, promoteLongs: false });
  const id = cursor.id instanceof Long ? cursor.id : Long.fromNumber(Number(cursor.id));
  const batch = (cursor.firstBatch ?? cursor.nextBatch) as Buffer[];
  for (const raw of batch) assert(documentLength(raw, 0) === raw.length, 'a raw document is whole');
  const namespace = cursor.ns as string | undefined;
  return { id, batch, collection: namespace?.slice(namespace.indexOf('.') + 1) ?? null };
}
