import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkItems } from '../policies/schedule-rules.ts';
import type { LegacyScheduleSettings } from './legacy.ts';
import { changedItems, itemsOfLegacy, legacyView, restoreWindowDaysOf } from './legacy-schedule.ts';

const oneOf = (...values: number[]) => fc.constantFrom(...values);
const settings: fc.Arbitrary<LegacyScheduleSettings> = fc.record({
  snapshotIntervalHours: oneOf(6, 8, 12, 24),
  snapshotRetentionDays: oneOf(2, 3, 4, 5),
  dailySnapshotRetentionDays: oneOf(0, 3, 4, 5, 6, 7, 15, 30, 60, 90, 120, 180, 360),
  weeklySnapshotRetentionWeeks: oneOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 52),
  monthlySnapshotRetentionMonths: oneOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 24, 36),
  pointInTimeWindowHours: fc.integer({ min: 0, max: 1000 }),
});

test('whatever a legacy schedule says is a schedule that can be, and keeps at least what it says', () => {
  fc.assert(
    fc.property(settings, settings, (first, then) => {
      const items = itemsOfLegacy(first);
      checkItems(items);
      const changed = changedItems(items, { settings: then, asked: then });
      checkItems(changed);
      for (const [said, now] of [
        [first, items],
        [then, changed],
      ] as const) {
        const view = legacyView({ items: now, restoreWindowDays: restoreWindowDaysOf(said) });
        assert.ok(view !== null);
        assert.equal(view.snapshotIntervalHours, said.snapshotIntervalHours);
        assert.ok(view.snapshotRetentionDays >= said.snapshotRetentionDays);
        assert.ok(view.dailySnapshotRetentionDays >= said.dailySnapshotRetentionDays);
        assert.ok(view.weeklySnapshotRetentionWeeks >= said.weeklySnapshotRetentionWeeks);
        assert.ok(view.monthlySnapshotRetentionMonths >= said.monthlySnapshotRetentionMonths);
        assert.ok(view.pointInTimeWindowHours >= said.pointInTimeWindowHours);
        const back = changedItems(now, { settings: said, asked: {} });
        assert.deepEqual(back, now, 'what is not asked for stays');
      }
    }),
  );
});
