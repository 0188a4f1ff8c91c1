import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { needsServer } from '../../../test/support/server-version.ts';
import { type ShardedCluster, useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { readTruth } from '../../../test/support/truth.ts';

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => ({ _id: from + n, v: `v${n}` }));

async function requireEqualShards(source: ShardedCluster, target: ShardedCluster): Promise<void> {
  for (const [index, { set }] of source.shards.entries()) {
    const differences = compareTruth(
      await readTruth(set.client, null),
      await readTruth(target.shard(index).set.client, null),
    );
    assert.deepEqual(differences, [], `shard ${index}`);
  }
}

const idsOf = (found: Map<string, { _id?: unknown }[]>) =>
  [...found.values()].map((documents) => documents.map((one) => Number(one._id)).toSorted((a, b) => a - b));

describe('a sharded snapshot', () => {
  const source = useShardedCluster();
  const target = useShardedCluster({ prefix: 't' });
  const replicaSet = useReplicaSet({ name: 'alone' });

  test('is restored to a cluster of other names and hosts, which then routes by its metadata', async () => {
    await source().createDatabase('shop', 0);
    await source().createDatabase('other', 1);
    await source().shardCollection('shop', 'orders');
    const [first, second] = [source().shard(0).set.client, source().shard(1).set.client];
    const orders = (client: typeof first) => client.db('shop').collection<{ _id: number; v: string }>('orders');
    await orders(first).insertMany(range(0, 1000));
    await orders(first).createIndex({ v: 1 });
    // What was moved stays on its old shard for a while: orphans, with a note in config.rangeDeletions.
    await source().moveRange('shop', 'orders', 1, { _id: 600 });
    await orders(second).insertMany(range(1000, 1500));
    await second
      .db('other')
      .collection('plain')
      .insertMany([{ a: 1 }, { a: 2 }]);
    await second.db('other').createCollection('series', { timeseries: { timeField: 't' } });
    await second
      .db('other')
      .collection('series')
      .insertOne({ t: new Date(0), n: 1 });
    await second.db('other').createCollection('seen', { viewOn: 'plain', pipeline: [{ $match: { a: 1 } }] });
    assert.equal(await orders(first).countDocuments(), 1000, 'the moved ones are orphans now');
    const fixture = await ShardedFixture.create(source());
    await fixture.take();

    // The target has a life of its own, under names that the snapshot has too.
    await target().createDatabase('shop', 1);
    await target().shardCollection('shop', 'orders');
    await target().createDatabase('gone', 0);
    await target().shardCollection('gone', 'things');
    for (const time of ['first', 'again']) {
      await fixture.restore(target().uri);
      await requireEqualShards(source(), target());
      assert.deepEqual(
        await target().collectionUuid('shop', 'orders'),
        await source().collectionUuid('shop', 'orders'),
      );
      assert.equal((await target().primaryShardOf('shop')).id, 'ts0');
      assert.equal((await target().primaryShardOf('other')).id, 'ts1');
      const routed = idsOf(await target().findRouted('shop', 'orders'));
      assert.deepEqual(routed, idsOf(await source().findRouted('shop', 'orders')), time);
      assert.deepEqual(
        routed.map((ids) => ids.length),
        [600, 900],
      );
      const version = target()
        .shard(0)
        .set.client.db('admin')
        .collection<{ _id: string; shardName?: string }>('system.version');
      assert.equal((await version.findOne({ _id: 'shardIdentity' }))?.shardName, 'ts0');
    }
    const leftovers = target().shard(0).set.client.db('config').collection('rangeDeletions');
    const [waiting] = await leftovers.find().toArray();
    assert.equal(waiting?.donorShardId, 'ts0');
    assert.equal((await target().balancer()).mode, 'full');
    assert.deepEqual(fixture.holds.slice(2), ['held', 'released', 'held', 'released']);

    // It goes on as a sharded cluster does.
    await target().moveRange('shop', 'orders', 1, { _id: 100 }, { _id: 200 });
    const moved = idsOf(await target().findRouted('shop', 'orders'));
    assert.deepEqual(
      moved.map((ids) => ids.length),
      [500, 1000],
    );
    await fixture.restore(target().uri);
    await requireEqualShards(source(), target());

    // What one shard refuses is named, and all else is there.
    const admin = target().shard(0).set.client.db('admin');
    const data = { failCommands: ['createIndexes'], namespace: 'shop.orders', errorCode: 11000 };
    await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
    const { leftOut } = await fixture.restore(target().uri);
    await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
    assert.deepEqual(
      leftOut.named.map(({ namespace, kind, name }) => [namespace, kind, name]),
      [['shop.orders', 'index', 'v_1']],
    );
    assert.equal(leftOut.count, 1);
    await assert.rejects(requireEqualShards(source(), target()), /shop\.orders: .*index.*v_1/);
    assert.equal((await fixture.restore(target().uri)).leftOut.count, 0);
    await requireEqualShards(source(), target());
  });

  test('brings sharded time series along, buckets of one UUID on every shard', async (t) => {
    const missing = needsServer('6.0');
    if (missing !== false) return t.skip(`sharded time series: ${missing}`);
    const buckets = 'system.buckets.measured';
    const timeseries = { timeField: 't', metaField: 'm', granularity: 'minutes' };
    await source().createDatabase('lab', 1);
    await source().shardCollection('lab', 'measured', { m: 1 }, { timeseries, collation: { locale: 'simple' } });
    const lab = (shard: number) =>
      source()
        .shard(shard)
        .set.client.db('lab', { writeConcern: { w: 'majority' } });
    const measured = Array.from({ length: 300 }, (_, n) => ({ t: new Date(n * 1000), m: n % 10, n }));
    await lab(1).collection('measured').insertMany(measured);
    await lab(1).collection('measured').createIndex({ n: -1, t: 1 });
    await source().moveRange('lab', buckets, 0, { meta: 6 });
    // One that expires, and one of a database of the other shard, on which all of it stays.
    const expiring = { timeseries: { timeField: 't' }, expireAfterSeconds: 4_000_000_000 };
    await source().shardCollection('lab', 'expiring', { t: 1 }, expiring);
    await lab(1)
      .collection('expiring')
      .insertOne({ t: new Date(0), n: 1 });
    const fixture = await ShardedFixture.create(source());
    await fixture.take();
    for (const time of ['first', 'again']) {
      await fixture.restore(target().uri);
      await requireEqualShards(source(), target());
      const uuid = await source().collectionUuid('lab', buckets);
      for (const { set } of [...target().shards, ...source().shards]) {
        const listed = await set.client.db('lab').command({ listCollections: 1, filter: { name: buckets } });
        assert.deepEqual(listed.cursor.firstBatch[0]?.info.uuid, uuid, `${time}: ${set.name}`);
      }
      const routed = (found: Map<string, unknown[]>) => [...found.values()];
      const expected = routed(await source().findRouted('lab', buckets));
      assert.deepEqual(routed(await target().findRouted('lab', buckets)), expected);
      assert.ok(expected.every((held) => held.length > 0) && expected.length === 2);
    }
    // It goes on as a sharded time series does.
    await target().moveRange('lab', buckets, 0, { meta: 2 }, { meta: 4 });
    const [onFirst] = [...(await target().findRouted('lab', buckets)).values()];
    assert.deepEqual([...new Set(onFirst?.map(({ meta }) => meta))].toSorted(), [2, 3, 6, 7, 8, 9]);
    await fixture.restore(target().uri);
    await requireEqualShards(source(), target());
  });

  test("is what a sharded cluster takes: a replica set's snapshot is refused before the config servers are touched", async () => {
    const alone = await SnapshotFixture.create(replicaSet().uri);
    await alone.take();
    await assert.rejects(alone.restore(source().uri), /leads to the config servers of a sharded cluster/);
    assert.ok((await source().collectionUuid('shop', 'orders')) !== null);
  });

  test('is refused by a replica set, and by a cluster of another number of shards, before they are touched', async () => {
    const fixture = await ShardedFixture.create(source());
    const taken = await fixture.take();
    await replicaSet().client.db('mine').collection('kept').insertOne({ a: 1 });
    await assert.rejects(
      fixture.restore(replicaSet().uri, taken),
      /of a sharded cluster of 2 shards and .* is a replica set/,
    );
    assert.equal(await replicaSet().client.db('mine').collection('kept').countDocuments(), 1);
    const shards = target().config.client.db('config').collection<{ _id: string }>('shards');
    const removed = await shards.findOneAndDelete({ _id: 'ts1' }, { writeConcern: { w: 'majority' } });
    await assert.rejects(fixture.restore(target().uri, taken), /has 1: shards were added or removed/);
    if (removed !== null) await shards.insertOne(removed);
    await requireEqualShards(source(), target());
  });
});
