import type { RestoreJobState } from '../../catalog/schema.ts';
import { Bug } from '../../lib/assert.ts';

/**
 * The states of a restore job. Pure. `start` of one in progress is another attempt. A download that was completed is a
 * link that lives: it alone can expire or be cancelled then.
 */
export type RestoreEvent = 'start' | 'complete' | 'fail' | 'cancel' | 'expire';

export const restoreTransitions: Record<RestoreJobState, Record<RestoreEvent, RestoreJobState | 'impossible'>> = {
  queued: { start: 'inProgress', complete: 'impossible', fail: 'failed', cancel: 'cancelled', expire: 'impossible' },
  inProgress: { start: 'inProgress', complete: 'completed', fail: 'failed', cancel: 'cancelled', expire: 'impossible' },
  completed: {
    start: 'impossible',
    complete: 'impossible',
    fail: 'impossible',
    cancel: 'cancelled',
    expire: 'expired',
  },
  failed: {
    start: 'impossible',
    complete: 'impossible',
    fail: 'impossible',
    cancel: 'impossible',
    expire: 'impossible',
  },
  cancelled: {
    start: 'impossible',
    complete: 'impossible',
    fail: 'impossible',
    cancel: 'impossible',
    expire: 'impossible',
  },
  expired: {
    start: 'impossible',
    complete: 'impossible',
    fail: 'impossible',
    cancel: 'impossible',
    expire: 'impossible',
  },
};

/** The state after the event; a Bug where it cannot happen. */
export function nextRestoreState(state: RestoreJobState, event: RestoreEvent): RestoreJobState {
  const next = restoreTransitions[state][event];
  if (next === 'impossible') throw new Bug(`a restore job that is ${state} cannot ${event}`);
  return next;
}
