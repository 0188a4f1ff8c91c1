import type { ExportJobState } from '../../catalog/schema.ts';
import { Bug } from '../../lib/assert.ts';

/** The states of an export job. Pure. `start` of one in progress is another attempt. */
export type ExportEvent = 'start' | 'succeed' | 'fail' | 'cancel';

const ended = { start: 'impossible', succeed: 'impossible', fail: 'impossible', cancel: 'impossible' } as const;

export const exportTransitions: Record<ExportJobState, Record<ExportEvent, ExportJobState | 'impossible'>> = {
  Queued: { start: 'InProgress', succeed: 'impossible', fail: 'Failed', cancel: 'Cancelled' },
  InProgress: { start: 'InProgress', succeed: 'Successful', fail: 'Failed', cancel: 'Cancelled' },
  Successful: ended,
  Failed: ended,
  Cancelled: ended,
};

/** The state after the event; a Bug where it cannot happen. */
export function nextExportState(state: ExportJobState, event: ExportEvent): ExportJobState {
  const next = exportTransitions[state][event];
  if (next === 'impossible') throw new Bug(`an export job that is ${state} cannot ${event}`);
  return next;
}
