import type { CollectionRestoreJobState } from '../../catalog/schema.ts';
import { Bug } from '../../lib/assert.ts';

/**
 * The states of a collection restore job. Pure. `begin` of one in progress is another attempt; one that is being
 * finalized is never begun again, it goes on.
 */
export type CollectionRestoreEvent = 'begin' | 'finalize' | 'complete' | 'fail' | 'cancel';

const over = {
  begin: 'impossible',
  finalize: 'impossible',
  complete: 'impossible',
  fail: 'impossible',
  cancel: 'impossible',
} as const;

export const collectionRestoreTransitions: Record<
  CollectionRestoreJobState,
  Record<CollectionRestoreEvent, CollectionRestoreJobState | 'impossible'>
> = {
  INITIALIZING: {
    begin: 'IN_PROGRESS',
    finalize: 'impossible',
    complete: 'impossible',
    fail: 'FAILED',
    cancel: 'CANCELED',
  },
  IN_PROGRESS: {
    begin: 'IN_PROGRESS',
    finalize: 'FINALIZING',
    complete: 'impossible',
    fail: 'FAILED',
    cancel: 'CANCELED',
  },
  FINALIZING: {
    begin: 'impossible',
    finalize: 'impossible',
    complete: 'SUCCESSFUL',
    fail: 'FAILED',
    cancel: 'CANCELED',
  },
  SUCCESSFUL: over,
  CANCELED: over,
  FAILED: over,
};

/** The state after the event; a Bug where it cannot happen. */
export function nextCollectionRestoreState(
  state: CollectionRestoreJobState,
  event: CollectionRestoreEvent,
): CollectionRestoreJobState {
  const next = collectionRestoreTransitions[state][event];
  if (next === 'impossible') throw new Bug(`a collection restore job that is ${state} cannot ${event}`);
  return next;
}
