import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal } from '../refusals/refusals.ts';
import {
  baseFor,
  commonRuns,
  decidedBy,
  pointOf,
  restorableRanges,
  uselessUpTo,
  windowEndMs,
} from './point-in-time.ts';

const at = (t: number, i = 1) => (BigInt(t) << 32n) | BigInt(i);
const T = 1_790_000_000;

const refused: [string, Parameters<typeof pointOf>[0]][] = [
  ['nothing', {}],
  ['both', { pointInTimeUtcSeconds: T, oplogTs: T, oplogInc: 1 }],
  ['half of the second kind', { oplogTs: T }],
  ['the other half', { oplogInc: 1 }],
  ['before 2008', { pointInTimeUtcSeconds: 5 }],
  ['a fraction', { pointInTimeUtcSeconds: T + 0.5 }],
  ['what no oplog can hold', { pointInTimeUtcSeconds: 2 ** 32 }],
  ['an ordinal that is none', { oplogTs: T, oplogInc: -1 }],
];
for (const [name, request] of refused) {
  test(`a point is refused: ${name}`, () => {
    assert.throws(
      () => pointOf(request),
      (error) => error instanceof Refusal && error.code === 'INVALID_PIT_RESTORE_TIME',
    );
  });
}

test('a second does not include itself, an oplog timestamp does', () => {
  assert.deepEqual(pointOf({ pointInTimeUtcSeconds: T }), { ts: at(T, 0), inclusive: false });
  assert.deepEqual(pointOf({ oplogTs: T, oplogInc: 7 }), { ts: at(T, 7), inclusive: true });
});

const runs = [
  { first: at(T), last: at(T + 100) },
  { first: at(T + 200), last: at(T + 300) },
];
const snapshot = (id: string, ts: bigint, ...replicaSetNames: string[]) => ({ id, ts, decidedBy: ts, replicaSetNames });
const snapshots = [
  snapshot('early', at(T - 50)),
  snapshot('a', at(T + 10)),
  snapshot('b', at(T + 50)),
  snapshot('c', at(T + 250)),
];

test('what can be restored begins with the first snapshot of each run', () => {
  assert.deepEqual(
    restorableRanges(() => runs, snapshots),
    [
      { from: at(T + 10), to: at(T + 100) },
      { from: at(T + 250), to: at(T + 300) },
    ],
  );
  assert.deepEqual(
    restorableRanges(() => runs, [snapshot('x', at(T + 150))]),
    [],
  );
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
    assert.equal(baseFor(point, () => runs, snapshots)?.id ?? null, expected);
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

const run = (first: number, last: number) => ({ first: at(T + first), last: at(T + last) });

test('of a sharded cluster that is captured which every replica set has: gaps of one are gaps of all', () => {
  const ofEach = [[run(0, 100), run(200, 300)], [run(10, 90), run(95, 400)], [run(5, 500)]];
  assert.deepEqual(commonRuns(ofEach), [run(10, 90), run(95, 100), run(200, 300)]);
  assert.deepEqual(commonRuns([[run(0, 1)], []]), [], 'a replica set that is not captured at all');
  assert.deepEqual(commonRuns([]), []);
});

test('each snapshot counts the replica sets that it has: a shard that came later is none of the older one', () => {
  const of = new Map([
    ['a', [run(0, 100)]],
    ['b', [run(60, 80)]],
  ]);
  const taken = [snapshot('before', at(T + 10), 'a'), snapshot('after', at(T + 70), 'a', 'b')];
  const runsFor = ({ replicaSetNames }: { replicaSetNames: readonly string[] }) =>
    commonRuns(replicaSetNames.map((name) => of.get(name) ?? []));
  assert.equal(baseFor({ ts: at(T + 75), inclusive: true }, runsFor, taken)?.id, 'after');
  assert.equal(baseFor({ ts: at(T + 50), inclusive: true }, runsFor, taken)?.id, 'before');
  assert.deepEqual(restorableRanges(runsFor, taken), [{ from: at(T + 10), to: at(T + 100) }]);
});

test('a snapshot is a base once the oplogs are captured as far as it took; before that an older one is', () => {
  const taken = [snapshot('older', at(T + 10)), { ...snapshot('new', at(T + 50)), decidedBy: at(T + 90) }];
  const point = { ts: at(T + 60), inclusive: true };
  assert.equal(baseFor(point, () => [run(0, 89)], taken)?.id, 'older');
  assert.equal(baseFor(point, () => [run(0, 90)], taken)?.id, 'new');
  assert.deepEqual(
    restorableRanges(() => [run(20, 89)], taken),
    [],
  );
  assert.deepEqual(
    restorableRanges(() => [run(20, 90)], taken),
    [{ from: at(T + 50), to: at(T + 90) }],
  );
});

test('the window ends with what was captured where our clock is ahead, and with our clock where that says less', () => {
  const snapshots = [{ ts: at(T) }];
  assert.equal(windowEndMs({ capturedT: T + 60, snapshots }, (T + 90_000) * 1000), (T + 60) * 1000);
  assert.equal(windowEndMs({ capturedT: null, snapshots }, (T + 90_000) * 1000), T * 1000);
  assert.equal(windowEndMs({ capturedT: T + 60, snapshots }, (T + 30) * 1000), (T + 30) * 1000);
  assert.equal(windowEndMs({ capturedT: null, snapshots: [] }, 5000), 5000);
});

test('a clock that is wrong moves nothing: the end of a sharded snapshot is then reckoned from its T', () => {
  const took = (offSeconds: number) => ({
    startedAtMs: (T - 5 + offSeconds) * 1000,
    finishedAtMs: (T + 3 + offSeconds) * 1000,
  });
  assert.equal(decidedBy(at(T), took(0)), at(T + 3, 0));
  assert.equal(decidedBy(at(T), took(90_000)), at(T + 9, 0));
  assert.equal(decidedBy(at(T), took(-3600)), at(T + 9, 0));
});
