import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeChange } from './change-words.ts';

const int = (value: number) => ({ $numberInt: String(value) });
const change = (before: object | null, after: object) =>
  describeChange(before === null ? null : JSON.stringify(before), JSON.stringify(after));

test('the change stands there, not the document', () => {
  const before = { _id: 'alice', name: 'Alice', balance: int(10) };
  assert.equal(change(before, { ...before, balance: int(-1) }), 'balance 10 -> -1');
  assert.equal(change(before, before), 'the same');
  assert.equal(change(before, { _id: 'alice', balance: int(10), note: 'x' }), 'note "x" added, name removed');
  assert.equal(change({ balance: int(1) }, { balance: '1' }), 'balance 1 -> "1"');
});

test('within documents by the path, and types that are objects in JSON are values', () => {
  const at = { $date: { $numberLong: '0' } };
  assert.equal(change({ a: { b: int(1), c: 1 } }, { a: { b: int(2), c: 1 } }), 'a.b 1 -> 2');
  assert.equal(
    change({ at }, { at: { $date: { $numberLong: '1000' } } }),
    'at 1970-01-01T00:00:00.000Z -> 1970-01-01T00:00:01.000Z',
  );
  assert.equal(
    change({ at }, { at: { $date: { $numberLong: '9223372036854775807' } } }),
    'at 1970-01-01T00:00:00.000Z -> {"$date":{"$numberLong":"9223372036854775807"}}',
  );
  assert.equal(change({ a: [int(1)] }, { a: [int(1), { b: null }] }), 'a [1] -> [1, {b: null}]');
  assert.equal(change({ a: {} }, { a: { $oid: 'f'.repeat(24) } }), `a {} -> ${'f'.repeat(24)}`);
});

test('where there was nothing before, all but the _id', () => {
  assert.equal(change(null, { _id: 1, balance: int(10), tags: [] }), 'balance 10, tags []');
  assert.equal(change(null, { _id: 1 }), 'nothing but its _id');
});
