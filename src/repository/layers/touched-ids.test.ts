import assert from 'node:assert/strict';
import { test } from 'node:test';
import { documentsIn, documentWith, int32Id } from '../../../test/support/raw-documents.ts';
import { type Partition, TouchedIds } from './touched-ids.ts';

const all = { residue: 0, modulus: 1 };
const payloadOf = (from: number, to: number): Buffer =>
  Buffer.concat(Array.from({ length: to - from }, (_, n) => documentWith(int32Id(from + n), Buffer.alloc(n % 7))));

function idsLeft(touched: TouchedIds, payload: Buffer, touch: boolean): string[] {
  const copy = Buffer.from(payload);
  const { documents, bytes } = touched.sift(copy, touch);
  const left = documentsIn(copy.subarray(0, bytes));
  assert.equal(left.length, documents);
  for (const [, document] of left) assert.ok(payload.includes(Buffer.from(document, 'hex')));
  return left.map(([id]) => id);
}

test('what was touched does not live any more, and its neighbors close ranks', () => {
  const touched = new TouchedIds(1, all);
  assert.equal(touched.passesAll, true);
  idsLeft(touched, payloadOf(10, 20), true);
  assert.equal(touched.passesAll, false);
  const left = idsLeft(touched, payloadOf(0, 30), false);
  const expected = [...Array(10).keys(), ...Array.from({ length: 10 }, (_, n) => n + 20)];
  assert.deepEqual(
    left,
    expected.map((n) => int32Id(n).toString('hex')),
  );
  assert.deepEqual(idsLeft(touched, payloadOf(12, 15), false), []);
  assert.deepEqual(idsLeft(touched, Buffer.alloc(0), false), []);
});

test('partitions split again and again hold every id exactly once', () => {
  const touched = new TouchedIds(7, all);
  idsLeft(touched, payloadOf(0, 500), true);
  const partitions: Partition[] = [];
  const before = touched.memoryBytes;
  for (let n = 0; n < 4; n++) partitions.push(touched.split());
  assert.ok(touched.memoryBytes < before / 4);
  // What is kept is still known; what was given up is another's.
  assert.deepEqual(idsLeft(touched, payloadOf(0, 500), false), []);
  const own = idsLeft(touched, payloadOf(500, 1000), false);
  const others = partitions.flatMap((partition) => idsLeft(new TouchedIds(7, partition), payloadOf(500, 1000), false));
  assert.equal(own.length + others.length, 500);
  assert.equal(new Set([...own, ...others]).size, 500);
  assert.ok(others.length > own.length);
});
