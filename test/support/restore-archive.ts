import { BSON, type Document, type MongoClient } from 'mongodb';
import { type ParsedArchive, type ParsedCollection, parseArchive } from './archive-parser.ts';
import { WireConnection } from './wire.ts';

const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const INDEXES_LEFT = new Set(['_id_']);

/**
 * What mongorestore does, with nothing but the driver: collections with their options, documents as they are, indexes, views. Users and roles are left to the caller. Names of
 * indexes' fields that look like numbers change places on this way, so tests give them none.
 */
export async function restoreArchive(bytes: Buffer, client: MongoClient, port: number): Promise<ParsedArchive> {
  const archive = parseArchive(bytes);
  const wire = await WireConnection.open(port);
  try {
    for (const collection of archive.collections.values()) {
      if (collection.db === 'admin' && collection.name.startsWith('system.')) continue;
      await restoreCollection(collection, client, wire);
    }
  } finally {
    wire.close();
  }
  return archive;
}

async function restoreCollection(
  { db, name, type, metadata, documents }: ParsedCollection,
  client: MongoClient,
  wire: WireConnection,
): Promise<void> {
  const parsed = BSON.EJSON.parse(metadata, { relaxed: false }) as { options?: Document; indexes: Document[] };
  const idIndex = parsed.indexes.find((index) => INDEXES_LEFT.has(index.name));
  if (name !== 'system.js')
    await client.db(db).command({
      create: name,
      ...parsed.options,
      ...(idIndex === undefined || type !== 'collection' ? {} : { idIndex }),
    });
  const data = type === 'timeseries' ? `system.buckets.${name}` : name;
  for (const batch of batches(documents))
    await wire.command({ insert: data, ordered: true, bypassDocumentValidation: true, $db: db }, [
      { field: 'documents', documents: batch },
    ]);
  const indexes = parsed.indexes.filter((index) => !INDEXES_LEFT.has(index.name) && index.clustered !== true);
  const collated = parsed.options?.collation !== undefined;
  if (indexes.length > 0)
    await client.db(db).command({
      createIndexes: name,
      indexes: indexes.map((index) =>
        collated && index.collation === undefined ? { ...index, collation: { locale: 'simple' } } : index,
      ),
    });
}

function* batches(documents: readonly Buffer[]): Generator<Buffer[]> {
  let batch: Buffer[] = [];
  let bytes = 0;
  for (const document of documents) {
    if (batch.length > 0 && bytes + document.length > BATCH_BYTES_MAX) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(document);
    bytes += document.length;
  }
  if (batch.length > 0) yield batch;
}
