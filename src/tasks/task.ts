import type { TaskRow, TaskState } from '../catalog/schema.ts';
import { Bug } from '../lib/assert.ts';
import { mayTryAgain, type Tried } from '../lib/weather/patience.ts';
import { patienceOf } from './patience.ts';

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

/**
 * Whether another attempt may end otherwise. Only what the world did, and said to be passing, is tried again: never a
 * Bug, never Damage.
 */
export function mayRetry(error: unknown, task: RetriedTask, nowMs: number): boolean {
  const { totalMsMax } = patienceOf[task.kind];
  return mayTryAgain(error, { attemptsMax: task.attemptsMax, totalMsMax }, triedOf(task, nowMs));
}

type RetriedTask = Pick<TaskRow, 'kind' | 'attempts' | 'attemptsMax' | 'startedAtMs' | 'createdAtMs'>;

/** How often it was tried, and since when. */
export function triedOf({ attempts, startedAtMs, createdAtMs }: RetriedTask, nowMs: number): Tried {
  return { attempts, sinceMs: startedAtMs ?? createdAtMs, nowMs };
}
