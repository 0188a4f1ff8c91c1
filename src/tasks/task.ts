import type { TaskState } from '../catalog/schema.ts';
import { Bug } from '../lib/assert.ts';
import { type Backoff, backoffOf } from '../lib/backoff.ts';
import { Fault } from '../lib/errors.ts';

/**
 * The states of a task and what may happen in each. Pure.
 *
 *     queued --claim--> running --succeed--> succeeded
 *       ^  |               |  |---fail-----> failed
 *       |  |--stop-----.   |  '---stop-----> cancelled
 *       |               '--|--------------->
 *       '---putBack--------'
 *
 * `claim` of a running task is a takeover: its lease had run out. `putBack` is a retry, a shutdown, or waiting for
 * something. `stop` follows a request to cancel.
 */
export type TaskEvent = 'claim' | 'putBack' | 'succeed' | 'fail' | 'stop';

export const taskTransitions: Record<TaskState, Record<TaskEvent, TaskState | 'impossible'>> = {
  queued: { claim: 'running', putBack: 'impossible', succeed: 'impossible', fail: 'impossible', stop: 'cancelled' },
  running: { claim: 'running', putBack: 'queued', succeed: 'succeeded', fail: 'failed', stop: 'cancelled' },
  succeeded: {
    claim: 'impossible',
    putBack: 'impossible',
    succeed: 'impossible',
    fail: 'impossible',
    stop: 'impossible',
  },
  failed: { claim: 'impossible', putBack: 'impossible', succeed: 'impossible', fail: 'impossible', stop: 'impossible' },
  cancelled: {
    claim: 'impossible',
    putBack: 'impossible',
    succeed: 'impossible',
    fail: 'impossible',
    stop: 'impossible',
  },
};

/** The state after the event; a Bug where the event cannot happen in that state. */
export function nextTaskState(state: TaskState, event: TaskEvent): TaskState {
  const next = taskTransitions[state][event];
  if (next === 'impossible') throw new Bug(`a ${state} task cannot ${event}`);
  return next;
}

export function hasEnded(state: TaskState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

const retryMs: Backoff = { first: 2_000, most: 5 * 60_000 };

/**
 * How long to wait after the nth failed attempt, n from 1: doubling, with half of it left to chance so that many do not
 * come back together. `chance` is from 0 to 1.
 */
export function retryDelayMs(attempt: number, chance: number): number {
  const full = backoffOf(retryMs, attempt);
  return Math.round(full / 2 + (full / 2) * chance);
}

/**
 * Whether another attempt may end otherwise. Only what the world did, and said to be passing, is tried again: never a
 * Bug, never Damage.
 */
export function mayRetry(error: unknown, task: { attempts: number; attemptsMax: number }): boolean {
  return error instanceof Fault && error.retryable && task.attempts < task.attemptsMax;
}
