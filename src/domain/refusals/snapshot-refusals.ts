import type { RefusalRule } from './refusal-rule.ts';

/** Refusals about snapshots. A part of the list in `refusals.ts`. */
export const snapshotRefusals = {
  UNFINISHED_ON_DEMAND_SNAPSHOT: {
    status: 400,
    detail: 'Cluster {0} already has an on-demand snapshot that is queued or in progress.',
    remedy: 'Wait until it has completed or failed.',
  },
  CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION: {
    status: 400,
    detail: 'The retention of snapshot {0} cannot be changed while it is not completed.',
    remedy: 'Wait until the snapshot has completed; a failed one has no retention to change.',
  },
  BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID: {
    status: 400,
    detail: 'A retention of {0} {1} is not valid: it is a whole number from 1 on, and at most 200 years.',
    remedy: 'Retention is a whole number of at least 1, and at most 200 years.',
  },
  CANNOT_MODIFY_CLUSTER_SNAPSHOT: {
    status: 403,
    detail: 'Snapshot {0} is of one replica set of the sharded snapshot {1} and cannot be modified by itself.',
    remedy: 'Modify the sharded snapshot; its replica sets go with it.',
  },
  CANNOT_DELETE_FROM_CLUSTER_SNAPSHOT: {
    status: 403,
    detail: 'Snapshot {0} is of one replica set of the sharded snapshot {1} and cannot be deleted by itself.',
    remedy: 'Delete the sharded snapshot; its replica sets go with it.',
  },
  CANNOT_DELETE_IN_PROGRESS_SNAPSHOT: {
    status: 400,
    detail: 'Snapshot {0} cannot be deleted while it is queued or in progress.',
    remedy: 'Wait until it has ended, or cancel its task first.',
  },
  CANNOT_LIST_INCOMPLETE_SNAPSHOT: {
    status: 400,
    detail: 'Snapshot {0} is not completed: what it holds is not known yet.',
    remedy: "Tidemark's own code. Wait until the snapshot has completed.",
  },
  SNAPSHOT_NOT_FOUND: {
    status: 404,
    detail: 'No snapshot with ID {0} exists for cluster {1} in group {2}.',
    remedy: 'It may have expired or been deleted.',
  },
} as const satisfies Record<string, RefusalRule>;
