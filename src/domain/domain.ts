import type { ClusterMember } from '../catalog/clusters.ts';
import type { OrganizationSettings } from '../catalog/organizations.ts';
import type { Page, PageRequest } from '../catalog/page.ts';
import type { ProjectSettings } from '../catalog/projects.ts';
import type {
  ClusterType,
  CollectionRestoreJobRow,
  DeliveryType,
  ExportBucketRow,
  ExportJobState,
  LegacyScheduleRow,
  OrganizationRow,
  PrincipalKind,
  PrivateEndpointRow,
  ProjectRow,
  RestoredCollectionRow,
  RestoreJobRow,
  SnapshotRow,
  TaskKind,
  TaskState,
} from '../catalog/schema.ts';
import type { SnapshotMember } from '../catalog/snapshots.ts';
import type { Visibility } from '../catalog/visibility.ts';
import type { Progress } from '../lib/progress.ts';
import type { Giver } from '../mongo/connection/connection-options.ts';
import type { ConnectionParts } from '../mongo/connection/connection-string.ts';
import type { CloudProviderAccess } from './cloud-provider-access/cloud-provider-access.ts';
import type { CompliancePolicies } from './compliance/compliance-policy.ts';
import type { ContinuousBackup } from './continuous-backup/continuous-backup.ts';
import type { AccessLists, ApiKeys, ServiceAccounts } from './credentials/credentials.ts';
import type { Asking } from './credentials/still-admitted.ts';
import type { DocumentHistory } from './document-history/document-history.ts';
import type { Schedules } from './schedules/schedule.ts';

/**
 * What the service can do, as `api` and `cli` see it. All times are milliseconds since the epoch. What the caller did
 * wrong is thrown as a Refusal (`refusals.ts`), what the world did as a Fault. Who may call is decided before: nothing
 * here looks at roles.
 */
export interface Domain {
  continuousBackup: ContinuousBackup;
  documentHistory: DocumentHistory;
  organizations: Organizations;
  projects: Projects;
  clusters: Clusters;
  snapshots: Snapshots;
  snapshotContents: SnapshotContents;
  schedules: Schedules;
  compliancePolicies: CompliancePolicies;
  restoreJobs: RestoreJobs;
  downloads: Downloads;
  exportBuckets: ExportBuckets;
  exportJobs: ExportJobs;
  checkpoints: Checkpoints;
  legacy: Legacy;
  privateEndpoints: PrivateEndpoints;
  collectionRestoreJobs: CollectionRestoreJobs;
  tasks: Tasks;
  apiKeys: ApiKeys;
  serviceAccounts: ServiceAccounts;
  accessLists: AccessLists;
  cloudProviderAccess: CloudProviderAccess;
  system: SystemInformation;
}

export type { ClusterMember } from '../catalog/clusters.ts';
export type { OrganizationSettings } from '../catalog/organizations.ts';
export type { Page, PageRequest } from '../catalog/page.ts';
export type { ProjectSettings, Tag } from '../catalog/projects.ts';
export type { SnapshotMember } from '../catalog/snapshots.ts';
export type { Visibility } from '../catalog/visibility.ts';
export type { CompliancePolicies, CompliancePolicy } from './compliance/compliance-policy.ts';
export type { Schedule, SchedulePatch, Schedules } from './schedules/schedule.ts';

export type Organization = Omit<OrganizationRow, 'settings'>;
export type Project = Omit<ProjectRow, 'settings' | 'deletedAtMs'> & {
  settings: ProjectSettings;
  clusterCount: number;
};

export interface Organizations {
  /** `nameFilter` matches a part of the name, whatever its case; an empty one matches all. */
  list(query: {
    visibleTo: Visibility | 'everything';
    nameFilter?: string;
    page: PageRequest;
  }): Promise<Page<Organization>>;
  get(organizationId: string): Promise<Organization>;
  create(request: { name: string }): Promise<Organization>;
  settings(organizationId: string): Promise<OrganizationSettings>;
  /** What is left out stays. */
  /** Refused where it would leave whoever asks for it outside, or every owner. */
  updateSettings(organizationId: string, change: OrganizationSettings, asking?: Asking): Promise<OrganizationSettings>;
}

export interface Projects {
  list(query: {
    visibleTo: Visibility | 'everything';
    organizationId?: string;
    nameFilter?: string;
    page: PageRequest;
  }): Promise<Page<Project>>;
  get(projectId: string): Promise<Project>;
  getByName(name: string): Promise<Project>;
  /** With `owner`, who may then do everything in it. */
  create(request: {
    organizationId: string;
    name: string;
    settings?: ProjectSettings;
    owner?: { kind: PrincipalKind; id: string };
  }): Promise<Project>;
  /** What is left out stays; of `switches` too. */
  update(request: { projectId: string; name?: string; settings?: ProjectSettings }): Promise<Project>;
  /** Refused while it has clusters or backups. */
  delete(projectId: string): Promise<void>;
}

/** A registered cluster. The connection string with its secrets never leaves the domain. */
export interface Cluster {
  id: string;
  projectId: string;
  name: string;
  type: ClusterType;
  /** Without user name and password. */
  displayUri: string;
  replicaSetName: string | null;
  mongodVersion: string | null;
  featureCompatibilityVersion: string | null;
  members: ClusterMember[];
  /** Size of its data when last looked at. */
  dataBytes: number | null;
  probedAtMs: number | null;
  createdAtMs: number;
  /** Why the last look at it failed; null when it answered. What is said above is then of `probedAtMs`. */
  probeFailure: string | null;
  /** A restore is replacing its data right now. */
  restoreInProgress: boolean;
  backupEnabled: boolean;
  /** Its oplog is captured, so that it can be restored to any second of its window. */
  pitEnabled: boolean;
  /** Left alone by its owner's wish: nothing is read from it and nothing is restored into it. */
  paused: boolean;
  /** Whether its snapshots outlive it where `terminate` does not say. */
  retainBackups: boolean;
  terminationProtectionEnabled: boolean;
}

/** What its owner may decide about a cluster; what is left out stays. */
export interface ClusterChange {
  /** False: its snapshots are deleted, unless `retainBackups` is true. */
  backupEnabled?: boolean;
  pitEnabled?: boolean;
  retainBackups?: boolean;
  paused?: boolean;
  terminationProtectionEnabled?: boolean;
}

/** How the processes of a cluster are set up. Null: the server has no such setting, or may not be asked. */
export interface ProcessSettings {
  defaultReadConcern: string | null;
  defaultWriteConcern: string | null;
  javascriptEnabled: boolean | null;
  noTableScan: boolean | null;
  oplogMinRetentionHours: number | null;
  oplogSizeMB: number | null;
  transactionLifetimeLimitSeconds: number | null;
}

export interface ClusterName {
  projectId: string;
  clusterName: string;
}

/**
 * How to get at a cluster, and who says so. What a client may say is narrower than what the operator of this machine
 * may: `docs/connection-strings.md`.
 */
export interface GivenConnection {
  uri: string;
  /** A client where left out. */
  giver?: Giver;
  /** What came beside the string. */
  parts?: ConnectionParts;
}

export interface ConnectedNow extends Cluster {
  /** Options of the string that Tidemark sets itself. */
  overriddenOptions: string[];
}

export interface Clusters {
  list(query: { projectId: string; page: PageRequest }): Promise<Page<Cluster>>;
  get(cluster: ClusterName): Promise<Cluster>;
  /**
   * Connects first: what cannot be reached or is not a replica set is refused. `scheduled: false`: no snapshots are
   * taken by themselves, as of a cluster that is only a target.
   */
  register(
    request: { projectId: string; name: string; scheduled?: boolean } & GivenConnection & { signal?: AbortSignal },
  ): Promise<ConnectedNow>;
  /**
   * Another connection string for the same cluster: new credentials, other hosts. Tried before it is taken; schedule,
   * snapshots and policies stay as they are.
   */
  reconnect(request: ClusterName & GivenConnection & { signal?: AbortSignal }): Promise<ConnectedNow>;
  update(request: ClusterName & { change: ClusterChange }): Promise<Cluster>;
  /**
   * Forgets the connection string. Its snapshots stay and can be restored elsewhere, unless they are to be deleted with
   * it.
   */
  remove(request: ClusterName & { deleteSnapshots?: boolean }): Promise<void>;
  /** The same in Atlas's words: where the request does not say, the cluster's own `retainBackups` decides. */
  terminate(request: ClusterName & { retainBackups?: boolean }): Promise<void>;
  /** Asked of the live cluster. */
  processSettings(request: ClusterName & { signal?: AbortSignal }): Promise<ProcessSettings>;
}

/** `policyItems` decoded; `createdAtMs` and what describes the data is null until `status` is completed. */
export type Snapshot = Omit<
  SnapshotRow,
  | 'members'
  | 'policyItems'
  | 'retentionChanged'
  | 'retentionUpdatedAtMs'
  | 'copiesOnlySinceMs'
  | 'doNotDelete'
  | 'deletedAtMs'
> & {
  /** Neither expires nor can be deleted. Only the legacy operations set and show it. */
  doNotDelete: boolean;
  /** Where completed copies of it are. */
  copyRegions: string[];
  /** The replica sets of a completed sharded snapshot; none for a replica set's. */
  members: SnapshotMember[];
  policyItems: string[];
  projectId: string;
  clusterName: string;
  /** The task at work or last at work on it; null for a snapshot found by a rebuild. */
  taskId: string | null;
};

export type RetentionUnit = 'DAYS' | 'WEEKS' | 'MONTHS' | 'YEARS';

export interface Snapshots {
  /**
   * Newest first; with `completed` only those that are, or are not. With `closestBefore` (seconds; increment, the last
   * of that second where left out) only the newest completed one at or before that point.
   */
  list(
    query: ClusterName & {
      page: PageRequest;
      completed?: boolean;
      closestBefore?: { seconds: number; increment?: number };
    },
  ): Promise<Page<Snapshot>>;
  /** All that were taken of the cluster as a sharded one, newest first. */
  listSharded(query: ClusterName): Promise<Snapshot[]>;
  get(query: ClusterName & { snapshotId: string }): Promise<Snapshot>;
  /** `retentionInDays` at least 1, 7 when left out. */
  take(request: ClusterName & { description?: string; retentionInDays?: number }): Promise<Snapshot>;
  updateRetention(
    request: ClusterName & { snapshotId: string; retentionUnit: RetentionUnit; retentionValue: number },
  ): Promise<Snapshot>;
  /** As the legacy API has it: an end by date, or none at all. Not both; what is left out stays. */
  updateExpiry(
    request: ClusterName & { snapshotId: string; doNotDelete?: boolean; expiresAtMs?: number },
  ): Promise<Snapshot>;
  delete(request: ClusterName & { snapshotId: string }): Promise<void>;
}

/** What a completed snapshot holds, by name, in order; without the server's own databases and `system.` collections. */
export interface SnapshotContents {
  listDatabases(query: SnapshotName & { page: PageRequest }): Promise<Page<string>>;
  /** Refused where the snapshot has no such database. */
  requireDatabase(query: SnapshotName & { databaseName: string }): Promise<void>;
  listCollections(query: SnapshotName & { databaseName: string; page: PageRequest }): Promise<Page<string>>;
  requireCollection(query: SnapshotName & { databaseName: string; collectionName: string }): Promise<void>;
}

export type SnapshotName = ClusterName & { snapshotId: string };

/**
 * Atlas's `cancelled`, `failed` and `expired` follow from `state`; `finishedAtMs` is set in all three and when
 * completed. Of a download `completed` means that its link was made, and `finishedAtMs` is set once it has been used or
 * has expired.
 */
export type RestoreJob = RestoreJobRow & {
  projectId: string;
  clusterName: string;
  taskId: string | null;
  /** Of a download that is ready: one for each replica set. */
  downloads: DownloadLink[];
};

export interface DownloadLink {
  /**
   * Below the service's own address; null once the link is used up. Whoever has it may download without credentials.
   */
  path: string | null;
  fileName: string;
  bytes: number;
  /** Hex digits. */
  sha1: string;
  sha256: string;
  replicaSetName: string;
  /** One of several, of a sharded snapshot. */
  isShard: boolean;
}

/** The files behind the links of restore jobs. */
export interface Downloads {
  /** Refused where the token was not made by us, or the link has been used or has expired. */
  open(request: { token: string; fileName: string }): Promise<OpenDownload>;
  /** Breaks off what is being served. */
  stopAll(): void;
}

export interface OpenDownload {
  downloadId: string;
  fileName: string;
  bytes: number;
  /** Hex digits. */
  sha256: string;
  readyAtMs: number;
  /**
   * The bytes from..to, `to` not included. An earlier stream of the same file is broken off; refused where too many
   * files are served. `stop` breaks this one off. `end` is called exactly once, whatever happens; `whole`: all of it
   * was handed over.
   */
  stream(range: { from: number; to: number; stop: AbortController }): Promise<{
    bytes: AsyncIterable<Buffer>;
    end(whole: boolean): Promise<void>;
  }>;
}

export interface RestoreJobs {
  /** Newest first. */
  list(query: ClusterName & { page: PageRequest }): Promise<Page<RestoreJob>>;
  get(query: ClusterName & { restoreJobId: string }): Promise<RestoreJob>;
  /** `projectId` and `clusterName` are the snapshot's. All data of the target is replaced; a download has none. */
  create(request: RestoreRequest): Promise<RestoreJob>;
  /**
   * As Atlas has it: downloads only, so an automated restore is refused. `tasks.cancel` stops one, leaving the target
   * half restored.
   */
  cancel(request: ClusterName & { restoreJobId: string }): Promise<void>;
}

export type RestoreRequest = ClusterName & {
  deliveryType: DeliveryType;
  snapshotId?: string;
  targetProjectId?: string;
  targetClusterName?: string;
  pointInTimeUtcSeconds?: number;
  oplogTs?: number;
  oplogInc?: number;
};

export type ExportBucket = Omit<ExportBucketRow, 'requirePrivateNetworking' | 'deletedAtMs'> & {
  requirePrivateNetworking: boolean;
};

export interface ExportBuckets {
  /** Newest first. `cloudProvider` limits to one (the 2023-01-01 list knows AWS only). */
  list(query: {
    projectId: string;
    cloudProvider?: ExportBucketRow['cloudProvider'];
    page: PageRequest;
  }): Promise<Page<ExportBucket>>;
  /** With `cloudProvider` one of another provider is not found. */
  get(query: ExportBucketName & { cloudProvider?: ExportBucketRow['cloudProvider'] }): Promise<ExportBucket>;
  create(request: ExportBucketRequest): Promise<ExportBucket>;
  /** AWS only. */
  updatePrivateNetworking(request: ExportBucketName & { requirePrivateNetworking: boolean }): Promise<ExportBucket>;
  /** Refused while a schedule exports into it or an export job has not ended. What was exported stays in the bucket. */
  delete(request: ExportBucketName): Promise<void>;
}

export interface ExportBucketName {
  projectId: string;
  exportBucketId: string;
}

/**
 * AWS: `bucketName` and `iamRoleId`; GCP: `bucketName` and `roleId`; Azure: `roleId` and `serviceUrl`, which may hold
 * the container's name.
 */
export interface ExportBucketRequest {
  projectId: string;
  cloudProvider: ExportBucketRow['cloudProvider'];
  bucketName?: string;
  iamRoleId?: string;
  roleId?: string;
  serviceUrl?: string;
  requirePrivateNetworking?: boolean;
}

export interface ExportJob {
  id: string;
  projectId: string;
  clusterId: string;
  clusterName: string;
  snapshotId: string;
  exportBucketId: string;
  state: ExportJobState;
  prefix: string;
  customData: { key: string; value: string }[];
  exportedCollections: number;
  totalCollections: number;
  /** One per shard; empty for a replica set. */
  components: { exportId: string; replicaSetName: string }[];
  createdAtMs: number;
  finishedAtMs: number | null;
  /** Null once the task is forgotten, a month after its end. */
  taskId: string | null;
  /** Set when `state` is Failed. */
  stateReason: { errorCode: string; message: string } | null;
}

export interface ExportJobs {
  /** Newest first. */
  list(query: ClusterName & { page: PageRequest }): Promise<Page<ExportJob>>;
  get(query: ClusterName & { exportJobId: string }): Promise<ExportJob>;
  create(request: ExportJobRequest): Promise<ExportJob>;
}

export type ExportJobRequest = ClusterName & {
  snapshotId: string;
  exportBucketId: string;
  customData: { key: string; value: string }[];
};

export interface Checkpoint {
  id: string;
  projectId: string;
  clusterId: string;
  startedAtMs: number;
  completedAtMs: number | null;
  timestampMs: number | null;
  restorable: boolean;
  /** Why not, where that is known. Atlas has no place for it. */
  reason: string | null;
  parts: {
    replicaSetName: string | null;
    shardName: string | null;
    typeName: 'REPLICA_SET' | 'CONFIG_SERVER' | 'CONFIG_SERVER_REPLICA_SET';
    tokenDiscovered: boolean;
    tokenTimestamp: { seconds: number; increment: number } | null;
  }[];
}

export interface Checkpoints {
  /** Newest first. A replica set has none. */
  list(query: ClusterName & { page: PageRequest }): Promise<Page<Checkpoint>>;
  get(query: ClusterName & { checkpointId: string }): Promise<Checkpoint>;
}

/** What only the legacy operations know. Their snapshots and restore jobs are the others. */
export interface Legacy {
  /** The backup schedule in legacy words: as they were set last while it still says so, else the nearest. */
  schedule(cluster: ClusterName): Promise<LegacySchedule>;
  /**
   * Changes the backup schedule; what is left out, or as it was, stays as it is. A checkpoint interval is refused for
   * replica sets, which have no checkpoints; 0 ends it.
   */
  updateSchedule(
    request: ClusterName & { changes: Partial<LegacyScheduleSettings>; clusterCheckpointIntervalMin?: number },
  ): Promise<LegacySchedule>;
  /** Makes a restore job of a snapshot or of a point in time, of a checkpoint, or a download of a snapshot. */
  restore(request: LegacyRestoreRequest): Promise<RestoreJob>;
}

export type LegacyScheduleSettings = Omit<LegacyScheduleRow, 'clusterId' | 'updatedAtMs'>;
export type LegacySchedule = LegacyScheduleSettings & {
  clusterId: string;
  projectId: string;
  clusterName: string;
  /** Null where no checkpoints are made. */
  clusterCheckpointIntervalMin: number | null;
};

export type LegacyRestoreRequest = ClusterName & {
  methodName: string;
  /** Exactly one of these says what to restore. */
  snapshotId?: string;
  checkpointId?: string;
  oplogTs?: string;
  oplogInc?: number;
  pointInTimeUtcMillis?: number;
  targetProjectId?: string;
  targetClusterName?: string;
  targetClusterId?: string;
};

export type PrivateEndpoint = Omit<PrivateEndpointRow, 'deletedAtMs'>;

/** Asked for, kept and shown; no network is built, so that none is ever active. */
export interface PrivateEndpoints {
  /** Newest first. */
  list(query: {
    projectId: string;
    cloudProvider: PrivateEndpointRow['cloudProvider'];
    page: PageRequest;
  }): Promise<Page<PrivateEndpoint>>;
  get(query: PrivateEndpointName): Promise<PrivateEndpoint>;
  /** One a region: a second is refused. */
  create(request: {
    projectId: string;
    cloudProvider: PrivateEndpointRow['cloudProvider'];
    regionName: string;
    vpcRegionName?: string;
  }): Promise<PrivateEndpoint>;
  delete(request: PrivateEndpointName): Promise<void>;
}

export interface PrivateEndpointName {
  projectId: string;
  cloudProvider: PrivateEndpointRow['cloudProvider'];
  endpointId: string;
}

export interface CollectionRestoreJobs {
  list(query: ClusterName & { page: PageRequest }): Promise<Page<CollectionRestoreJob>>;
  get(query: CollectionRestoreJobName): Promise<CollectionRestoreJob>;
  create(request: CollectionRestoreRequest): Promise<CollectionRestoreJob>;
  /** Empty until it is known which collections there are. */
  listCollections(
    query: CollectionRestoreJobName & {
      state?: RestoredCollectionRow['state'];
      source?: string;
      target?: string;
      page: PageRequest;
    },
  ): Promise<Page<RestoredCollection>>;
  getCollection(query: CollectionRestoreJobName & { source: string }): Promise<RestoredCollection>;
}

export type CollectionRestoreJobName = ClusterName & { jobId: string };

export type CollectionRestoreJob = Omit<CollectionRestoreJobRow, 'databases' | 'collections'> & {
  projectId: string;
  clusterName: string;
  /** Null once it is forgotten. */
  taskId: string | null;
  databases: RestoredNamespace[];
  collections: RestoredNamespace[];
  totalDocuments: number;
  restoredDocuments: number;
  /** Null before it is known which collections there are. */
  indexState: RestoredCollectionRow['indexState'] | null;
  indexFailures: number;
};

/** What a client may know of a collection on its way. */
export type RestoredCollection = Omit<RestoredCollectionRow, 'jobId' | 'position' | 'stagedName' | 'stagedUuid'>;

export type CollectionRestoreRequest = ClusterName & {
  snapshotId?: string;
  pointInTimeUtcSeconds?: number;
  oplogTs?: number;
  oplogInc?: number;
  databases: RestoredNamespace[];
  collections: RestoredNamespace[];
  databaseSuffix?: string;
  collectionSuffix?: string;
  writeStrategy: CollectionRestoreJobRow['writeStrategy'];
  indexStrategy: CollectionRestoreJobRow['indexStrategy'];
  targetProjectId: string;
  targetClusterName: string;
};

/** `target` where it is to come back under another name. */
export interface RestoredNamespace {
  source: string;
  target?: string;
}

export interface Task {
  id: string;
  kind: TaskKind;
  state: TaskState;
  subjectId: string;
  attempts: number;
  attemptsMax: number;
  progress: Progress | null;
  failureReason: string | null;
  cancelRequested: boolean;
  createdAtMs: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
}

export interface Tasks {
  /** Newest first; with `unfinished` only those queued or running. */
  list(query: { unfinished?: boolean; page: PageRequest }): Promise<Page<Task>>;
  get(taskId: string): Promise<Task>;
  /** The newest task about a snapshot, restore job or export job, or null. */
  ofSubject(subjectId: string): Promise<Task | null>;
  /** Asks it to stop; one that only waits is stopped at once. What had ended stays as it ended. */
  cancel(taskId: string): Promise<Task>;
}

export interface SystemInformation {
  status(): Promise<SystemStatus>;
}

export interface SystemStatus {
  repository: { id: string; encrypted: boolean; description: string };
  catalogSchemaVersion: number;
  tasksQueued: number;
  tasksRunning: number;
  startedAtMs: number;
}
