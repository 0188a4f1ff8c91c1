import { complianceRefusals } from './compliance/compliance-refusals.ts';
import { continuousBackupRefusals } from './continuous-backup/continuous-backup-refusals.ts';
import { documentHistoryRefusals } from './document-history/document-history-refusals.ts';
import { exportRefusals } from './exports/export-refusals.ts';
import { legacyRefusals } from './legacy/legacy-refusals.ts';
import { privateEndpointRefusals } from './private-endpoints/private-endpoint-refusals.ts';
import type { RefusalRule } from './refusal-rule.ts';
import { downloadRefusals } from './restores/download-refusals.ts';
import { scheduleRefusals } from './schedules/schedule-refusals.ts';
import { supportingRefusals } from './supporting-refusals.ts';

/**
 * The caller's fault. A closed list: `code` is Atlas's errorCode where Atlas has one for the case, `detail` our own
 * sentence. `api/problem.ts` turns one into an answer, `cli` into a message; nothing else catches them.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly status: number;
  readonly detail: string;
  readonly parameters: string[];
  /** Which parts of the request, for VALIDATION_ERROR. */
  readonly fields: readonly RefusedField[] | undefined;

  constructor(code: RefusalCode, parameters: string[], fields?: readonly RefusedField[]) {
    const rule: RefusalRule = refusalRules[code];
    const detail = rule.detail.replace(/\{(\d)\}/g, (_, index: string) => parameters[Number(index)] ?? '');
    super(detail);
    this.code = code;
    this.status = rule.status;
    this.detail = detail;
    this.parameters = parameters;
    this.fields = fields;
  }
}

export interface RefusedField {
  field: string;
  description: string;
}

/** For `throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId])`. */
export function refuse(code: RefusalCode, parameters: string[] = [], fields?: readonly RefusedField[]): Refusal {
  return new Refusal(code, parameters, fields);
}

export type RefusalCode = keyof typeof refusalRules;

export const refusalRules = {
  ...supportingRefusals,
  ...scheduleRefusals,
  ...complianceRefusals,
  ...continuousBackupRefusals,
  ...documentHistoryRefusals,
  ...exportRefusals,
  ...legacyRefusals,
  ...privateEndpointRefusals,
  ...downloadRefusals,
  VALIDATION_ERROR: {
    status: 400,
    detail: 'The request content produced the validation error: {0}.',
    remedy: 'A field has a value that the operation does not take; `badRequestDetail` names it.',
  },
  MISSING_ATTRIBUTE: {
    status: 400,
    detail: 'The required attribute {0} was not specified.',
    remedy: 'The kind of request needs one more field; send it.',
  },
  INVALID_CLUSTER_URI: {
    status: 400,
    detail: 'The connection string of cluster {0} cannot be used: {1}.',
    remedy:
      "Tidemark's own. Give a mongodb:// or mongodb+srv:// connection string with options that may be given there; docs/connection-strings.md has the table.",
  },
  CLUSTER_UNREACHABLE: {
    status: 400,
    detail: 'Cluster {0} cannot be reached: {1}.',
    remedy: "Tidemark's own. Check host names, network, credentials and TLS options of the connection string.",
  },
  CLUSTER_UNSUITABLE: {
    status: 400,
    detail: 'Cluster {0} cannot be backed up: {1}.',
    remedy:
      "Tidemark's own. Snapshots need an oplog: turn a standalone into a one-member replica set. A sharded cluster is registered by its config servers or its mongos.",
  },
  CLUSTER_NOT_THE_SAME: {
    status: 409,
    detail: 'The connection string does not lead to cluster {0}: {1}.',
    remedy:
      "Tidemark's own. Snapshots of one deployment are not continued by those of another: register the other one under a name of its own.",
  },
  CLUSTER_CHANGED_MEANWHILE: {
    status: 409,
    detail: 'Cluster {0} was changed by somebody else while the connection string was tried.',
    remedy: "Tidemark's own. Look at the cluster, then send the request again where it is still wanted.",
  },
  DUPLICATE_CLUSTER_NAME: {
    status: 409,
    detail: 'A cluster named {0} already exists in group {1}.',
    remedy: 'Choose another name, or remove the cluster that has it.',
  },
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
    detail: 'A retention of {0} {1} is not valid.',
    remedy: 'Retention is a whole number of at least 1, and at most 200 years.',
  },
  RESTORE_INITIATION_FAILED: {
    status: 409,
    detail: 'The restore cannot be started: {0}.',
    remedy:
      'A snapshot of a sharded cluster goes to a sharded cluster of as many shards, that of a replica set to a replica set.',
  },
  CANNOT_MODIFY_CLUSTER_SNAPSHOT: {
    status: 403,
    detail: 'Snapshot {0} is a member of the sharded snapshot {1} and cannot be modified by itself.',
    remedy: 'Modify the sharded snapshot; its members go with it.',
  },
  CANNOT_DELETE_FROM_CLUSTER_SNAPSHOT: {
    status: 403,
    detail: 'Snapshot {0} is a member of the sharded snapshot {1} and cannot be deleted by itself.',
    remedy: 'Delete the sharded snapshot; its members go with it.',
  },
  CANNOT_DELETE_IN_PROGRESS_SNAPSHOT: {
    status: 400,
    detail: 'Snapshot {0} cannot be deleted while it is queued or in progress.',
    remedy: 'Wait until it has ended, or cancel its task first.',
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
  CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API: {
    status: 400,
    detail: 'Cannot use non-flex cluster {0} in the flex API.',
    remedy: 'Use the path below /clusters. Clients that probe for flex clusters do so by themselves.',
  },
  CANNOT_RESTORE_TO_TARGET: {
    status: 403,
    detail: 'Not authorized to restore into cluster {0} of group {1}.',
    remedy: 'A restore needs the role on both projects.',
  },
  RESOURCE_NOT_FOUND: {
    status: 404,
    detail: 'Cannot find resource {0}.',
    remedy: 'The path names no operation that is served here, or an object that does not exist.',
  },
  GROUP_NOT_FOUND: {
    status: 404,
    detail: 'No group with ID {0} exists.',
    remedy: 'Check the project id; `GET /groups` lists those you may see.',
  },
  GROUP_NAME_NOT_FOUND: {
    status: 404,
    detail: 'No group with name "{0}" exists.',
    remedy: 'Check the project name; `GET /groups` lists those you may see.',
  },
  CLUSTER_NOT_FOUND: {
    status: 404,
    detail: 'No cluster named {0} exists in group {1}.',
    remedy: 'Check the name; register the cluster with `tidemark cluster add` where it is new.',
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
  TASK_NOT_FOUND: {
    status: 404,
    detail: 'No task with ID {0} exists.',
    remedy:
      "Tidemark's own. A snapshot's task is at `/api/tidemark/v1/groups/{groupId}/clusters/{clusterName}/snapshots/{snapshotId}/task`, a restore job's at `.../restoreJobs/{restoreJobId}/task`, a collection restore's at `.../collectionRestoreJobs/{jobId}/task`; all of them only while the task is remembered, for thirty days.",
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    detail: 'The method {0} is not allowed for this resource.',
    remedy: 'Use the method that the operation is documented with.',
  },
  INVALID_VERSION_DATE: {
    status: 406,
    detail: 'Invalid accept header or version date.',
    remedy: 'Send `Accept: application/vnd.atlas.YYYY-MM-DD+json` with a date on which the operation exists.',
  },
  GROUP_ALREADY_EXISTS: {
    status: 409,
    detail: 'A group with name "{0}" already exists.',
    remedy: 'Project names are unique in the whole service.',
  },
  ATLAS_CLUSTER_RESTORE_IN_PROGRESS: {
    status: 409,
    detail: 'A restore into cluster {0} is already in progress.',
    remedy: 'Wait until it has ended.',
  },
  CLUSTER_BUSY: {
    status: 409,
    detail:
      'Cluster {0} cannot be removed, paused or left without backups while a snapshot or restore of it is in progress.',
    remedy: "Tidemark's own. Wait until the work has ended, or cancel its task.",
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
  RATE_LIMITED: {
    status: 429,
    detail: 'Too many requests; try again later.',
    remedy: 'Slow down; the answer says when to come back.',
  },
  UNEXPECTED_ERROR: {
    status: 500,
    detail: 'Unexpected error.',
    remedy: 'Something failed on our side; the log of the service says what.',
  },
} as const satisfies Record<string, RefusalRule>;
