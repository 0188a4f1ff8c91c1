import assert from 'node:assert/strict';
import { BSON, type Document, Long, type MongoClient, Timestamp } from 'mongodb';
import { documentOf } from '../../src/bson/raw-bson.ts';
import { type ParsedArchive, type ParsedCollection, parseArchive } from './archive-parser.ts';
import { WireConnection } from './wire.ts';

const BATCH_BYTES_MAX = 8 * 1024 * 1024;
const INDEXES_LEFT = new Set(['_id_']);

/**
 * What mongorestore does, with nothing but the driver: collections with their options, documents as they are, the oplog
 * (as `--oplogReplay` does), indexes, views. Users and roles are left to the caller. Names of indexes' fields that look
 * like numbers change places on this way, so tests give them none.
 */
export async function restoreArchive(bytes: Buffer, client: MongoClient, port: number): Promise<ParsedArchive> {
  const archive = parseArchive(bytes);
  const wire = await WireConnection.open(port);
  try {
    const restored = [...archive.collections.values()].filter(
      ({ db, name }) => !(db === 'admin' && name.startsWith('system.')),
    );
    for (const collection of restored) await restoreCollection(collection, client, wire);
    if (archive.oplog !== null) await replayOplog(archive.oplog, wire);
    for (const collection of restored) await createIndexes(collection, client);
  } finally {
    wire.close();
  }
  return archive;
}

/** Every entry by a command of its own, as it stands; and nothing may be made up for a document that is not there. */
async function replayOplog(entries: readonly Buffer[], wire: WireConnection): Promise<void> {
  for (const entry of entries) {
    const { op, ns, o, o2, ...fields } = BSON.deserialize(entry, { promoteValues: false, validation: { utf8: false } });
    assert.deepEqual(Object.keys(fields), ['ts', 't', 'v'], 'an entry has only what readers need');
    assert(String(fields.v) === '2' && fields.ts instanceof Timestamp && fields.t instanceof Long);
    if (op === 'n') continue;
    assert(['i', 'u', 'd', 'c'].includes(op) && ns.includes('.') && o !== undefined, `an entry \`${op}\` on ${ns}`);
    assert((op === 'u') === (o2 !== undefined), 'an update, and nothing else, says of which document it is');
    const reply = await wire.command(applyOps(entry));
    assert.deepEqual(reply.results, [true], `an entry \`${op}\` on ${ns} was refused`);
  }
}

function applyOps(entry: Buffer): Buffer {
  const no = Buffer.from([0]);
  return documentOf([
    { name: 'applyOps', type: 0x04, value: documentOf([{ name: '0', type: 0x03, value: entry }]) },
    { name: 'alwaysUpsert', type: 0x08, value: no },
    { name: 'bypassDocumentValidation', type: 0x08, value: Buffer.from([1]) },
    { name: '$db', type: 0x02, value: Buffer.from('\x06\0\0\0admin\0') },
  ]);
}

async function restoreCollection(
  { db, name, type, metadata, documents }: ParsedCollection,
  client: MongoClient,
  wire: WireConnection,
): Promise<void> {
  const parsed = BSON.EJSON.parse(metadata, { relaxed: false }) as { options?: Document; indexes: Document[] };
  const idIndex = parsed.indexes.find((index) => INDEXES_LEFT.has(index.name));
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
}

async function createIndexes({ db, name, metadata }: ParsedCollection, client: MongoClient): Promise<void> {
  const parsed = BSON.EJSON.parse(metadata, { relaxed: false }) as { options?: Document; indexes: Document[] };
  const indexes = parsed.indexes.filter((index) => !INDEXES_LEFT.has(index.name) && index.clustered !== true);
  const collated = parsed.options?.collation !== undefined;
  if (indexes.length === 0) return;
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
