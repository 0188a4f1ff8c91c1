import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp, UUID } from 'bson';
import {
  chunkMin,
  isPending,
  rangeMin,
  rewriteChunk,
  rewriteCollection,
  rewriteDatabase,
  rewriteRangeDeletion,
  textOf,
  UnknownShard,
  uuidOf,
  withoutPending,
} from './routing-documents.ts';

const to = {
  shards: new Map([
    ['s0', 'berlin'],
    ['s1', 'a shard of a much longer name'],
  ]),
  timestamp: Uint8Array.from(new Timestamp({ t: 9, i: 3 }).toBytesLE()),
  newEpoch: () => Buffer.alloc(12, 7),
  newUuid: () => Buffer.alloc(16, 9),
};
const raw = (document: object): Buffer => Buffer.from(BSON.serialize(document));
const read = (document: Buffer) => BSON.deserialize(document, { promoteValues: false });

test('a chunk changes its owners and nothing else', () => {
  const chunk = {
    _id: new ObjectId('0123456789abcdef01234567'),
    uuid: new UUID('0123456789ab4def8123456789abcdef'),
    min: { a: new MinKey(), 7: new Double(Number.NaN), b: Decimal128.fromString('1.00') },
    max: { a: new MaxKey(), 7: Long.fromNumber(1), b: 's0' },
    shard: 's1',
    lastmod: new Timestamp({ t: 4, i: 1 }),
    history: [
      { validAfter: new Timestamp({ t: 3, i: 1 }), shard: 's1' },
      { validAfter: new Timestamp({ t: 2, i: 1 }), shard: 's0' },
    ],
  };
  const [first, second] = chunk.history;
  const expected = {
    ...chunk,
    shard: 'a shard of a much longer name',
    history: [
      { ...first, shard: 'a shard of a much longer name' },
      { ...second, shard: 'berlin' },
    ],
  };
  assert.deepEqual(rewriteChunk(raw(chunk), to), raw(expected));
  assert.equal(uuidOf(raw(chunk), 'uuid'), '0123456789ab4def8123456789abcdef');
});

test('a database and a collection get versions that nobody has cached', () => {
  const version = { uuid: new UUID(), timestamp: new Timestamp({ t: 1, i: 1 }), lastMod: new Int32(4) };
  const database = read(rewriteDatabase(raw({ _id: 'shop', primary: 's0', partitioned: false, version }), to));
  assert.equal(database.primary.toString(), 'berlin');
  assert.equal(database.version.uuid.toString('hex'), '09'.repeat(16));
  assert.deepEqual(database.version.timestamp, new Timestamp({ t: 9, i: 3 }));
  assert.deepEqual(Number(database.version.lastMod), 4);
  const collection = {
    _id: 'shop.orders',
    lastmodEpoch: new ObjectId(),
    timestamp: new Timestamp({ t: 1, i: 1 }),
    key: { b: 1, a: 1 },
  };
  const rewritten = rewriteCollection(raw(collection), to);
  const fresh = { lastmodEpoch: new ObjectId(Buffer.alloc(12, 7)), timestamp: new Timestamp({ t: 9, i: 3 }) };
  assert.deepEqual(rewritten, raw({ ...collection, ...fresh }));
  assert.equal(textOf(rewritten, '_id'), 'shop.orders');
});

test('orphans are of the shard by its new name, and a shard that nobody knows is refused', () => {
  const deletion = { _id: new UUID(), nss: 'shop.orders', donorShardId: 's0', range: { min: { s0: 1 }, max: {} } };
  assert.deepEqual(rewriteRangeDeletion(raw(deletion), to), raw({ ...deletion, donorShardId: 'berlin' }));
  assert.throws(() => rewriteRangeDeletion(raw({ ...deletion, donorShardId: 's7' }), to), UnknownShard);
  assert.throws(() => rewriteChunk(raw({ shard: 1 }), to), UnknownShard);
});

test('a range of a migration that nobody goes on with loses its mark, and is told from others by its lower bound', () => {
  const min = { b: new Int32(3), a: 'x' };
  const deletion = {
    _id: 1,
    nss: 'a.b',
    donorShardId: 's0',
    range: { min, max: { b: 9 } },
    pending: true,
    whenToClean: 'now',
  };
  assert.equal(isPending(raw(deletion)), true);
  assert.equal(isPending(raw({ ...deletion, pending: false })), false);
  const { pending: _, ...settled } = deletion;
  assert.deepEqual(withoutPending(raw(deletion)), raw(settled));
  assert.equal(isPending(withoutPending(raw(deletion))), false);
  assert.ok(rangeMin(raw(deletion)).equals(chunkMin(raw({ _id: 2, min, max: { b: 5 } }))));
  assert.ok(!rangeMin(raw(deletion)).equals(chunkMin(raw({ _id: 2, min: { b: 3.5, a: 'x' } }))));
});

test('a collection that is tracked although it is not sharded stays so', () => {
  const collection = {
    _id: 'shop.moved',
    lastmodEpoch: new ObjectId(),
    timestamp: new Timestamp({ t: 1, i: 1 }),
    uuid: new UUID(),
    key: { _id: 1 },
    unsplittable: true,
  };
  const fresh = { lastmodEpoch: new ObjectId(Buffer.alloc(12, 7)), timestamp: new Timestamp({ t: 9, i: 3 }) };
  assert.deepEqual(rewriteCollection(raw(collection), to), raw({ ...collection, ...fresh }));
});
