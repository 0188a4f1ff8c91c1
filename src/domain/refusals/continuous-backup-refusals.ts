import type { RefusalRule } from './refusal-rule.ts';

/** What a restore to a point in time is refused with. A part of the list in `refusals.ts`. */
export const continuousBackupRefusals = {
  INVALID_PIT_RESTORE_TIME: {
    status: 400,
    detail: 'The point in time cannot be restored: {0}.',
    remedy:
      'Give exactly one of pointInTimeUTCSeconds, or oplogTs with oplogInc, within a restorable range of the cluster.',
  },
  UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME: {
    status: 404,
    detail: 'Cluster {0} has no snapshot from which the captured oplog leads to {1}.',
    remedy:
      'A point can be restored from the first snapshot taken after continuous backup began, or went on after a gap.',
  },
} as const satisfies Record<string, RefusalRule>;
