import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../refusals.ts';
import { baseFor, pointOf, restorableRanges, uselessUpTo } from './point-in-time.ts';

const nowMs = 1_800_000_000_000;
const at = (t: number, i = 1) => (BigInt(t) << 32n) | BigInt(i);
const T = 1_790_000_000;

const refused: [string, Parameters<typeof pointOf>[0]][] = [
  ['nothing', {}],
  ['both', { pointInTimeUtcSeconds: T, oplogTs: T, oplogInc: 1 }],
  ['half of the second kind', { oplogTs: T }],
  ['the other half', { oplogInc: 1 }],
  ['before 2008', { pointInTimeUtcSeconds: 5 }],
  ['a fraction', { pointInTimeUtcSeconds: T + 0.5 }],
  ['the future', { pointInTimeUtcSeconds: nowMs / 1000 + 10 }],
  ['an ordinal that is none', { oplogTs: T, oplogInc: -1 }],
];
for (const [name, request] of refused) {
  test(`a point is refused: ${name}`, () => {
    assert.throws(
      () => pointOf(request, nowMs),
      (error) => error instanceof Refusal && error.code === 'INVALID_PIT_RESTORE_TIME',
    );
  });
}

test('a second does not include itself, an oplog timestamp does', () => {
  assert.deepEqual(pointOf({ pointInTimeUtcSeconds: T }, nowMs), { ts: at(T, 0), inclusive: false });
  assert.deepEqual(pointOf({ oplogTs: T, oplogInc: 7 }, nowMs), { ts: at(T, 7), inclusive: true });
});

const runs = [
  { first: at(T), last: at(T + 100) },
  { first: at(T + 200), last: at(T + 300) },
];
const snapshots = [
  { id: 'early', ts: at(T - 50) },
  { id: 'a', ts: at(T + 10) },
  { id: 'b', ts: at(T + 50) },
  { id: 'c', ts: at(T + 250) },
];

test('what can be restored begins with the first snapshot of each run', () => {
  assert.deepEqual(restorableRanges(runs, snapshots), [
    { from: at(T + 10), to: at(T + 100) },
    { from: at(T + 250), to: at(T + 300) },
  ]);
  assert.deepEqual(restorableRanges(runs, [{ id: 'x', ts: at(T + 150) }]), []);
});

const bases: [string, { ts: bigint; inclusive: boolean }, string | null][] = [
  ['the newest snapshot before it', { ts: at(T + 60), inclusive: true }, 'b'],
  ['an older one where the newest is after it', { ts: at(T + 49), inclusive: true }, 'a'],
  ['its own time, including', { ts: at(T + 50), inclusive: true }, 'b'],
  ['its own time, not including', { ts: at(T + 50), inclusive: false }, 'a'],
  ['before the first snapshot', { ts: at(T + 5), inclusive: true }, null],
  ['in the gap', { ts: at(T + 150), inclusive: true }, null],
  ['after the gap and before a snapshot', { ts: at(T + 210), inclusive: true }, null],
  ['after the gap', { ts: at(T + 299), inclusive: true }, 'c'],
  ['the last captured entry', { ts: at(T + 300), inclusive: true }, 'c'],
  ['beyond it', { ts: at(T + 301, 0), inclusive: false }, null],
];
for (const [name, point, expected] of bases) {
  test(`a restore begins with: ${name}`, () => {
    assert.equal(baseFor(point, runs, snapshots)?.id ?? null, expected);
  });
}

test('slices go when the window has passed them, but not those that lead from the last snapshot before it', () => {
  const day = 86_400;
  const window = { nowMs: (T + 10 * day) * 1000, restoreWindowDays: 3 };
  const daily = Array.from({ length: 10 }, (_, i) => ({ id: String(i), ts: at(T + i * day) }));
  assert.equal(uselessUpTo(daily, window), at(T + 6 * day));
  assert.equal(uselessUpTo(daily.slice(9), window), at(T + 9 * day), 'no snapshot precedes what is older');
  assert.equal(uselessUpTo([], window), null);
});
