import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bug } from '../lib/assert.ts';
import { Damage, Fault } from '../lib/errors.ts';
import { retryDelayMs } from '../lib/weather/patience.ts';
import { patienceOf } from './patience.ts';
import { hasEnded, mayRetry, nextTaskState, taskTransitions } from './task.ts';

test('every ended state is final, and every other one can end', () => {
  for (const [state, events] of Object.entries(taskTransitions)) {
    const reachable = Object.values(events).filter((next) => next !== 'impossible');
    assert.equal(reachable.length === 0, hasEnded(state as keyof typeof taskTransitions), state);
  }
  assert.equal(nextTaskState('queued', 'claim'), 'running');
  assert.equal(nextTaskState('running', 'claim'), 'running');
  assert.throws(() => nextTaskState('queued', 'succeed'), Bug);
  assert.throws(() => nextTaskState('cancelled', 'putBack'), Bug);
});

test('the waits between attempts double up to a bound, and differ by chance', () => {
  assert.equal(retryDelayMs(1, 0), 1000);
  assert.equal(retryDelayMs(1, 1), 2000);
  assert.equal(retryDelayMs(3, 0), 4000);
  assert.equal(retryDelayMs(3, 1), 8000);
  assert.equal(retryDelayMs(40, 1), 300_000);
});

test('only weather is tried again, not for ever, and not at any time later', () => {
  const passing = new Fault({ op: 'read', subject: 'a', message: 'm', retryable: true });
  const task = (attempts: number, attemptsMax = 9) =>
    ({ kind: 'restoreSnapshot', attempts, attemptsMax, startedAtMs: 1_000, createdAtMs: 0 }) as const;
  const totalMsMax = patienceOf.restoreSnapshot.totalMsMax ?? 0;
  assert.equal(mayRetry(passing, task(1, 2), 2_000), true);
  assert.equal(mayRetry(passing, task(2, 2), 2_000), false);
  assert.equal(mayRetry(passing, task(1), 1_000 + totalMsMax - 1), true);
  assert.equal(mayRetry(passing, task(1), 1_000 + totalMsMax), false);
  for (const error of [
    new Fault({ op: 'read', subject: 'a', message: 'm' }),
    new Damage({ op: 'read', subject: 'a', message: 'm', cause: passing }),
    new Bug('ours'),
    new TypeError('ours too'),
  ]) {
    assert.equal(mayRetry(error, task(1), 2_000), false, error.name);
  }
});

test('what was made of weather is weather, unless it says otherwise', () => {
  const passing = new Fault({ op: 'read', subject: 'a', message: 'm', retryable: true });
  const fact = new Fault({ op: 'read', subject: 'a', message: 'm', cause: new Error('m') });
  const of = (cause: Fault, more = {}) => new Fault({ op: 'restore', subject: 'b', message: 'n', cause, ...more });
  assert.deepEqual(
    [of(passing), of(of(passing)), of(fact), of(passing, { retryable: false })].map(({ retryable }) => retryable),
    [true, true, false, false],
  );
});

test('every kind of task has patience with bounds', () => {
  for (const [kind, { attemptsMax, totalMsMax }] of Object.entries(patienceOf)) {
    assert.ok(attemptsMax >= 5, kind);
    assert.ok(totalMsMax === null || totalMsMax >= 3_600_000, kind);
  }
});
