import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON, Code, DBRef, Decimal128, Double, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'mongodb';
import { documentOf } from '../lib/raw-bson.ts';
import { extendedJson } from './extended-json.ts';

test('every type of value, as the bson package reads and writes it', () => {
  const document = {
    double: new Double(1),
    fraction: 0.1,
    large: 1e300,
    zero: -0,
    odd: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    string: 'a "quote"\n\u2028\u0000é😀',
    nested: { array: [1, [2, {}]] },
    binary: new BSON.Binary(Buffer.from([1, 2, 3]), 0),
    uuid: new BSON.UUID('01234567-89ab-cdef-0123-456789abcdef'),
    id: new ObjectId('0123456789abcdef01234567'),
    flags: [true, false, null],
    date: [new Date(0), new Date(-1), new Date(1e15)],
    pattern: /a\/"b/ims,
    code: [new Code('f()'), new Code('f(x)', { x: 1 })],
    symbol: new BSON.BSONSymbol('s'),
    reference: new DBRef('c', new ObjectId('0123456789abcdef01234567')),
    int: -7,
    timestamp: new Timestamp({ t: 4_000_000_000, i: 7 }),
    long: Long.fromString('-9223372036854775808'),
    decimal: Decimal128.fromString('1.50E+40'),
    keys: [new MinKey(), new MaxKey()],
  };
  const raw = Buffer.from(BSON.serialize(document));
  const text = extendedJson(raw);
  assert.deepEqual(Buffer.from(BSON.serialize(BSON.EJSON.parse(text, { relaxed: false }))), raw);
  assert.equal(text, BSON.EJSON.stringify(BSON.deserialize(raw, { promoteValues: false }), { relaxed: false }));
});

test('the order of integer-like names and names that occur twice stay', () => {
  const one = Buffer.from([1, 0, 0, 0]);
  const names = ['b', '1', '0', 'b'].map((name) => ({ name, type: 0x10, value: one }));
  const field = (name: string) => `"${name}":{"$numberInt":"1"}`;
  assert.equal(extendedJson(documentOf(names)), `{${['b', '1', '0', 'b'].map(field).join(',')}}`);
});
