import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { gapName, parseGapName, parseSliceName, runsOf, type SliceSpan, sliceName, slicesFor } from './slice-name.ts';

const span = (first: number, last: number): SliceSpan => ({ first: BigInt(first), last: BigInt(last) });

test('names hold both ends and sort by time', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (a, b) => {
      const one = a < b ? { first: a, last: b } : { first: b, last: a };
      assert.deepEqual(parseSliceName(sliceName(one)), one);
      assert.equal(parseGapName(gapName(a)), a);
      assert.equal(sliceName({ first: a, last: a }) < sliceName({ first: b, last: b }), a < b);
    }),
  );
  for (const name of ['', 'gap-', '0-1', `${'f'.repeat(16)}-${'0'.repeat(16)}`])
    assert.equal(parseSliceName(name), null);
});

test('slices that share their ends make one run; a missing one makes two', () => {
  const all = [span(1, 5), span(5, 9), span(9, 12), span(12, 20)];
  assert.deepEqual(
    runsOf(all.toReversed()).map(({ first, last }) => [first, last]),
    [[1n, 20n]],
  );
  assert.deepEqual(
    runsOf(all.filter((_, i) => i !== 2)).map(({ first, last }) => [first, last]),
    [
      [1n, 9n],
      [12n, 20n],
    ],
  );
});

test('a slice written twice at different lengths does not break the run', () => {
  const runs = runsOf([span(1, 5), span(5, 7), span(5, 9), span(9, 12)]);
  assert.deepEqual(
    runs.map((run) => [run.first, run.last, run.slices.length]),
    [[1n, 12n, 3]],
  );
});

test('the slices for an interval are found only where one run holds all of it', () => {
  const runs = runsOf([span(1, 5), span(5, 9), span(12, 20)]);
  assert.deepEqual(slicesFor(runs, 2n, 7n), [span(1, 5), span(5, 9)]);
  assert.deepEqual(slicesFor(runs, 5n, 9n), [span(5, 9)]);
  assert.equal(slicesFor(runs, 2n, 13n), null);
  assert.equal(slicesFor(runs, 0n, 3n), null);
  assert.equal(slicesFor(runs, 13n, 21n), null);
});

test('any cut of a history into contiguous slices is one run, and dropping an inner one never leaves it whole', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(10_000), { minLength: 4, maxLength: 40 }), fc.nat(), (cuts, dropped) => {
      const ends = cuts.toSorted((a, b) => a - b);
      const slices = ends.slice(1).map((end, i) => span(ends[i] as number, end));
      assert.equal(runsOf(slices).length, 1);
      const without = slices.filter((_, i) => i !== 1 + (dropped % (slices.length - 2)));
      assert.equal(runsOf(without).length, 2);
    }),
  );
});
