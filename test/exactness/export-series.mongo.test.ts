import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Binary,
  BSON,
  Code,
  type Db,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { findElement } from '../../src/bson/raw-bson.ts';
import { type SeriesFields, seriesFieldsOf, unpackBucket } from '../../src/engine/export/unpack-bucket.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { serverIs } from '../support/server-version.ts';

/** Buckets of a real server, unpacked, against what a find on the time series gives. */
const source = useReplicaSet({ name: 'series' });

const START_MS = Date.parse('2026-08-10T03:00:00Z');
type Field = (row: number, random: SeededRandom) => unknown;
/** What a measurement does not have. */
const MISSING = Symbol('missing');

/** One of each way in which a column can be written. */
const FIELDS: Readonly<Record<string, Field>> = {
  int: (row) => new Int32(row * 3 - 500),
  'int, far apart': (_, random) => new Int32(random.next() | 0),
  long: (row) => Long.fromNumber(row * 1e12),
  'long, far apart': (_, random) => Long.fromBits(random.next(), random.next()),
  'long, round': (row) => Long.fromBigInt(BigInt(row % 7) << 40n),
  same: () => 'always the same text, which is long',
  'same number': () => new Double(1.5),
  tenths: (row) => new Double(row / 10),
  'more and more digits': (row) => new Double(row % 100 === 99 ? row / 1e4 + 1e-8 : row / 100),
  'any double': (_, random) => new Double(random.next() / 7919),
  'whole doubles': (row) => new Double(row * 1000),
  'odd doubles': (row) => new Double([0, -0, Number.NaN, Infinity, -Infinity, 1e300, 5e-324, -1.25][row % 8] ?? 0),
  text: (row) => `s${row % 13}`,
  'text of all lengths': (row) => 'abcdefghijklmnopqrst'.slice(0, row % 21),
  'text with NULs': (row) => ['\0a', 'a\0', '', 'a\0b'][row % 4],
  'text, not ASCII': (row) => ['ä', '😀', 'Straße'][row % 3],
  code: (row) => new Code(`f${row % 5}`),
  id: (row) => new ObjectId(`65f0aabbccddeeff0011${(row % 60_000).toString(16).padStart(4, '0')}`),
  'id of others': (_, random) => new ObjectId(random.bytes(12)),
  date: (row) => new Date(START_MS + row * 977),
  timestamp: (row) => new Timestamp({ t: 1_700_000_000 + row, i: row % 3 }),
  boolean: (row) => row % 3 === 0,
  decimal: (row) => Decimal128.fromString(`${row}.50`),
  'odd decimals': (row) => Decimal128.fromString(['NaN', '-0', 'Infinity', '1E+6111'][row % 4] ?? '0'),
  bytes: (row) => new Binary(Buffer.from([row & 255, row >> 8, 1])),
  'bytes of all lengths': (row) => new Binary(Buffer.alloc(row % 20, row & 255), row % 2 === 0 ? 0 : 0x80),
  uuid: (_, random) => new Binary(random.bytes(16), 4),
  null: () => null,
  'any type': (row) =>
    [1, 'x', null, true, new Date(row), [row], { row }, Long.fromNumber(row), new Double(row)][row % 9],
  keys: (row) => (row % 2 === 0 ? new MinKey() : new MaxKey()),
  sometimes: (row) => (row % 5 === 0 ? row : MISSING),
  late: (row) => (row > 1500 ? row : MISSING),
  'in runs': (row) => (row % 400 < 200 ? new Int32(7) : MISSING),
  document: (row) => ({ x: row, y: { z: row % 2 === 0 ? 'even' : 'odd' } }),
  'document of many shapes': (row) =>
    row % 3 === 0 ? { x: row } : row % 3 === 1 ? { x: row, more: [row] } : { other: 1 },
  'document, sometimes': (row) => (row % 4 === 0 ? MISSING : { x: row, ...(row % 8 === 1 ? {} : { y: row * 2 }) }),
  'empty documents': (row) => ({ a: {}, b: row, c: { d: {} } }),
  array: (row) => [row, row + 1, 'three'],
  'arrays of documents': (row) => [{ n: row }, { n: row, list: [row, [row]] }],
  'arrays of all lengths': (row) => Array.from({ length: row % 4 }, (_, index) => index * row),
  'empty array': () => [],
  'regular expression': (row) => new BSON.BSONRegExp(`^${row % 3}`, 'i'),
};

function measurement(row: number, random: SeededRandom, fields: readonly string[]): Document {
  const document: Document = { at: new Date(START_MS + row * 250) };
  for (const name of fields) {
    const value = (FIELDS[name] as Field)(row, random);
    if (value !== MISSING) document[name] = value;
  }
  return document;
}

async function rawDocuments(db: Db, collection: string): Promise<Buffer[]> {
  const found = await db.collection(collection).find({}, { raw: true, batchSize: 500 }).toArray();
  return found.map((one) => Buffer.from(one as unknown as Buffer));
}

async function fieldsOf(db: Db, name: string): Promise<SeriesFields> {
  const [info] = await db.listCollections({ name }, { raw: true }).toArray();
  return seriesFieldsOf(Buffer.from(info as unknown as Buffer));
}

function* documentsOf(buffer: Buffer): Generator<string> {
  for (let at = 0; at < buffer.length; at += buffer.readInt32LE(at)) {
    yield buffer.toString('hex', at, at + buffer.readInt32LE(at));
  }
}

/** How many buckets there were of each version. */
async function compareSeries(db: Db, name: string): Promise<Record<number, number>> {
  const fields = await fieldsOf(db, name);
  const versions: Record<number, number> = {};
  const unpacked: string[] = [];
  for (const bucket of await rawDocuments(db, `system.buckets.${name}`)) {
    const control = findElement(bucket, 0, 'control');
    const version = bucket.readInt32LE(findElement(bucket, control?.start ?? 0, 'version')?.start ?? 0);
    versions[version] = (versions[version] ?? 0) + 1;
    unpacked.push(...documentsOf(unpackBucket(bucket, fields)));
  }
  const shown = (await rawDocuments(db, name)).map((one) => one.toString('hex'));
  const [left, right] = [unpacked.toSorted(), shown.toSorted()];
  assert.equal(left.length, right.length, `${name}: number of measurements`);
  const different = left.findIndex((one, index) => one !== right[index]);
  if (different >= 0) {
    const text = (hex: string | undefined) =>
      BSON.EJSON.stringify(
        BSON.deserialize(Buffer.from(hex ?? '', 'hex'), { promoteValues: false, bsonRegExp: true }),
        { relaxed: false },
      );
    assert.equal(text(left[different]), text(right[different]), name);
    assert.fail(`${name}: the same text, other bytes`);
  }
  return versions;
}

test('every kind of column, each in a series of its own, and all of them in one', async () => {
  const db = source().client.db('series');
  const random = new SeededRandom(7);
  const all: Record<number, number> = {};
  const series = [...Object.keys(FIELDS).map((name) => [name]), Object.keys(FIELDS)];
  for (const [index, fields] of series.entries()) {
    const name = `s${index}`;
    await db.createCollection(name, { timeseries: { timeField: 'at', granularity: 'seconds' } });
    const rows = fields.length > 1 ? 400 : 2200;
    const documents = Array.from({ length: rows }, (_, row) => measurement(row, random, fields));
    await db.collection(name).insertMany(documents, { ordered: true });
    const versions = await compareSeries(db, name).catch((error: unknown) => {
      throw new Error(`field ${fields.length > 1 ? 'all' : fields[0]}`, { cause: error });
    });
    for (const [version, count] of Object.entries(versions)) all[Number(version)] = (all[Number(version)] ?? 0) + count;
  }
  assert.ok((all[1] ?? 0) > 10, 'open buckets');
  // A server of 5.0 compresses none.
  if (serverIs('6.0')) assert.ok((all[2] ?? 0) > 40, 'closed buckets');
  else assert.deepEqual(Object.keys(all), ['1']);
});

test('meta data of every shape, and none', async () => {
  const db = source().client.db('meta');
  await db.createCollection('m', { timeseries: { timeField: 'at', metaField: 'who is it' } });
  const metas: unknown[] = [1, 'a', null, MISSING, { b: 1, a: [2, { c: 3 }] }, [1, 2], {}, new ObjectId()];
  const documents = Array.from({ length: 3000 }, (_, row) => {
    const meta = metas[row % metas.length];
    return {
      ...measurement(row, new SeededRandom(row), ['int', 'text']),
      ...(meta === MISSING ? {} : { 'who is it': meta }),
    };
  });
  await db.collection<Document>('m').insertMany(documents);
  await compareSeries(db, 'm');
});
