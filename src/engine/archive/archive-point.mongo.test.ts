import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BSON, type Document, type MongoClient, type PushOperator, Timestamp } from 'mongodb';
import { dropDatabases, fillSource } from '../../../test/support/archive-source.ts';
import { collect } from '../../../test/support/collect.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { restoreArchive } from '../../../test/support/restore-archive.ts';
import { serverIs } from '../../../test/support/server-version.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { Tailing } from '../../../test/support/tailing.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { readManifest } from '../../repository/manifests.ts';
import type { ReplayEnd } from '../replay/replay-interval.ts';
import { oplogAfter } from '../replay/slice-oplog.ts';
import { planArchivePoint } from './archive-point.ts';
import { readerOptions } from './reader-options.ts';
import { requireArchivable } from './require-archivable.ts';
import { writeArchive } from './write-archive.ts';

const source = useReplicaSet({ name: 'source', cacheGb: 0.5 });
const target = useReplicaSet({ name: 'target', setParameters: { ttlMonitorEnabled: false } });
const { signal } = new AbortController();

/** Everything that may happen between a snapshot and a point. */
async function change(client: MongoClient): Promise<void> {
  const db = client.db('shop');
  const orders = db.collection('orders');
  await orders.updateMany({ n: 5 }, { $set: { 'deep.er': [1, 2, { a: 1 }] }, $unset: { pad: 1 } });
  await orders.updateMany(
    { n: 5 },
    { $set: { 'deep.er.2.a': 2 }, $push: { list: 'x' } as unknown as PushOperator<Document> },
  );
  await orders.deleteMany({ n: 6 });
  await orders.replaceOne({ _id: 1 as never }, { replaced: true, zero: new Timestamp({ t: 0, i: 0 }) });
  await orders.updateOne({ _id: 1 as never }, [{ $set: { zero: new Timestamp({ t: 0, i: 0 }) } }]);
  await orders.updateOne({ _id: 2 as never }, [{ $set: { zero: new Timestamp({ t: 0, i: 0 }) } }]);
  await orders.createIndex({ list: 1 }, { name: 'made later', sparse: true });
  await orders.dropIndex('hashed');
  await orders.rename('renamed orders');
  const renamed = db.collection('renamed orders');
  await renamed.insertOne({ _id: 'after the rename' as never, pad: 'x' });
  await db.collection('orders').insertOne({ _id: 'another of the name' as never });
  await client.withSession((session) =>
    session.withTransaction(async () => {
      for (let n = 0; n < 3; n++)
        await renamed.insertMany(
          Array.from({ length: 3 }, (_, i) => ({ _id: `t${n}.${i}` as never, pad: 'y'.repeat(1 << 21) })),
          { session },
        );
      await db.collection('empty').insertOne({ _id: 'in a transaction' as never }, { session });
    }),
  );
  await client.withSession(async (session) => {
    session.startTransaction();
    await renamed.insertOne({ _id: 'aborted' as never }, { session });
    await session.abortTransaction();
  });
  await db.collection('log').insertMany(Array.from({ length: 30 }, (_, i) => ({ later: i })));
  if (serverIs('6.0')) await db.command({ collMod: 'log', cappedMax: 20 });
  await db.collection('log').insertMany(Array.from({ length: 5 }, (_, i) => ({ last: i })));
  await db.command({ collMod: 'collated', validator: { never: true }, validationAction: 'error' });
  await db.collection('collated').insertOne({ _id: 'A' as never }, { bypassDocumentValidation: true });
  await db.command({ collMod: 'series', timeseries: { granularity: 'hours' }, expireAfterSeconds: 1_000_000_000 });
  await db
    .collection('series')
    .insertMany(Array.from({ length: 90 }, (_, i) => ({ t: new Date(i * 9e6), m: 1, v: i })));
  await db.createCollection('late series', { timeseries: { timeField: 'at' } });
  await db.collection('late series').insertMany(Array.from({ length: 50 }, (_, i) => ({ at: new Date(i), i })));
  await db.collection('system.js').insertOne({ _id: 'later' as never, value: new BSON.Code('1') });
  await db.collection('clustered').drop();
  await db.collection('a lower view').drop();
  await db.createCollection('a lower view', { viewOn: 'renamed orders', pipeline: [] });
  await client.db('gone').collection('things').insertOne({});
  await client.db('gone').dropDatabase();
  await client
    .db('other')
    .collection('made')
    .aggregate([{ $documents: [{ a: 1 }, { a: 2 }] }, { $out: 'made' }])
    .toArray()
    .catch(() => undefined);
  await renamed.aggregate([{ $match: { n: 1 } }, { $out: { db: 'other', coll: 'out' } }]).toArray();
  await db.command({ createUser: 'later', pwd: 'secret', roles: ['clerk'] });
  await db.command({ updateUser: 'reader', customData: { changed: true } });
}

/** A point that is certain to be captured, as the service would be asked for it. */
async function pointAfter(tailing: Tailing): Promise<ReplayEnd> {
  return { ts: await tailing.mark(), inclusive: true };
}

async function archiveAt(fixture: SnapshotFixture, end: ReplayEnd): Promise<Buffer> {
  const { clusterId, repository } = fixture;
  const snapshotId = fixture.last?.header.snapshotId ?? '';
  const manifest = await readManifest(repository, { clusterId, snapshotId });
  const oplog = await oplogAfter(repository, manifest.header, end.ts, signal);
  const point = await planArchivePoint(repository, manifest, { end, source: oplog, signal });
  return Buffer.concat(await collect(writeArchive({ repository, manifest, point, signal })));
}

after(() => Tailing.stopAll());

test('the archive of a point in time, loaded and replayed as mongorestore does, is what the source held at that point', async () => {
  await fillSource(source().client);
  const fixture = await SnapshotFixture.create(source().uri, { blobBytes: 1 << 16 });
  const tailing = new Tailing(source(), { repository: fixture.repository, clusterId: fixture.clusterId });
  await tailing.begun();
  await fixture.take();
  const still = await pointAfter(tailing);
  const before = await readTruth(source().client, null);
  await change(source().client);
  const changed = await pointAfter(tailing);
  const now = await readTruth(source().client, null);
  const users = await source().client.db('admin').collection('system.users').find({}, { raw: true }).toArray();
  await source().client.db('shop').dropDatabase();
  await pointAfter(tailing);
  await tailing.stop();

  const { port } = await target().primary();
  const skip = (namespace: string) => namespace.startsWith('admin.');
  for (const [end, truth] of [
    [still, before],
    [changed, now],
  ] as const) {
    await dropDatabases(target().client);
    const archive = await archiveAt(fixture, end);
    const { collections, oplog } = await restoreArchive(archive, target().client, port);
    assert.deepEqual(compareTruth(truth, await readTruth(target().client, null), { skip }), []);
    assert.ok((oplog?.length ?? 0) >= (end === still ? 1 : 1000), `${oplog?.length} entries`);
    if (end === changed) assert.deepEqual(collections.get('admin.system.users')?.documents, users);
    assert.ok(archive.equals(await archiveAt(fixture, end)), 'its bytes are the same every time');
  }
});

test('a write that is too large for an archive is known before there is one', async () => {
  const docs = source().client.db('large').collection('docs');
  await docs.insertOne({ _id: 1 as never });
  const fixture = await SnapshotFixture.create(source().uri);
  const tailing = new Tailing(source(), { repository: fixture.repository, clusterId: fixture.clusterId });
  await tailing.begun();
  await fixture.take();
  // 16 MiB to the byte: as an entry of an oplog it is longer.
  await docs.insertOne({ _id: 2 as never, pad: Buffer.alloc((16 << 20) - 31) });
  const end = await pointAfter(tailing);
  await tailing.stop();
  const { clusterId, repository } = fixture;
  const manifest = await readManifest(repository, { clusterId, snapshotId: fixture.last?.header.snapshotId ?? '' });
  const oplog = await oplogAfter(repository, manifest.header, end.ts, signal);
  const point = await planArchivePoint(repository, manifest, { end, source: oplog, signal });
  await assert.rejects(
    requireArchivable({ manifest, point, signal }),
    /a write to large\.docs .* larger than an archive/,
  );
  await requireArchivable({ manifest, point: undefined, signal });
  assert.deepEqual(readerOptions(manifest, point), [
    ...['--gzip', '--oplogReplay', '--bypassDocumentValidation', '--keepIndexVersion'],
  ]);
  await source().client.db('large').dropDatabase();
});

test('a time series whose granularity changed after the snapshot shows all its measurements, and is listed as it was at the point', async () => {
  const db = source().client.db('measured');
  await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm', granularity: 'seconds' } });
  await db.createCollection('expiring', { timeseries: { timeField: 't', granularity: 'minutes' } });
  await db.collection('series').insertOne({ t: new Date(1.7e12), m: 0 });
  const fixture = await SnapshotFixture.create(source().uri);
  const tailing = new Tailing(source(), { repository: fixture.repository, clusterId: fixture.clusterId });
  await tailing.begun();
  await fixture.take();
  await db.command({ collMod: 'series', timeseries: { granularity: 'minutes' } });
  // Two hours in one bucket: more than buckets of the former granularity span.
  await db.collection('series').insertMany([0, 1, 2].map((hour) => ({ t: new Date(hour * 3.6e6 + 1.7e12), m: 1 })));
  await db.command({ collMod: 'series', timeseries: { granularity: 'hours' } });
  await db.command({ collMod: 'expiring', expireAfterSeconds: 1_000_000_000 });
  const end = await pointAfter(tailing);
  await tailing.stop();
  const archive = await archiveAt(fixture, end);

  await dropDatabases(target().client);
  const { oplog } = await restoreArchive(archive, target().client, (await target().primary()).port);
  const changes = (oplog ?? []).map((entry) => BSON.deserialize(entry)).filter(({ op }) => op === 'c');
  assert.deepEqual(changes, [], 'no option of a time series is left to the reader');
  const late = { t: { $gte: new Date(2 * 3.6e6 + 1.7e12) } };
  for (const { client, name } of [source(), target()]) {
    const found = client.db('measured');
    assert.equal(await found.collection('series').countDocuments(late), 1, name);
    const [listed] = (await found.listCollections({ name: 'series' }).toArray()) as Document[];
    assert.equal(listed?.options.timeseries.granularity, 'hours');
  }
  const skip = (namespace: string) => !namespace.startsWith('measured.');
  const expected = await readTruth(source().client, null);
  assert.deepEqual(compareTruth(expected, await readTruth(target().client, null), { skip }), []);
  await source().client.db('measured').dropDatabase();
});
