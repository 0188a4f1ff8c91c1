import type { SnapshotStatus } from '../../catalog/schema.ts';
import { Bug } from '../../lib/assert.ts';

/**
 * The states of a snapshot. Pure. `start` of one in progress is another attempt, after a crash or a retry. Completed
 * and failed are final: completed means that the manifest exists, failed that it does not and will not.
 */
export type SnapshotEvent = 'start' | 'complete' | 'fail';

export const snapshotTransitions: Record<SnapshotStatus, Record<SnapshotEvent, SnapshotStatus | 'impossible'>> = {
  queued: { start: 'inProgress', complete: 'impossible', fail: 'failed' },
  inProgress: { start: 'inProgress', complete: 'completed', fail: 'failed' },
  completed: { start: 'impossible', complete: 'impossible', fail: 'impossible' },
  failed: { start: 'impossible', complete: 'impossible', fail: 'impossible' },
};

/** The status after the event; a Bug where it cannot happen. */
export function nextSnapshotStatus(status: SnapshotStatus, event: SnapshotEvent): SnapshotStatus {
  const next = snapshotTransitions[status][event];
  if (next === 'impossible') throw new Bug(`a snapshot that is ${status} cannot ${event}`);
  return next;
}
