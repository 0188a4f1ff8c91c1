import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { documentOf, fieldsOf } from '../../src/bson/raw-bson.ts';
import { oplogAfter } from '../../src/engine/replay/slice-oplog.ts';
import { Fault } from '../../src/lib/errors.ts';
import { findServers, type Server } from '../../tools/servers.ts';
import { compareTruth } from '../support/compare.ts';
import { type ReplicaSet, type ReplicaSetOptions, useReplicaSet, withReplicaSet } from '../support/replica-set.ts';
import { knownOptions, needsServer, serverVersion } from '../support/server-version.ts';
import { SnapshotFixture } from '../support/snapshot-fixture.ts';
import { Tailing } from '../support/tailing.ts';
import { readTruth, type Truth } from '../support/truth.ts';

const others = (await findServers('known')).filter(({ version }) => version !== serverVersion);
const majorOf = (version: string): number => Number(version.split('.')[0]);
const BUCKETS = 'system.buckets.';

/** In which a field has values of two types: releases before 6.0.17 take it as it is. */
const MIXED_BUCKET = {
  control: { version: 1, min: { t: new Date(0), a: 1 }, max: { t: new Date(5), a: 'x' } },
  meta: 1,
  data: { t: { 0: new Date(0), 1: new Date(5) }, a: { 0: 1, 1: 'x' } },
};

async function makeOneOfEach({ client }: ReplicaSet): Promise<void> {
  const db = client.db('shop');
  await db.createCollection('orders', { collation: { locale: 'en' }, validator: { n: { $gte: 0 } } });
  await db.collection('orders').createIndex({ n: 1 }, { unique: true });
  await db.collection('orders').insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: n as never, n })));
  await db.createCollection('log', { capped: true, size: 65_536, max: 40 });
  await db.collection('log').insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: n as never })));
  await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 10 ** 9 });
  await db.collection('series').insertMany(Array.from({ length: 50 }, (_, n) => ({ t: new Date(n), m: n % 3, n })));
  await db.createCollection('view', {
    viewOn: 'orders',
    pipeline: [{ $match: { n: 3 } }],
    collation: { locale: 'en' },
  });
}

/** Also what the oplog has to carry: options, a rename, a transaction, a new time series. */
async function changeSome({ client }: ReplicaSet): Promise<void> {
  const db = client.db('shop');
  await db.collection('orders').updateMany({ n: { $lt: 20 } }, [{ $set: { late: { $mod: ['$n', 3] } } }]);
  await db.collection('orders').deleteMany({ n: { $gte: 490 } });
  await db.command(knownOptions({ collMod: 'orders', validationLevel: 'moderate' }));
  await db.collection('log').insertMany(Array.from({ length: 20 }, (_, n) => ({ _id: (100 + n) as never })));
  await db.createCollection('later', { timeseries: { timeField: 't', granularity: 'minutes' } });
  await db.collection('later').insertOne({ t: new Date(0), a: 1 });
  await db.collection('series').insertOne({ t: new Date(7), m: 1, n: 'text' });
  await db.collection('draft').insertOne({ _id: 1 as never });
  await db.collection('draft').rename('final');
  await client.withSession(async (session) => {
    await session.withTransaction(async () => {
      await db.collection('final').insertOne({ _id: 2 as never }, { session });
      await db.collection('orders').updateOne({ n: 30 }, { $set: { paid: true } }, { session });
    });
  });
}

/**
 * What the releases themselves make of the same time series differs: the options of its buckets, and whether it is said
 * to hold values of mixed types.
 */
function alike(truth: Truth): Truth {
  const collections = [...truth.collections].map(([namespace, found]) => {
    if (found.name.startsWith(BUCKETS)) return [namespace, { ...found, options: Buffer.alloc(0) }] as const;
    if (found.type !== 'timeseries') return [namespace, found] as const;
    const options = fieldsOf(found.options, 0).filter(({ name }) => name !== 'storageEngine');
    return [namespace, { ...found, options: documentOf(options) }] as const;
  });
  return { ...truth, collections: new Map(collections) };
}

async function compared(expected: Truth, set: ReplicaSet): Promise<string[]> {
  return compareTruth(alike(expected), alike(await readTruth(set.client, null)));
}

async function expectWhole(source: ReplicaSet, target: ReplicaSet): Promise<void> {
  await makeOneOfEach(source);
  const fixture = await SnapshotFixture.create(source.uri);
  const tailing = new Tailing(source, fixture);
  await tailing.begun();
  const taken = await fixture.take();
  const atSnapshot = await readTruth(source.client, null);
  await changeSome(source);
  const atPoint = await readTruth(source.client, null);
  const point = await tailing.mark();
  await tailing.stop();
  await fixture.restore(target.uri, taken);
  assert.deepEqual(await compared(atSnapshot, target), [], 'the snapshot');
  const { signal } = new AbortController();
  const oplog = await oplogAfter(fixture.repository, taken.header, point, signal);
  await fixture.restore(target.uri, taken, { pointInTime: { end: { ts: point, inclusive: true }, source: oplog } });
  assert.deepEqual(await compared(atPoint, target), [], 'the point');
}

async function expectRefused(source: ReplicaSet, target: ReplicaSet, versions: RegExp): Promise<void> {
  await source.client.db('shop').collection('orders').insertOne({ n: 1 });
  await target.client
    .db('kept')
    .collection('kept')
    .insertOne({ n: 1 }, { writeConcern: { w: 'majority' } });
  const fixture = await SnapshotFixture.create(source.uri);
  await fixture.take();
  const before = await readTruth(target.client, null);
  await assert.rejects(fixture.restore(target.uri), (error) => {
    assert.ok(error instanceof Fault);
    assert.match(error.message, versions);
    assert.match(error.hint ?? '', /same major version or the next/);
    return true;
  });
  assert.deepEqual(await compared(before, target), [], 'the target was touched');
}

/** From 6.0.17 on the collection has to be said to have such. */
async function insertMixed({ client }: ReplicaSet): Promise<void> {
  const db = client.db('shop');
  const insert = async () => await db.collection(`${BUCKETS}series`).insertOne({ ...MIXED_BUCKET });
  try {
    await insert();
  } catch {
    await db.command({ collMod: 'series', timeseriesBucketsMayHaveMixedSchemaData: true });
    await insert();
  }
}

/** Why there is no such server; false where there is. */
const missing = ({ binary, version, why }: Server): string | false =>
  binary === null ? `there is no server of ${version} here: ${why}` : false;
const optionsOf = ({ binary }: Server): ReplicaSetOptions => (binary === null ? {} : { binary });

/** A release's own feature compatibility version, and the one before it. */
const COMPATIBILITY: Record<string, readonly [string, string]> = {
  '6.0': ['6.0', '5.0'],
  '7.0': ['7.0', '6.0'],
  '8.0': ['8.0', '7.0'],
};

async function setCompatibility({ client }: ReplicaSet, version: string): Promise<void> {
  const command = { setFeatureCompatibilityVersion: version };
  await client.db('admin').command(majorOf(serverVersion) < 7 ? command : { ...command, confirm: true });
}

describe('restores between releases', () => {
  const own = useReplicaSet({ name: 'own' });
  after(() => Tailing.stopAll());

  const [newer, older] = COMPATIBILITY[serverVersion.split('.').slice(0, 2).join('.')] ?? ['', ''];
  // What is made here has a time series, which 4.4 has not.
  const unknown = newer === '' ? `what ${serverVersion} can be set back to is not known here` : false;
  test('a feature compatibility version is restored to itself and newer ones, never to an older one', {
    skip: needsServer('6.0') || unknown,
  }, async () => {
    await withReplicaSet({ name: 'other' }, async (target) => {
      await setCompatibility(target, older);
      await expectRefused(
        own(),
        target,
        new RegExp(`feature compatibility ${newer}\\) .*feature compatibility ${older}`),
      );
      await own().client.db('shop').dropDatabase();
      await setCompatibility(own(), older);
      try {
        await expectWhole(own(), target);
        await setCompatibility(target, newer);
        await own().client.db('shop').dropDatabase();
        await expectWhole(own(), target);
      } finally {
        await setCompatibility(own(), newer);
      }
    });
  });

  for (const other of others) {
    for (const to of ['own', 'other'] as const) {
      const [from, into] = to === 'own' ? [other.version, serverVersion] : [serverVersion, other.version];
      const isTaken = majorOf(into) === majorOf(from) || majorOf(into) === majorOf(from) + 1;
      const name = isTaken ? 'exact, the snapshot and a later point' : 'refused by name before anything is touched';
      test(`from ${from} to ${into}: ${name}`, { skip: missing(other) }, async () => {
        await withReplicaSet({ name: 'other', ...optionsOf(other) }, async (set) => {
          await own().client.db('shop').dropDatabase();
          const [source, target] = to === 'own' ? [set, own()] : [own(), set];
          if (isTaken) await expectWhole(source, target);
          else await expectRefused(source, target, new RegExp(`of mongod ${from} .* to mongod ${into} `));
        });
      });
    }

    // No older release takes the snapshot.
    if (majorOf(other.version) < majorOf(serverVersion)) continue;
    test(`buckets of mixed types go from ${serverVersion} to ${other.version}`, { skip: missing(other) }, async () => {
      await withReplicaSet({ name: 'other', ...optionsOf(other) }, async (target) => {
        const db = own().client.db('shop');
        await db.dropDatabase();
        await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' } });
        const plain = Array.from({ length: 3 }, (_, n) => ({ t: new Date(n), m: 'plain', n }));
        await db.collection('series').insertMany(plain);
        const fixture = await SnapshotFixture.create(own().uri);
        const tailing = new Tailing(own(), fixture);
        await tailing.begun();
        const first = await fixture.take();
        await insertMixed(own());
        const second = await fixture.take();
        const expected = await readTruth(own().client, null);
        const point = await tailing.mark();
        await tailing.stop();
        await fixture.restore(target.uri, second);
        assert.deepEqual(await compared(expected, target), [], 'the snapshot');
        const oplog = await oplogAfter(fixture.repository, first.header, point, new AbortController().signal);
        await fixture.restore(target.uri, first, {
          pointInTime: { end: { ts: point, inclusive: true }, source: oplog },
        });
        assert.deepEqual(await compared(expected, target), [], 'the point');
      });
    });
  }
});
