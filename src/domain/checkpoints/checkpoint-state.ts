import type { CheckpointState } from '../../catalog/schema.ts';
import { Bug } from '../../lib/assert.ts';

/**
 * The states of a checkpoint and what may happen in each. Pure.
 *
 *     queued --start--> inProgress --written--> discovering --complete--> completed
 *        |                  |                        |
 *        '------fail--------+----------fail----------+-------------------> failed
 *
 * `start` again in inProgress and discovering is an attempt after one that was cut off: tokens that are written down
 * are looked for, others are written anew.
 */
export type CheckpointEvent = 'start' | 'written' | 'complete' | 'fail';

const none = { start: null, written: null, complete: null, fail: null } as const;

export const checkpointTransitions: Record<CheckpointState, Record<CheckpointEvent, CheckpointState | null>> = {
  queued: { ...none, start: 'inProgress', fail: 'failed' },
  inProgress: { ...none, start: 'inProgress', written: 'discovering', fail: 'failed' },
  discovering: { ...none, start: 'discovering', complete: 'completed', fail: 'failed' },
  completed: none,
  failed: none,
};

/** The state after the event; a Bug where the event cannot happen in that state. */
export function nextCheckpointState(state: CheckpointState, event: CheckpointEvent): CheckpointState {
  const next = checkpointTransitions[state][event];
  if (next === null) throw new Bug(`a checkpoint that is ${state} cannot ${event}`);
  return next;
}
