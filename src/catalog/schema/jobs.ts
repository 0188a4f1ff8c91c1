import type { CloudProvider, Flag } from './clusters.ts';

/**
 * Tables of work: restores, downloads, exports, and the tasks behind all of it.
 * Rules for all of them: `../schema.ts`.
 */

export type DeliveryType = 'automated' | 'download' | 'pointInTime';

export type RestoreJobState = 'queued' | 'inProgress' | 'completed' | 'failed' | 'cancelled' | 'expired';

export interface RestoreJobTable {
  id: string;
  /** The cluster whose snapshot it is: the job is listed there. */
  clusterId: string;
  snapshotId: string | null;
  /** The snapshot's `createdAtMs`, kept because the job outlives the snapshot. */
  snapshotCreatedAtMs: number | null;
  deliveryType: DeliveryType;
  state: RestoreJobState;
  targetProjectId: string | null;
  targetClusterId: string | null;
  targetClusterName: string | null;
  pointInTimeUtcSeconds: number | null;
  oplogTs: number | null;
  oplogInc: number | null;
  createdAtMs: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  /** End of a download link; null for others. */
  expiresAtMs: number | null;
  restoredDocuments: number | null;
  restoredBytes: number | null;
  failureReason: string | null;
  /** JSON, `{named: {namespace, kind, name, problem}[], count}`: what it did not carry over. Null where it did all. */
  leftOut: string | null;
  /** When an attempt last began to replace the target's data; null where none did. */
  targetClearedAtMs: number | null;
}

/** As Atlas calls them: being looked at, loaded beside the target's own, put in place, over. */
export type CollectionRestoreJobState =
  | 'INITIALIZING'
  | 'IN_PROGRESS'
  | 'FINALIZING'
  | 'SUCCESSFUL'
  | 'CANCELED'
  | 'FAILED';

/** Single databases and collections brought back. */
export interface CollectionRestoreJobTable {
  id: string;
  /** The cluster whose backup it is: the job is listed there. */
  clusterId: string;
  /** What it begins with; of a point in time the newest that leads there. */
  snapshotId: string;
  state: CollectionRestoreJobState;
  writeStrategy: 'CREATE_NEW' | 'OVERWRITE_EXISTING';
  indexStrategy: 'ALL' | 'NONE' | 'ALL_EXCEPT_TTL';
  /** JSON, both: `{source, target?}[]` as asked for. */
  databases: string;
  collections: string;
  databaseSuffix: string | null;
  collectionSuffix: string | null;
  targetProjectId: string;
  targetClusterId: string;
  targetClusterName: string;
  pointInTimeUtcSeconds: number | null;
  oplogTs: number | null;
  oplogInc: number | null;
  createdAtMs: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  errorMessage: string | null;
}

export type RestoredCollectionState =
  | 'NOT_STARTED'
  | 'IN_PROGRESS'
  | 'FINALIZING'
  | 'NOT_FOUND'
  | 'UNSUPPORTED'
  | 'SUCCESSFUL'
  | 'ROLLBACK'
  | 'NOT_RESTORED'
  | 'FAILED'
  | 'INDEX_BUILD_FAILED';

export type RestoredIndexState = 'NOT_STARTED' | 'IN_PROGRESS' | 'SUCCESSFUL' | 'FAILED' | 'NOT_RESTORED';

/** One collection of a job; none before it is known which there are. What a later attempt has to know is here too. */
export interface RestoredCollectionTable {
  jobId: string;
  position: number;
  /** `database.collection`; of a database that the backup does not have, its name alone. Unique in the job. */
  source: string;
  /** As asked for. */
  target: string;
  effectiveTarget: string | null;
  state: RestoredCollectionState;
  /** The name under which it waits, or waited when its process ended, in the target's database. */
  stagedName: string | null;
  stagedUuid: string | null;
  totalDocuments: number;
  restoredDocuments: number;
  indexState: RestoredIndexState;
  indexError: string | null;
}

/** One file of a download: the archive of one replica set. */
export interface DownloadTable {
  id: string;
  restoreJobId: string;
  position: number;
  replicaSetName: string;
  /** One of several, of a sharded snapshot. */
  isShard: Flag;
  /** Where the copy is that is read; null for the repository itself. */
  regionName: string | null;
  fileName: string;
  bytes: number;
  /** Hex digits. */
  sha1: string;
  sha256: string;
  /** What the bytes of the file depend on beside the snapshot. */
  writer: string;
  /** From the beginning of the file, without a hole. */
  servedBytes: number;
  deliveredAtMs: number | null;
}

export interface ExportBucketTable {
  id: string;
  projectId: string;
  cloudProvider: CloudProvider;
  bucketName: string;
  /** AWS calls it `iamRoleId`, the others `roleId`. */
  roleId: string;
  /** AWS; null until looked up. */
  region: string | null;
  /** Azure only. */
  serviceUrl: string | null;
  /** Azure only. */
  tenantId: string | null;
  requirePrivateNetworking: Flag;
  createdAtMs: number;
  deletedAtMs: number | null;
}

export type ExportJobState = 'Queued' | 'InProgress' | 'Successful' | 'Failed' | 'Cancelled';

export interface ExportJobTable {
  id: string;
  clusterId: string;
  snapshotId: string;
  exportBucketId: string;
  state: ExportJobState;
  prefix: string;
  /** JSON: `{key, value}[]`. */
  customData: string;
  exportedCollections: number;
  totalCollections: number;
  createdAtMs: number;
  finishedAtMs: number | null;
  /** Both set when `state` is Failed. */
  errorCode: string | null;
  errorMessage: string | null;
  /** JSON, as of a restore job. */
  leftOut: string | null;
}

/** One per shard of a sharded cluster's export; none for a replica set. */
export interface ExportJobComponentTable {
  exportJobId: string;
  position: number;
  exportId: string;
  replicaSetName: string;
}

export type TaskKind =
  | 'takeSnapshot'
  | 'deleteSnapshot'
  | 'restoreSnapshot'
  | 'restoreCollections'
  | 'exportSnapshot'
  | 'serveDownload'
  | 'copySnapshot'
  | 'deleteSnapshotCopy'
  | 'copyOplogs'
  | 'copyCatalog'
  | 'tailOplog'
  | 'pruneSlices'
  | 'releaseBalancer'
  | 'takeCheckpoint';

export type TaskState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';

export interface TaskTable {
  id: string;
  kind: TaskKind;
  state: TaskState;
  /** What it works on: a snapshot's, restore job's or export job's id. */
  subjectId: string;
  /** Of two tasks with one exclusive key at most one runs at a time: one writer per cluster. */
  exclusiveKey: string | null;
  /** Starts so far; a start that was only put back by a shutdown is not counted. */
  attempts: number;
  attemptsMax: number;
  /** Not claimed before. */
  runAfterMs: number;
  /** Grows with every claim. What was claimed under an older one can commit nothing. */
  generation: number;
  leaseOwner: string | null;
  leaseExpiresAtMs: number | null;
  cancelRequestedAtMs: number | null;
  /**
   * The snapshot whose manifest and blobs must stay while this task is unfinished: a parent, or what is being restored.
   */
  pinnedClusterId: string | null;
  pinnedSnapshotId: string | null;
  /** JSON: `Progress` of lib/progress.ts; null before the first report. */
  progress: string | null;
  /** Why it failed, or why the last attempt did. */
  failureReason: string | null;
  createdAtMs: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
}

export interface SettingTable {
  name: string;
  value: string;
}
