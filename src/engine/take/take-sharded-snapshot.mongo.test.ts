import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, type Document } from 'mongodb';
import { documentsIn } from '../../../test/support/raw-documents.ts';
import { past, useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { must } from '../../lib/assert.ts';
import { replicaSetsOf } from '../../repository/format/manifest-replica-sets.ts';
import { readCollection } from '../../repository/layers/layers.ts';
import type { TakenSnapshot } from './take-snapshot.ts';

const cluster = useShardedCluster();

test('every shard and the config servers are taken at one time, while all of them are written to and a chunk moves', async () => {
  await cluster().createDatabase('shop', 0);
  await cluster().shardCollection('shop', 'orders');
  await cluster().moveRange('shop', 'orders', 1, { _id: 5000 });
  const [first, second] = [cluster().shard(0).set.client, cluster().shard(1).set.client];
  const orders = [
    first.db('shop').collection<{ _id: number }>('orders'),
    second.db('shop').collection<{ _id: number }>('orders'),
  ] as const;
  const filled = async (at: 0 | 1, from: number) => {
    const documents = Array.from({ length: 2000 }, (_, n) => ({ _id: from + n, v: `value ${n}` }));
    await orders[at].insertMany(documents);
  };
  await filled(0, 0);
  await filled(1, 5000);
  const fixture = await ShardedFixture.create(cluster());
  let writing = true;
  const writer = (async () => {
    for (let n = 0; writing; n++) {
      await Promise.all([
        past(orders[0].updateOne({ _id: n % 1500 }, { $inc: { n: 1 } })),
        past(orders[1].updateOne({ _id: 5000 + (n % 2000) }, { $inc: { n: 1 } })),
        n % 50 === 0 ? first.db('shop').collection('plain').insertOne({ n }) : null,
      ]);
    }
  })();
  try {
    const full = await fixture.take();
    assert.equal(full.statistics.scannedCollections > 0, true);
    const moving = cluster().moveRange('shop', 'orders', 1, { _id: 1500 }, { _id: 2000 });
    const incremental = await fixture.take();
    await moving;
    const quiet = await fixture.take();
    writing = false;
    await writer;
    for (const taken of [full, incremental, quiet]) {
      assert.ok((await fixture.requireExact(taken)) >= 4000);
      const owners = await requireRouted(fixture, taken);
      if (taken === full) assert.deepEqual(owners, ['s0', 's0']);
      if (taken === quiet) assert.deepEqual(owners, ['s1', 's1']);
    }
    assert.ok(quiet.statistics.documentsRead < 6000, `${quiet.statistics.documentsRead} were read again`);
  } finally {
    writing = false;
    await writer;
  }
  assert.deepEqual(fixture.holds, ['held', 'released', 'held', 'released', 'held', 'released']);
  assert.equal((await cluster().balancer()).mode, 'full');
  process.stdout.write(`balancer held for ${fixture.heldMs.map(Math.round).join(', ')} ms\n`);
});

/**
 * By the routing metadata of the snapshot itself every order is on the shard that owns its chunk. Gives the owners of
 * the first and the last moved one.
 */
async function requireRouted(fixture: ShardedFixture, taken: TakenSnapshot): Promise<string[]> {
  const replicaSets = replicaSetsOf(await fixture.manifest(taken));
  const read = async (shardName: string, db: string, name: string) => {
    const found = must(
      replicaSets.find(({ replicaSet }) => replicaSet?.shardName === shardName),
      'the replica set is there',
    );
    const entry = must(
      found.manifest.collections.find((one) => one.db === db && one.name === name),
      `${db}.${name} is taken`,
    );
    const documents: Document[] = [];
    for await (const buffer of readCollection(fixture.repository, fixture.clusterId, entry, {}))
      for (const [, hex] of documentsIn(buffer)) documents.push(BSON.deserialize(Buffer.from(hex, 'hex')));
    return documents;
  };
  const sharded = await read('config', 'config', 'collections');
  const { uuid } = must(
    sharded.find((one) => one._id === 'shop.orders'),
    'the collection is sharded',
  );
  const chunks = (await read('config', 'config', 'chunks')).filter((chunk) => chunk.uuid.equals(uuid));
  const held = new Map<string, Set<number>>();
  for (const shard of ['s0', 's1'])
    held.set(shard, new Set((await read(shard, 'shop', 'orders')).map((order) => Number(order._id))));
  const number = (bound: unknown, otherwise: number) => (typeof bound === 'number' ? bound : otherwise);
  const ownerOf = (id: number): string => {
    const [chunk, ...others] = chunks.filter(
      ({ min, max }) =>
        number(min._id, Number.NEGATIVE_INFINITY) <= id && id < number(max._id, Number.POSITIVE_INFINITY),
    );
    assert.equal(others.length, 0);
    return String(chunk?.shard);
  };
  for (const from of [0, 5000])
    for (let id = from; id < from + 2000; id++)
      assert.ok(held.get(ownerOf(id))?.has(id), `order ${id} is not on ${ownerOf(id)}, which owns it`);
  return [ownerOf(1500), ownerOf(1999)];
}

test('a balancer that is off is left alone', async () => {
  const admin = cluster().config.client.db('admin');
  await admin.command({ _configsvrBalancerStop: 1 });
  const fixture = await ShardedFixture.create(cluster());
  await fixture.take();
  assert.deepEqual(fixture.holds, []);
  assert.equal((await cluster().balancer()).mode, 'off');
  await admin.command({ _configsvrBalancerStart: 1 });
});

test('a snapshot that is called off gives the balancer back', async () => {
  const fixture = await ShardedFixture.create(cluster());
  const calledOff = new AbortController();
  const holdRecord = {
    write: async () => {
      fixture.holds.push('held');
      calledOff.abort();
    },
    erase: async () => void fixture.holds.push('released'),
  };
  await assert.rejects(fixture.take({ holdRecord, signal: calledOff.signal }));
  assert.deepEqual(fixture.holds, ['held', 'released']);
  assert.equal((await cluster().balancer()).mode, 'full');
});
