import type { RefusalRule } from './refusal-rule.ts';

/** Refusals about restore jobs, of whole clusters and of collections. A part of the list in `refusals.ts`. */
export const restoreRefusals = {
  RESTORE_INITIATION_FAILED: {
    status: 409,
    detail: 'The restore cannot be started: {0}.',
    remedy:
      'A snapshot of a sharded cluster goes to a sharded cluster of as many shards, that of a replica set to a replica set.',
  },
  UNSUPPORTED_DELIVERY_METHOD: {
    status: 400,
    detail: 'The delivery type {0} is not supported.',
    remedy:
      'Use `automated`, `download`, or `pointInTime` for a cluster with continuous backup; in the legacy operations `AUTOMATED_RESTORE` or `HTTP`.',
  },
  CANNOT_CANCEL_AUTOMATED_RESTORE: {
    status: 400,
    detail: 'Restore job {0} is an automated restore and cannot be cancelled.',
    remedy:
      'Atlas cancels downloads only. To stop it all the same, cancel its task; the target is then left half restored.',
  },
  CANNOT_RESTORE_TO_TARGET: {
    status: 403,
    detail: 'Not authorized to restore into cluster {0} of group {1}.',
    remedy: 'A restore needs the role on both projects.',
  },
  COLLECTION_RESTORE_JOB_NOT_FOUND: {
    status: 404,
    detail: 'No collection restore job with ID {0} exists for cluster {1} in group {2}.',
    remedy:
      "Tidemark's own code. A collection restore job is listed with the cluster whose backup it is, not with its target.",
  },
  RESTORE_JOB_NOT_FOUND: {
    status: 404,
    detail: 'No restore job with ID {0} exists for cluster {1} in group {2}.',
    remedy: 'Restore jobs are listed under the cluster whose snapshot they restore.',
  },
  ATLAS_CLUSTER_RESTORE_IN_PROGRESS: {
    status: 409,
    detail: 'A restore into cluster {0} is already in progress.',
    remedy: 'Wait until it has ended.',
  },
  CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT: {
    status: 409,
    detail: 'Snapshot {0} was deleted and cannot be restored.',
    remedy: 'Choose another snapshot.',
  },
  CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT: {
    status: 409,
    detail: 'Snapshot {0} is not completed and cannot be restored.',
    remedy: 'Wait until it has completed, or choose another.',
  },
} as const satisfies Record<string, RefusalRule>;
