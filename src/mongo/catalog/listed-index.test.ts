import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Decimal128, type Document, Double, deserialize, Long, serialize } from 'bson';
import { listedIndex } from './listed-index.ts';

const base = { v: 2, key: { a: 1 }, name: 'a_1' };

function listed(spec: Document): Document {
  return deserialize(listedIndex(Buffer.from(serialize(spec))), { promoteValues: false });
}

function seconds(value: unknown): unknown {
  return listed({ ...base, expireAfterSeconds: value }).expireAfterSeconds;
}

test('fields come in the order of listIndexes, those that are not known last', () => {
  const spec = { v: 2, unique: true, hidden: true, key: { a: 1 }, name: 'a_1', odd: 1, collation: {}, sparse: true };
  const order = ['v', 'key', 'name', 'unique', 'hidden', 'sparse', 'collation', 'odd'];
  assert.deepEqual(Object.keys(listed(spec)), order);
});

test('flags are booleans, whatever was given', () => {
  const { sparse, background, unique } = listed({ ...base, sparse: new Double(1.5), background: 1, unique: 0 });
  assert.deepEqual([sparse, background, unique], [true, true, false]);
});

test('whole seconds are an int32, fractions stay, and what is no number never expires', () => {
  for (const five of [5, new Double(5), Long.fromNumber(5), Decimal128.fromString('5.0')])
    assert.deepEqual(seconds(five), seconds(5));
  assert.deepEqual(seconds(new Double(9999.7)), new Double(9999.7));
  assert.deepEqual(seconds(Decimal128.fromString('0.5')), Decimal128.fromString('0.5'));
  const never = [
    new Double(Number.NaN),
    new Double(Number.POSITIVE_INFINITY),
    new Double(1e20),
    Decimal128.fromString('NaN'),
  ];
  for (const odd of [...never, 'soon']) assert.deepEqual(seconds(odd), seconds(2_147_483_647));
});
