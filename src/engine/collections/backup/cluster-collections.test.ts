import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, BSON, type Document, MaxKey, MinKey } from 'bson';
import type { CollectionEntry, LayerRef } from '../../../repository/format/manifest.ts';
import { ShardRouting } from '../../sharding/shard-routing.ts';
import { clusterCollections, isUnrouted } from './cluster-collections.ts';

const uuid = new Binary(Buffer.alloc(16, 7), Binary.SUBTYPE_UUID);
const raw = (document: Document) => Buffer.from(BSON.serialize(document));
const chunk = (shard: string, min: unknown, max: unknown) => raw({ uuid, min: { k: min }, max: { k: max }, shard });

const routing = new ShardRouting({
  databases: [raw({ _id: 'shop', primary: 's1' })],
  collections: ['shop.orders', 'shop.system.buckets.series'].map((_id) => raw({ _id, uuid, key: { k: 1 } })),
  chunks: [chunk('s0', new MinKey(), 5), chunk('s1', 5, new MaxKey())],
});

function entry(shard: string, name: string, change: Partial<CollectionEntry> = {}): CollectionEntry {
  const layers = [{ storedBytes: 1, snapshotId: shard } as unknown as LayerRef];
  const [db = '', ...rest] = name.split('.');
  const info = Buffer.from(shard);
  return {
    db,
    name: rest.join('.'),
    type: 'collection',
    uuid,
    info,
    indexes: [],
    documents: 3,
    bytes: 9,
    layers,
    ...change,
  } as never;
}

const offered = clusterCollections(
  ['s0', 's1'].map((shardName) => ({
    shardName,
    collections: [
      ...['shop.orders', 'shop.plain', 'shop.system.buckets.series', 'stray.here'].map((name) =>
        entry(shardName, name),
      ),
      ...(shardName === 's1' ? [entry('s1', 'shop.series', { type: 'timeseries' })] : []),
    ],
  })),
  routing,
);
const named = (name: string) => {
  const found = offered.collections.filter((one) => `${one.db}.${one.name}` === name);
  assert.equal(found.length, 1, `${name} is offered once`);
  return found[0] as CollectionEntry;
};
const shardsOf = (name: string) => offered.partsOf(named(name)).map(({ shardName }) => shardName);

test('a sharded collection is one, of every shard that owns some of it', () => {
  const orders = named('shop.orders');
  assert.deepEqual(shardsOf('shop.orders'), ['s0', 's1']);
  assert.deepEqual([orders.documents, orders.bytes, orders.layers.length], [6, 18, 2]);
  assert.equal(orders.info.toString(), 's0');
  const seen = offered
    .partsOf(orders)
    .map(({ owned }) => [4, 5, 'text'].filter((k) => typeof owned === 'function' && owned(raw({ k }), 0)));
  assert.deepEqual(seen, [[4], [5, 'text']]);
});

test('what is not sharded is what its primary shard has of it, whatever lies elsewhere under the name', () => {
  assert.deepEqual(shardsOf('shop.plain'), ['s1']);
  assert.equal(named('shop.plain').info.toString(), 's1');
  assert.equal(named('shop.plain').documents, 3);
});

test('a sharded time series is known by its primary shard, and its buckets are of all', () => {
  assert.deepEqual(shardsOf('shop.series'), ['s1']);
  assert.deepEqual(shardsOf('shop.system.buckets.series'), ['s0', 's1']);
});

test('what several shards have of a database that the config servers do not know is of none of them', () => {
  assert.equal(isUnrouted(offered.partsOf(named('stray.here'))), true);
  assert.equal(isUnrouted(offered.partsOf(named('shop.orders'))), false);
  assert.equal(isUnrouted(offered.partsOf(named('shop.plain'))), false);
});
