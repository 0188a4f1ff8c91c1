import { BSON, type Document, type MongoClient } from 'mongodb';
import { knownOptions, serverIs } from './server-version.ts';

const NAMES = [
  'percent%20',
  'a/..',
  ' leading, "quotes" and\nnewline ',
  'наборы-😀',
  'dots..in.the.name.',
  'l'.repeat(240),
];
export const SERIES_INDEXES: Document[] = [
  { key: { 'm.a': 1, t: -1 }, name: 'both' },
  { key: { t: 1 }, name: 'time', ...(serverIs('6.0') ? { partialFilterExpression: { m: { $gt: 1 } } } : {}) },
  ...(serverIs('6.0')
    ? [
        { key: { 'm.place': '2dsphere' }, name: 'place' },
        { key: { v: 1 }, name: 'metric' },
      ]
    : []),
];

/** One of each thing that an archive can hold, in the database `shop`. */
export async function fillSource(client: MongoClient): Promise<void> {
  const db = client.db('shop');
  const things = Array.from({ length: 3000 }, (_, i) => ({ _id: i as never, n: i % 7, pad: 'x'.repeat(i % 300) }));
  await db.collection('orders').insertMany(things);
  await db.collection('orders').createIndexes([
    { key: { n: 1, pad: -1 }, name: 'n and pad' },
    { key: { n: 1 }, name: 'n', unique: false, collation: { locale: 'de', strength: 2 } },
    { key: { pad: 'hashed' }, name: 'hashed' },
    { key: { '$**': 1 }, name: 'wild', wildcardProjection: { pad: 0 } },
    { key: { later: 1 }, name: 'ttl', expireAfterSeconds: 3600, hidden: true },
  ]);
  for (const name of NAMES) await db.collection(name).insertOne({ _id: 1 as never, name });
  await db.createCollection('empty');
  await db.createCollection('log', { capped: true, size: 1 << 20, max: 50 });
  await db.collection('log').insertMany(Array.from({ length: 80 }, (_, i) => ({ i })));
  const clustered = { clusteredIndex: { key: { _id: 1 }, unique: true, name: 'by id' } };
  await db.createCollection('clustered', knownOptions(clustered));
  await db.collection('clustered').insertMany(things.slice(0, 50));
  await db.createCollection('collated', {
    collation: { locale: 'fr' },
    validator: { $jsonSchema: { required: ['_id'] } },
  });
  await db.collection('collated').createIndex({ n: 1 });
  await db.collection('collated').createIndex({ pad: 1 }, { collation: { locale: 'simple' } });
  await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm', granularity: 'minutes' } });
  await db
    .collection('series')
    .insertMany(Array.from({ length: 900 }, (_, i) => ({ t: new Date(i * 9e4), m: { a: i % 5 }, v: i })));
  await db.command({ createIndexes: 'series', indexes: SERIES_INDEXES });
  await db.createCollection('upper view', { viewOn: 'a lower view', pipeline: [{ $project: { n: 1 } }] });
  await db.createCollection('a lower view', { viewOn: 'orders', pipeline: [{ $match: { n: 3 } }] });
  await db
    .collection('system.js')
    .insertOne({ _id: 'twice' as never, value: new BSON.Code('function(x) { return 2 * x; }') });
  await db.command({ createRole: 'clerk', privileges: [], roles: ['read'] });
  await db.command({ createUser: 'reader', pwd: 'secret', roles: ['clerk'] });
}

/** Leaves users and roles. */
export async function dropDatabases(client: MongoClient): Promise<void> {
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
  for (const { name } of databases)
    if (!['admin', 'config', 'local'].includes(name)) await client.db(name).dropDatabase();
}
