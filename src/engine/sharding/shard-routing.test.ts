import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, type Document, MaxKey, MinKey, UUID } from 'mongodb';
import { Damage } from '../../lib/errors.ts';
import { ownedDocuments, ShardRouting } from './shard-routing.ts';

const raw = (document: Document) => Buffer.from(BSON.serialize(document));
const uuid = new UUID();
const [least, most] = [new MinKey(), new MaxKey()];
const chunk = (min: unknown, max: unknown, shard: string) => raw({ uuid, min: { k: min }, max: { k: max }, shard });
const routingOf = (chunks: Buffer[], key: Document = { k: 1 }) =>
  new ShardRouting({
    databases: [raw({ _id: 'shop', primary: 'a' })],
    collections: [raw({ _id: 'shop.orders', uuid, key })],
    chunks,
  });
const whole = [chunk(5, 9, 'b'), chunk(least, 5, 'a'), chunk(9, most, 'a')];
const orders = { db: 'shop', name: 'orders' };

async function keptBy(routing: ShardRouting, shard: string, documents: Document[]): Promise<Document[]> {
  const buffer = Buffer.concat(documents.map(raw));
  const kept: Document[] = [];
  const owned = ownedDocuments(one(buffer), routing.ownership(orders, shard));
  for await (const run of owned)
    for (let at = 0; at < run.length; at += run.readInt32LE(at))
      kept.push(BSON.deserialize(run.subarray(at, at + run.readInt32LE(at))));
  return kept;
}

async function* one(buffer: Buffer) {
  yield buffer;
}

test('each document is of the shard whose chunk holds its key, and of no other', async () => {
  const routing = routingOf(whole);
  const documents = [{ k: 4 }, { k: 5 }, { k: 8.9 }, { k: 9 }, {}, { k: 'x' }, { k: null }, { k: { a: 1 } }];
  assert.deepEqual(await keptBy(routing, 'b', documents), [{ k: 5 }, { k: 8.9 }]);
  assert.deepEqual(
    await keptBy(routing, 'a', documents),
    documents.filter(({ k }) => !(k === 5 || k === 8.9)),
  );
  assert.deepEqual(await keptBy(routing, 'c', documents), []);
});

test('a key that is an array, or lies within one, is nobody’s; what it lies within may be anything else', async () => {
  const routing = routingOf([chunk(least, most, 'a')], { 'k.x': 1 });
  assert.deepEqual(await keptBy(routing, 'a', [{ k: [{ x: 1 }] }, { k: { x: [1] } }, { k: 7 }, { k: { x: 1 } }]), [
    { k: 7 },
    { k: { x: 1 } },
  ]);
});

test('what is not sharded is the primary shard’s; a database that nobody knows is left as it is', () => {
  const routing = routingOf(whole);
  assert.deepEqual(
    [routing.ownership({ db: 'shop', name: 'x' }, 'a'), routing.ownership({ db: 'shop', name: 'x' }, 'b')],
    ['all', 'none'],
  );
  assert.equal(routing.ownership({ db: 'elsewhere', name: 'x' }, 'b'), 'all');
});

test('chunks that leave a gap, overlap, or end early are damage, not a guess', () => {
  for (const [what, chunks] of [
    ['none', []],
    ['a gap', [chunk(least, 5, 'a'), chunk(6, most, 'b')]],
    ['an overlap', [chunk(least, 6, 'a'), chunk(5, most, 'b')]],
    ['no beginning', [chunk(5, most, 'a')]],
    ['no end', [chunk(least, 5, 'a')]],
    ['another key', [raw({ uuid, min: { k: least, l: least }, max: { k: most, l: most }, shard: 'a' })]],
  ] as const)
    assert.throws(() => routingOf([...chunks]).ownership(orders, 'a'), Damage, what);
});

test('a collection that was moved is whole on the shard it was moved to, whoever is its database’s primary', () => {
  const routing = new ShardRouting({
    databases: [raw({ _id: 'shop', primary: 'a' })],
    collections: [raw({ _id: 'shop.orders', uuid, key: { _id: 1 }, unsplittable: true })],
    chunks: [raw({ uuid, min: { _id: least }, max: { _id: most }, shard: 'b' })],
  });
  assert.deepEqual([routing.ownership(orders, 'a'), routing.ownership(orders, 'b')], ['none', 'all']);
});
