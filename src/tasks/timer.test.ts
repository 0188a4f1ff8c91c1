import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, settled } from '../../test/support/fake-clock.ts';
import { silentLogger } from '../lib/logger.ts';
import { type Duty, Timer } from './timer.ts';

function countingDuty(dueMs: number | null, fail = false): Duty & { runs: number } {
  return {
    name: 'count',
    runs: 0,
    async run() {
      this.runs++;
      if (fail) throw new Error('on purpose');
    },
    nextDueMs: async () => dueMs,
  };
}

async function withTimer(duties: Duty[], work: (clock: FakeClock, timer: Timer) => Promise<void>): Promise<void> {
  const clock = new FakeClock(0);
  const timer = new Timer({ clock, log: silentLogger, duties });
  timer.start();
  try {
    await settled();
    await work(clock, timer);
  } finally {
    await timer.stop();
  }
}

test('a duty runs at the start, when it is due, and when woken', async () => {
  const duty = countingDuty(5_000);
  await withTimer([duty], async (clock, timer) => {
    assert.equal(duty.runs, 1);
    await clock.advance(4_999);
    assert.equal(duty.runs, 1);
    await clock.advance(1);
    assert.equal(duty.runs, 2);
    timer.wake();
    await settled();
    assert.equal(duty.runs, 3);
  });
});

test('with nothing known to be due there is a round a minute; with something overdue, one a second', async () => {
  const idle = countingDuty(null);
  await withTimer([idle], async (clock) => {
    await clock.advance(120_000);
    assert.equal(idle.runs, 3);
  });
  const overdue = countingDuty(-1);
  await withTimer([overdue], async (clock) => {
    await clock.advance(3_000);
    assert.equal(overdue.runs, 4);
  });
});

test('a duty that fails does not keep the others from theirs', async () => {
  const failing = countingDuty(null, true);
  const other = countingDuty(null);
  await withTimer([failing, other], async (clock) => {
    await clock.advance(60_000);
    assert.deepEqual([failing.runs, other.runs], [2, 2]);
  });
});
