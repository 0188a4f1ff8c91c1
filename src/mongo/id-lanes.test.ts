import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSONSymbol, Decimal128, Double, Int32, Long, ObjectId, serialize } from 'bson';
import { findId } from '../bson/raw-bson.ts';
import { laneOfId } from './id-lanes.ts';

const LANES = 64;

function lane(_id: unknown, seed = 7): number {
  const buffer = Buffer.from(serialize({ _id }));
  const id = findId(buffer, 0);
  assert(id !== null);
  return laneOfId(buffer, id, seed, LANES);
}

test('ids that the server holds equal share a lane', () => {
  const equal: unknown[][] = [
    ...[0, 1, -7, 299, 2 ** 31 - 1].map((n) => [
      new Int32(n),
      new Double(n),
      Long.fromNumber(n),
      Decimal128.fromString(String(n)),
      Decimal128.fromString(`${n}.00`),
    ]),
    [new Double(-0), new Int32(0), Decimal128.fromString('-0')],
    [new Double(Number.NaN), Decimal128.fromString('NaN')],
    [new Double(Number.POSITIVE_INFINITY), Decimal128.fromString('Infinity')],
    [new Double(0.5), Decimal128.fromString('0.5'), Decimal128.fromString('5E-1')],
    [Long.fromString('9007199254740993'), Decimal128.fromString('9007199254740993')],
    ['x', new BSONSymbol('x')],
    [{ a: new Int32(1) }, { a: Long.fromNumber(1) }],
  ];
  for (const ids of equal) assert.equal(new Set(ids.map((id) => lane(id))).size, 1, `${String(ids)} share a lane`);
});

test('other ids spread over the lanes', () => {
  for (const make of [
    (n: number) => n,
    (n: number) => `id ${n}`,
    (_: number) => new ObjectId(),
    (n: number) => new Date(n),
  ]) {
    const used = new Set(Array.from({ length: 2000 }, (_, n) => lane(make(n))));
    assert(used.size > LANES * 0.9, `${used.size} of ${LANES} lanes were used`);
  }
});
