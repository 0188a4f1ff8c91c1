import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CHECKPOINT_LATE_MS, checkpointDue, nextCheckpointMs } from './checkpoint-times.ts';

const MINUTE = 60_000;
const noon = Date.UTC(2026, 10, 22, 12);

test('a checkpoint is due on the clock’s own grid, once, and is missed when nobody was there', () => {
  const quarter = { intervalMinutes: 15, servedUntilMs: noon };
  assert.equal(nextCheckpointMs(quarter, noon), noon + 15 * MINUTE);
  assert.equal(checkpointDue(quarter, noon + 15 * MINUTE - 1), 'notYet');
  assert.equal(checkpointDue(quarter, noon + 15 * MINUTE), 'now');
  assert.equal(checkpointDue(quarter, noon + 15 * MINUTE + CHECKPOINT_LATE_MS), 'now');
  assert.equal(checkpointDue(quarter, noon + 15 * MINUTE + CHECKPOINT_LATE_MS + 1), 'missed');
  assert.equal(checkpointDue(quarter, noon + 300 * MINUTE), 'now', 'of many that were due, only the last');
  assert.equal(checkpointDue({ ...quarter, servedUntilMs: noon + 16 * MINUTE }, noon + 17 * MINUTE), 'notYet');
});

test('served once, none is due before the next place of the grid', () => {
  const intervals = fc.constantFrom(15, 30, 60);
  const times = fc.integer({ min: 0, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(intervals, times, (intervalMinutes, nowMs) => {
      const served = { intervalMinutes, servedUntilMs: nowMs };
      const nextMs = nextCheckpointMs(served, nowMs);
      assert.equal(nextMs % (intervalMinutes * MINUTE), 0);
      assert.ok(nextMs > nowMs && nextMs - nowMs <= intervalMinutes * MINUTE);
      assert.deepEqual(
        [nowMs, nextMs - 1, nextMs].map((at) => checkpointDue(served, at)),
        ['notYet', 'notYet', 'now'],
      );
    }),
  );
});
