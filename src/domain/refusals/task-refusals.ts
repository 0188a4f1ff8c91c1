import type { RefusalRule } from './refusal-rule.ts';

/** Refusals about tasks. A part of the list in `refusals.ts`. */
export const taskRefusals = {
  TASK_NOT_FOUND: {
    status: 404,
    detail: 'No task with ID {0} exists.',
    remedy:
      "Tidemark's own. A snapshot's task is at `/api/tidemark/v1/groups/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}/task`, a restore job's at `.../restoreJobs/{restoreJobId}/task`, a collection restore's at `.../collectionRestoreJobs/{jobId}/task`; all of them only while the task is remembered, for thirty days.",
  },
} as const satisfies Record<string, RefusalRule>;
