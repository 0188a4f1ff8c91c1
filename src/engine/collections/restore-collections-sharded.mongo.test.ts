import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { type CollectionRun, restoreChosen, type Wanted } from '../../../test/support/restored-collections.ts';
import { fillRouted, routedCollections } from '../../../test/support/routed-collections.ts';
import { serverIs } from '../../../test/support/server-version.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { must } from '../../lib/assert.ts';
import { describeError } from '../../lib/errors.ts';
import type { TakenSnapshot } from '../take/take-snapshot.ts';

/** Orphans stay where they are: every document of the sharded collections is on both shards. */
const source = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 3600 } });
const target = useReplicaSet({ name: 'target', cacheGb: 1 });

const hasShardedSeries = () => serverIs('6.0');

let prepared: Promise<{ fixture: ShardedFixture; taken: TakenSnapshot }> | undefined;

/** Once, when the first test asks: the servers are there by then. */
async function prepare(): Promise<{ fixture: ShardedFixture; taken: TakenSnapshot }> {
  await fillRouted(source());
  const primary = await source().primaryShardOf('shop');
  await primary.set.client.db('shop').createCollection('view', { viewOn: 'ranged', pipeline: [] });
  for (const { set } of source().shards) await set.client.db('shop').collection('ranged').createIndex({ k: 1, x: 1 });
  for (const { set } of source().shards) await set.client.db('stray').collection('here').insertOne({ of: set.name });
  // Buckets of both shards, and orphans of those that were moved.
  if (hasShardedSeries()) {
    await source().shardCollection('shop', 'series', { m: 1 }, { timeseries: { timeField: 't', metaField: 'm' } });
    const series = primary.set.client.db('shop').collection('series');
    await series.insertMany(Array.from({ length: 100 }, (_, n) => ({ t: new Date(n * 1000), m: n % 10, n })));
    await source().moveRange('shop', 'system.buckets.series', 1, { meta: 5 });
  }
  // One _id on both shards, and neither of them is an orphan.
  await source().shardCollection('shop', 'twice', { k: 1 });
  await source().moveRange('shop', 'twice', 1, { k: 5 });
  for (const [index, { set }] of source().shards.entries())
    await set.client
      .db('shop')
      .collection('twice')
      .insertOne({ _id: 1 as never, k: index * 10 });
  const fixture = await ShardedFixture.create(source());
  return { fixture, taken: await fixture.take() };
}

async function restore(wanted: Wanted, run: CollectionRun = {}) {
  prepared ??= prepare();
  const { fixture, taken } = await prepared;
  return await restoreChosen(fixture, taken, wanted, { uri: target().uri, ...run });
}

test('sharded collections come together in a replica set: what each shard owns, byte for byte, and no orphan', async () => {
  const names = [...routedCollections.map(({ name }) => name), 'plain', 'view'];
  const { result, journal } = await restore({
    collections: Object.fromEntries(names.map((name) => [`shop.${name}`, `copy.${name}`])),
  });
  assert.equal(result.leftOut.count, 0);
  const now = await readTruth(target().client, null);
  for (const { name, documents } of routedCollections) {
    const expected = new Map<string, string>();
    const routed = await source().findRouted('shop', name);
    const truths = new Map<string, Awaited<ReturnType<typeof readTruth>>>();
    for (const { id, set } of source().shards) truths.set(id, await readTruth(set.client, null));
    for (const [id, seen] of routed) {
      const held = must(truths.get(id)?.collections.get(`shop.${name}`)?.documents, `${id} has ${name}`);
      const ids = new Set(seen.map((one) => Number(one._id)));
      for (const [key, bytes] of held) if (ids.has(bytes.readInt32LE(9))) expected.set(key, bytes.toString('hex'));
    }
    assert.equal(expected.size, documents.length, `every document of ${name} has one owner`);
    const actual = must(now.collections.get(`copy.${name}`)?.documents, `${name} is there`);
    assert.deepEqual(new Map([...actual].map(([key, bytes]) => [key, bytes.toString('hex')])), expected, name);
    assert.equal(journal.records.find((one) => one.source === `shop.${name}`)?.restoredDocuments, documents.length);
  }
  assert.equal(await target().client.db('copy').collection('plain').countDocuments(), 2);
  const view = await target().client.db('copy').listCollections({ name: 'view' }).next();
  assert.equal((view as { options?: { viewOn?: string } }).options?.viewOn, 'ranged');
  const indexes = await target().client.db('copy').collection('ranged').indexes();
  assert.deepEqual(indexes.map(({ name }) => name).toSorted(), ['_id_', 'k_1', 'k_1_x_1']);
});

test('a sharded time series comes with the buckets of all its shards', async (t) => {
  if (!hasShardedSeries()) return t.skip('no server before 5.1 shards a time series');
  const { journal } = await restore({ collections: { 'shop.series': 'copy.series' } });
  const restored = await target().client.db('copy').collection('series').find().toArray();
  assert.deepEqual(
    restored.map(({ n }) => Number(n)).toSorted((a, b) => a - b),
    Array.from({ length: 100 }, (_, n) => n),
  );
  const held = new Map<string, string>();
  for (const { set } of source().shards) {
    const truth = await readTruth(set.client, null);
    const buckets = truth.collections.get('shop.system.buckets.series')?.documents ?? new Map<string, Buffer>();
    assert.ok(buckets.size > 0, `${set.name} has buckets`);
    for (const [id, bytes] of buckets) held.set(id, bytes.toString('hex'));
  }
  const now = await readTruth(target().client, null);
  const actual = must(now.collections.get('copy.system.buckets.series')?.documents, 'it has buckets');
  assert.deepEqual(new Map([...actual].map(([id, bytes]) => [id, bytes.toString('hex')])), held);
  assert.equal(journal.records[0]?.restoredDocuments, held.size);
});

test('two documents of one _id, each on its shard, are no replica set’s: said before anything is in its place', async () => {
  const before = await readTruth(target().client, null);
  await assert.rejects(restore({ collections: { 'shop.twice': 'fresh.twice' } }), (error) => {
    assert.match(describeError(error), /shop\.twice.* on several shards .*same _id/);
    return true;
  });
  assert.deepEqual(await readTruth(target().client, null), before);
});

test('what lies on several shards and is routed by nobody is refused', async () => {
  await assert.rejects(
    restore({ databases: { stray: 'fresh' } }),
    /stray\.here lies on .* and .*, and the config servers of the snapshot do not know its database/,
  );
});

test('a sharded target is refused', async () => {
  const run = { uri: source().uri };
  await assert.rejects(restore({ collections: { 'shop.plain': 'fresh.plain' } }, run), /leads to a sharded cluster/);
});
