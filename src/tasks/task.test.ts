import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bug } from '../lib/assert.ts';
import { Damage, Fault } from '../lib/errors.ts';
import { hasEnded, mayRetry, nextTaskState, retryDelayMs, taskTransitions } from './task.ts';

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

test('only a passing fault of the world is tried again, and not for ever', () => {
  const passing = new Fault({ op: 'read', subject: 'a', message: 'm', retryable: true });
  assert.equal(mayRetry(passing, { attempts: 1, attemptsMax: 2 }), true);
  assert.equal(mayRetry(passing, { attempts: 2, attemptsMax: 2 }), false);
  for (const error of [
    new Fault({ op: 'read', subject: 'a', message: 'm' }),
    new Damage({ op: 'read', subject: 'a', message: 'm' }),
    new Bug('ours'),
    new TypeError('ours too'),
  ]) {
    assert.equal(mayRetry(error, { attempts: 1, attemptsMax: 9 }), false, error.name);
  }
});
