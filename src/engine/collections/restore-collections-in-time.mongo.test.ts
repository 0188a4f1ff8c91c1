import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Db } from 'mongodb';
import { SourceOplog } from '../../../test/exactness/source-oplog.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import {
  besides,
  type CollectionRun,
  renamed,
  restoreChosen,
  type Wanted,
} from '../../../test/support/restored-collections.ts';
import { knownOptions } from '../../../test/support/server-version.ts';
import { SnapshotRig } from '../../../test/support/snapshot-rig.ts';
import { readTruth, type Truth } from '../../../test/support/truth.ts';
import { must } from '../../lib/assert.ts';
import type { ReplayEnd } from '../replay/replay-interval.ts';
import type { TakenSnapshot } from '../take/take-snapshot.ts';

const source = useReplicaSet({ name: 'source', cacheGb: 1, setParameters: { ttlMonitorEnabled: false } });
const target = useReplicaSet({ name: 'target', cacheGb: 1, setParameters: { ttlMonitorEnabled: false } });

const DOCUMENTS = 200;

/** A snapshot, what happened after it up to a point, and what happened later. */
interface History {
  rig: SnapshotRig;
  taken: TakenSnapshot;
  oplog: SourceOplog;
  end: ReplayEnd;
  /** At the point, as the source itself told. */
  truth: Truth;
}

async function history(steps: {
  before: (db: Db) => Promise<unknown>;
  until: (db: Db) => Promise<unknown>;
  later?: (db: Db) => Promise<unknown>;
}): Promise<History> {
  for (const set of [source(), target()]) {
    for (const { name } of (await set.client.db().admin().listDatabases()).databases) {
      if (!['admin', 'config', 'local'].includes(name)) await set.client.db(name).dropDatabase();
    }
  }
  await target()
    .client.db('shop')
    .collection('orders')
    .insertOne({ _id: 'mine' as never });
  const db = source().client.db('shop');
  const rig = await SnapshotRig.create();
  await steps.before(db);
  const taken = await rig.take(source().uri);
  await steps.until(db);
  const truth = await readTruth(source().client, null);
  const { moments } = await SourceOplog.read(source().client);
  const end = { ts: must(moments.at(-1), 'there is an oplog').ts, inclusive: true };
  await steps.later?.(db);
  await db.collection('after').insertOne({});
  return { rig, taken, oplog: await SourceOplog.read(source().client), end, truth };
}

async function expectAt(
  { rig, taken, oplog, end, truth }: History,
  wanted: Wanted,
  names: Record<string, string>,
  run: CollectionRun = {},
): Promise<void> {
  const before = await readTruth(target().client, null);
  await restoreChosen(rig, taken, wanted, { uri: target().uri, pointInTime: { end, source: oplog }, ...run });
  const expected = besides(before, renamed(truth, names));
  assert.deepEqual(compareTruth(expected, await readTruth(target().client, null)), []);
}

async function orders(db: Db, name = 'orders'): Promise<void> {
  const some = Array.from({ length: DOCUMENTS }, (_, n) => ({ _id: n as never, n, list: [1, 2], deep: { x: n } }));
  await db.collection(name).insertMany(some);
  await db.collection(name).createIndex({ n: 1 }, { unique: true });
}

async function change(db: Db, name: string): Promise<void> {
  const collection = db.collection<{ _id: number }>(name);
  await collection.updateMany({ _id: { $lt: 50 } }, { $set: { 'deep.y': 1 }, $push: { list: 3 as never } });
  await collection.deleteMany({ _id: { $gte: 50, $lt: 80 } });
  await collection.replaceOne({ _id: 90 }, { n: 900 } as never);
  await collection.insertMany([{ _id: 1000 }, { _id: 1001, n: 7000 } as never]);
  await collection.deleteOne({ _id: 1000 });
}

describe('chosen collections at a point in time', () => {
  test('documents change, of chosen collections and of others, in transactions over both', async () => {
    const found = await history({
      before: async (db) => {
        await orders(db);
        await orders(db, 'other');
      },
      until: async (db) => {
        await change(db, 'orders');
        await change(db, 'other');
        const session = source().client.startSession();
        await session.withTransaction(async () => {
          await db.collection<{ _id: number }>('orders').updateOne({ _id: 100 }, { $set: { n: -1 } }, { session });
          await db.collection<{ _id: number }>('other').updateOne({ _id: 100 }, { $set: { n: -1 } }, { session });
          await db.collection<{ _id: number }>('orders').deleteOne({ _id: 101 }, { session });
        });
        await session.endSession();
        await db.collection('orders').createIndex({ 'deep.x': 1 }, { name: 'x' });
      },
      later: async (db) => {
        await db.collection('orders').deleteMany({});
        await db.collection('orders').drop();
      },
    });
    await expectAt(found, { collections: { 'shop.orders': 'shop.again' } }, { 'shop.orders': 'shop.again' });
  });

  test('names pass from one to another: what has the name at the point is meant', async () => {
    const found = await history({
      before: async (db) => {
        await orders(db);
        await orders(db, 'next');
      },
      until: async (db) => {
        await change(db, 'orders');
        await db.renameCollection('orders', 'was');
        await db.renameCollection('next', 'orders');
        await db.collection('orders').insertOne({ _id: 'of next' as never });
        await db.collection('was').insertOne({ _id: 'of orders' as never });
      },
      later: async (db) => await db.renameCollection('orders', 'gone'),
    });
    const names = { 'shop.orders': 'd.a', 'shop.was': 'd.b' };
    await expectAt(found, { collections: names }, names);
  });

  test('dropped and made again, and a collection from another database', async () => {
    const found = await history({
      before: async (db) => await orders(db),
      until: async (db) => {
        await db.collection('orders').drop();
        await db.createCollection('orders', { collation: { locale: 'de' } });
        await change(db, 'orders');
        await source()
          .client.db('far')
          .collection('moved')
          .insertMany([{ _id: 1 as never }, { _id: 2 as never }]);
        await source().client.db('admin').command({ renameCollection: 'far.moved', to: 'shop.moved' });
      },
    });
    const names = { 'shop.orders': 'd.orders', 'shop.moved': 'd.moved' };
    await expectAt(found, { collections: names }, names);
  });

  test('a whole database: capped, clustered, time series and views as they were then', async () => {
    const found = await history({
      before: async (db) => {
        await orders(db);
        await db.createCollection('capped', { capped: true, size: 65_536, max: 10 });
        await db.collection('capped').insertMany(Array.from({ length: 9 }, (_, n) => ({ _id: n as never })));
        await db.createCollection('clustered', knownOptions({ clusteredIndex: { key: { _id: 1 }, unique: true } }));
        await db.collection('clustered').insertMany(Array.from({ length: 9 }, (_, n) => ({ _id: n as never, n })));
        await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 60 });
        await db
          .collection('series')
          .insertMany(Array.from({ length: 9 }, (_, n) => ({ t: new Date(n * 1000), m: n })));
        await db.createCollection('recent', { viewOn: 'orders', pipeline: [] });
      },
      until: async (db) => {
        await change(db, 'orders');
        await db.collection('capped').insertMany(Array.from({ length: 5 }, (_, n) => ({ _id: (n + 100) as never })));
        await change(db, 'clustered');
        await db
          .collection('series')
          .insertMany(Array.from({ length: 9 }, (_, n) => ({ t: new Date(n * 2000), m: n })));
        await db.command({ collMod: 'series', expireAfterSeconds: 86_400 });
        await db.command({ collMod: 'recent', viewOn: 'capped', pipeline: [{ $match: { n: 1 } }] });
        await db.createCollection('late', { timeseries: { timeField: 't' } });
        await db.collection('late').insertOne({ t: new Date(0) });
      },
      later: async (db) => await db.dropDatabase(),
    });
    const all = [
      'orders',
      'capped',
      'clustered',
      'series',
      'system.buckets.series',
      'recent',
      'late',
      'system.buckets.late',
    ];
    const names = Object.fromEntries(all.map((name) => [`shop.${name}`, `copy.${name}`]));
    await expectAt(found, { databases: { shop: 'copy' } }, names);
    await target()
      .client.db('copy')
      .collection('series')
      .insertOne({ t: new Date(1000), m: 'mine' });
    const again = { databases: { shop: 'copy' } };
    await expectAt(found, again, names, { writeStrategy: 'overwriteExisting' });
  });

  test('dropped before the point: it is not there to be restored', async () => {
    const found = await history({
      before: async (db) => await orders(db),
      until: async (db) => {
        await db.collection('orders').drop();
        await db.collection('late').insertOne({ _id: 1 as never });
      },
    });
    const wanted = { collections: { 'shop.orders': 'd.a', 'shop.late': 'd.b' } };
    await assert.rejects(expectAt(found, wanted, {}), { name: 'Fault', message: /^shop\.orders is not in the backup/ });
    assert.equal((await target().client.db('d').listCollections().toArray()).length, 0);
  });
});
