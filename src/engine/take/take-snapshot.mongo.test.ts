import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Timestamp } from 'mongodb';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { Cancelled } from '../../lib/errors.ts';

describe('a snapshot of a replica set', () => {
  const source = useReplicaSet({ name: 'source', setParameters: { minSnapshotHistoryWindowInSeconds: 3600 } });
  const target = useReplicaSet({ name: 'target', setParameters: { ttlMonitorEnabled: false } });

  test('first and incremental snapshots restore to what the source held, and the incremental one reads only what changed', async () => {
    const { client, uri } = source();
    const db = client.db('shop');
    const orders = db.collection<{ _id: number; n: number; pad: string }>('orders');
    await orders.insertMany(Array.from({ length: 20_000 }, (_, i) => ({ _id: i, n: 0, pad: 'x'.repeat(500) })));
    await orders.createIndex({ n: 1 });
    await db.createCollection('log', { capped: true, size: 1 << 16 });
    await db.collection('log').insertMany(Array.from({ length: 100 }, (_, i) => ({ i })));
    await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' } });
    await db
      .collection('series')
      .insertMany(Array.from({ length: 500 }, (_, i) => ({ t: new Date(i * 1000), m: i % 7, v: i })));
    await db.createCollection('big orders', { viewOn: 'orders', pipeline: [{ $match: { n: { $gt: 5 } } }] });
    const fixture = await SnapshotFixture.create(uri, { blobBytes: 1 << 20 });

    const first = await fixture.take();
    assert.equal(first.statistics.scannedCollections, 3, 'orders, the buckets and admin.system.version');
    await fixture.restore(target().uri);
    assert.deepEqual(compareTruth(await readTruth(client, null), await readTruth(target().client, null)), []);

    await orders.updateMany({ _id: { $lt: 200 } }, { $inc: { n: 7 } });
    await orders.deleteMany({ _id: { $gte: 19_990 } });
    await orders.insertMany([{ _id: -1, n: 1, pad: '' }]);
    await db.collection('fresh').insertOne({ a: 1 });
    const second = await fixture.take();
    assert.equal(second.header.parentSnapshotId, first.header.snapshotId);
    assert.ok(second.statistics.documentsRead < 400, `${second.statistics.documentsRead} documents read`);
    assert.ok(second.header.writtenStoredBytes < first.header.writtenStoredBytes / 5);
    await fixture.restore(target().uri);
    assert.deepEqual(compareTruth(await readTruth(client, null), await readTruth(target().client, null)), []);

    await fixture.restore(target().uri, first);
    const old = await target().client.db('shop').collection('orders').countDocuments();
    assert.equal(old, 20_000);
  });

  test('a snapshot under writes is the source at its T, not about T', async () => {
    const { client, uri } = source();
    const busy = client.db('busy').collection<{ _id: number; n: number }>('docs');
    await busy.insertMany(Array.from({ length: 5_000 }, (_, i) => ({ _id: i, n: 0 })));
    const fixture = await SnapshotFixture.create(uri, { blobBytes: 1 << 18 });
    let writing = true;
    let written = 0;
    const writer = (async () => {
      for (let i = 0; writing; i++, written++) {
        const id = (i * 7919) % 6_000;
        if (i % 3 === 0) await busy.deleteOne({ _id: id });
        else await busy.updateOne({ _id: id }, { $inc: { n: 1 } }, { upsert: true });
      }
    })();
    try {
      for (let round = 0; round < 3; round++) {
        const taken = await fixture.take();
        const expected = await readTruth(client, new Timestamp(taken.header.clusterTime));
        await fixture.restore(target().uri);
        const skip = (namespace: string) => !namespace.startsWith('busy.');
        assert.deepEqual(compareTruth(expected, await readTruth(target().client, null), { skip }), []);
      }
    } finally {
      writing = false;
      await writer;
    }
    assert.ok(written > 100, `${written} writes ran meanwhile`);
  });

  test('cancelling ends the snapshot within a second and leaves no manifest', async () => {
    const { client, uri } = source();
    await client
      .db('long')
      .collection('docs')
      .insertMany(Array.from({ length: 20_000 }, (_, i) => ({ _id: i, pad: 'y'.repeat(1_000) })) as never);
    const fixture = await SnapshotFixture.create(uri);
    const controller = new AbortController();
    let cancelledMs = 0;
    let bytesTotal = 0;
    await assert.rejects(
      fixture.take({
        signal: controller.signal,
        limits: { readBytesPerSecondMax: 2 << 20 },
        report: (progress) => {
          bytesTotal = Math.max(bytesTotal, progress.bytesTotal ?? 0);
          if (progress.bytesDone > 1 << 20 && cancelledMs === 0) {
            cancelledMs = performance.now();
            controller.abort(new Cancelled());
          }
        },
      }),
      Cancelled,
    );
    assert.ok(cancelledMs > 0 && performance.now() - cancelledMs < 1_000);
    assert.ok(bytesTotal > 20_000_000, 'a progress bar knew where it ends');
    for await (const object of fixture.repository.store.list('manifests/')) assert.fail(object.objectKey);
    await client.db('long').dropDatabase();
  });
});
