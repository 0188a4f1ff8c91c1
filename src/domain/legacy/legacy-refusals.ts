import type { RefusalRule } from '../refusals.ts';

/** Refusals of the legacy backup operations: a part of the closed list in `refusals.ts`. */
export const legacyRefusals = {
  CHECKPOINT_NOT_FOUND: {
    status: 404,
    detail: 'No checkpoint with ID {0} exists for cluster {1} in group {2}.',
    remedy: 'Checkpoints belong to sharded clusters of old; a replica set has none.',
  },
} as const satisfies Record<string, RefusalRule>;
