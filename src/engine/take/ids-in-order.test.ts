import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decimal128, Long, ObjectId, serialize } from 'bson';
import { findElement, idBytes } from '../../bson/raw-bson.ts';
import { must } from '../../lib/assert.ts';
import { ByteSet } from '../../lib/byte-set.ts';
import { boundsOf, isClustered, placesInOrder } from './ids-in-order.ts';

function idOf(value: unknown): Buffer {
  const document = Buffer.from(serialize({ _id: value }));
  return Buffer.from(idBytes(document, must(findElement(document, 0, '_id'), 'it has an id')));
}

test('ids are read in the order of the server, numbers by value whatever their type', () => {
  const values = ['b', 7, Long.fromNumber(-3), 2.5, new ObjectId('000000000000000000000001'), 'a', -10];
  const ids = new ByteSet(1);
  for (const id of values.map(idOf)) ids.add(id[0] as number, id, 1, id.length);
  assert.deepEqual(
    [...placesInOrder(ids)].map((place) => values[place]),
    [-10, Long.fromNumber(-3), 2.5, 7, 'a', 'b', new ObjectId('000000000000000000000001')],
  );
});

test('bounds are given only where the server surely finds every id between them', () => {
  const bounded = (...values: unknown[]) => boundsOf(values.map(idOf)) !== null;
  assert.equal(bounded(-1, 2.5, Long.fromNumber(7)), true);
  assert.equal(bounded(new ObjectId(), new ObjectId()), true);
  assert.equal(bounded(new Date(0), new Date(1)), true);
  assert.equal(bounded(1, new Date(1)), false, 'a range holds one kind of type');
  assert.equal(bounded('a', 'b'), false, 'a collation has an order of its own');
  assert.equal(bounded({ a: 'a' }, { a: 'b' }), false, 'there may be text inside');
  assert.equal(bounded(Number.NaN, 1), false, 'nothing is above or below NaN');
  assert.equal(bounded(1, Decimal128.fromString('2')), false);
  assert.equal(bounded(), false);
});

test('clustered are what says so and the buckets of time series', () => {
  const info = (options: object) => Buffer.from(serialize({ name: 'x', options }));
  assert.equal(isClustered({ name: 'x', info: info({}) }), false);
  assert.equal(isClustered({ name: 'x', info: info({ clusteredIndex: { v: 2 } }) }), true);
  assert.equal(isClustered({ name: 'system.buckets.x', info: info({}) }), true);
});
