import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Cadence, dueAfter, itemsDue, nextDueMs } from './due-times.ts';

const at = (iso: string) => Date.parse(iso);
const iso = (ms: number) => new Date(ms).toISOString().slice(0, 16);
const evening = { hour: 18, minute: 30 };

test('the hourly grid is anchored at the reference time', () => {
  const every6 = { frequencyType: 'hourly', frequencyInterval: 6 } as const;
  const reference = { hour: 3, minute: 16 };
  assert.equal(iso(dueAfter(every6, reference, at('2026-03-01T03:16:06Z'))), '2026-03-01T09:16');
  assert.equal(iso(dueAfter(every6, reference, at('2026-03-01T03:15:59Z'))), '2026-03-01T03:16');
  assert.equal(iso(dueAfter(every6, reference, at('2026-03-01T21:16:00Z'))), '2026-03-02T03:16');
});

test('weekdays count from Monday', () => {
  const from = at('2026-11-22T10:00:00Z'); // a Sunday
  const weekly = (frequencyInterval: number) => dueAfter({ frequencyType: 'weekly', frequencyInterval }, evening, from);
  assert.equal(iso(weekly(1)), '2026-11-23T18:30');
  assert.equal(iso(weekly(6)), '2026-11-28T18:30');
  assert.equal(iso(weekly(7)), '2026-11-22T18:30');
});

test('the last day of a month is its own, leap years included', () => {
  const last = { frequencyType: 'monthly', frequencyInterval: 40 } as const;
  let now = at('2027-12-31T18:29:59Z');
  const found: string[] = [];
  for (let count = 0; count < 5; count++) {
    now = dueAfter(last, evening, now);
    found.push(iso(now));
  }
  assert.deepEqual(found, [
    '2027-12-31T18:30',
    '2028-01-31T18:30',
    '2028-02-29T18:30',
    '2028-03-31T18:30',
    '2028-04-30T18:30',
  ]);
});

test('yearly is the first of the month', () => {
  const december = { frequencyType: 'yearly', frequencyInterval: 12 } as const;
  assert.equal(iso(dueAfter(december, evening, at('2026-12-01T18:29:00Z'))), '2026-12-01T18:30');
  assert.equal(iso(dueAfter(december, evening, at('2026-12-01T18:30:00Z'))), '2027-12-01T18:30');
});

const cadence: fc.Arbitrary<Cadence> = fc.oneof(
  fc.constantFrom(1, 2, 4, 6, 8, 12).map((n) => ({ frequencyType: 'hourly' as const, frequencyInterval: n })),
  fc.constant({ frequencyType: 'daily' as const, frequencyInterval: 1 }),
  fc.integer({ min: 1, max: 7 }).map((n) => ({ frequencyType: 'weekly' as const, frequencyInterval: n })),
  fc
    .oneof(fc.integer({ min: 1, max: 28 }), fc.constant(40))
    .map((n) => ({ frequencyType: 'monthly' as const, frequencyInterval: n })),
  fc.integer({ min: 1, max: 12 }).map((n) => ({ frequencyType: 'yearly' as const, frequencyInterval: n })),
);
const reference = fc.record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.integer({ min: 0, max: 59 }) });
const instant = fc.integer({ min: at('1999-12-01T00:00:00Z'), max: at('2110-01-01T00:00:00Z') });

/** The definition, by the calendar alone: whether an item is due in this minute. */
function isDue(item: Cadence, ref: { hour: number; minute: number }, ms: number): boolean {
  const time = new Date(ms);
  if (ms % 60_000 !== 0 || time.getUTCMinutes() !== ref.minute) return false;
  if (item.frequencyType === 'hourly') return (time.getUTCHours() - ref.hour + 24) % item.frequencyInterval === 0;
  if (time.getUTCHours() !== ref.hour) return false;
  const tomorrow = new Date(ms + 86_400_000);
  switch (item.frequencyType) {
    case 'daily':
      return true;
    case 'weekly':
      return (time.getUTCDay() || 7) === item.frequencyInterval;
    case 'monthly':
      return item.frequencyInterval === 40 ? tomorrow.getUTCDate() === 1 : time.getUTCDate() === item.frequencyInterval;
    case 'yearly':
      return time.getUTCDate() === 1 && time.getUTCMonth() + 1 === item.frequencyInterval;
  }
}

test('a due time lies ahead, is due by the calendar, and none is passed over', () => {
  fc.assert(
    fc.property(cadence, reference, instant, (item, ref, nowMs) => {
      const due = dueAfter(item, ref, nowMs);
      assert.ok(due > nowMs);
      assert.ok(isDue(item, ref, due));
      // Every moment before it leads to the same one: nothing due was skipped.
      const between = nowMs + Math.floor((due - nowMs - 1) / 2);
      assert.equal(dueAfter(item, ref, between), due);
      assert.equal(dueAfter(item, ref, due - 1), due);
    }),
    { numRuns: 2_000 },
  );
});

test('over years every hour that is due comes once, and no other', () => {
  fc.assert(
    fc.property(cadence, reference, instant, (item, ref, startMs) => {
      const endMs = startMs + 3 * 366 * 86_400_000;
      let next = dueAfter(item, ref, startMs);
      for (let hour = Math.floor(startMs / 3_600_000) - 1; hour * 3_600_000 < endMs; hour++) {
        const minute = hour * 3_600_000 + ref.minute * 60_000;
        if (minute <= startMs || !isDue(item, ref, minute)) continue;
        assert.equal(next, minute);
        next = dueAfter(item, ref, minute);
      }
      assert.ok(next > endMs - 3_600_000);
    }),
    { numRuns: 25 },
  );
});

test('what is due is seen whether the clock is asked often or once, after any time of standing still', () => {
  fc.assert(
    fc.property(
      fc.array(cadence, { minLength: 1, maxLength: 6 }),
      reference,
      instant,
      fc.array(fc.integer({ min: 1, max: 40 * 86_400_000 }), { minLength: 1, maxLength: 12 }),
      (items, ref, startMs, steps) => {
        let served = startMs;
        const inSteps = new Set<Cadence>();
        for (const step of steps) {
          const window = { afterMs: served, untilMs: served + step };
          for (const item of itemsDue(items, ref, window)) inSteps.add(item);
          const next = nextDueMs(items, ref, served);
          assert.equal(itemsDue(items, ref, window).length > 0, next !== null && next <= window.untilMs);
          served += step;
        }
        assert.deepEqual(
          items.filter((item) => inSteps.has(item)),
          itemsDue(items, ref, { afterMs: startMs, untilMs: served }),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('without items nothing is due', () => {
  assert.equal(nextDueMs([], evening, 0), null);
  assert.deepEqual(itemsDue([], evening, { afterMs: 0, untilMs: 1e13 }), []);
});
