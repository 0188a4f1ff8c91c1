import type { Generated, Selectable } from 'kysely';

/**
 * Every table of the catalog, as TypeScript sees it. The DDL is in `migrations/`; a test holds the two together, column
 * for column. In SQL the names are snake_case (`createdAtMs` is `created_at_ms`); the translation is one Kysely plugin,
 * in `catalog.ts`.
 *
 * Rules for all tables, so that SQLite and PostgreSQL mean the same:
 * - ids are the 24 hex digits of `lib/ids.ts`; times are milliseconds since the epoch; a count or size is an integer;
 * - truth values are 0 or 1 (`Flag`); lists and objects are JSON text, decoded by the noun's file;
 * - what is sealed is AES-256-GCM under DATA/secret.key (`lib/secret-box.ts`): the catalog file alone gives no secret
 *   away;
 * - a row that others may still point at is not deleted, it gets `deletedAtMs`.
 */
export interface Tables {
  organizations: OrganizationTable;
  projects: ProjectTable;
  clusters: ClusterTable;
  apiKeys: ApiKeyTable;
  serviceAccounts: ServiceAccountTable;
  serviceAccountSecrets: ServiceAccountSecretTable;
  accessTokens: AccessTokenTable;
  roleAssignments: RoleAssignmentTable;
  snapshots: SnapshotTable;
  schedules: ScheduleTable;
  policyItems: PolicyItemTable;
  copySettings: CopySettingTable;
  snapshotCopies: SnapshotCopyTable;
  compliancePolicies: CompliancePolicyTable;
  compliancePolicyItems: CompliancePolicyItemTable;
  restoreJobs: RestoreJobTable;
  collectionRestoreJobs: CollectionRestoreJobTable;
  restoredCollections: RestoredCollectionTable;
  downloads: DownloadTable;
  exportBuckets: ExportBucketTable;
  exportJobs: ExportJobTable;
  exportJobComponents: ExportJobComponentTable;
  checkpoints: CheckpointTable;
  checkpointParts: CheckpointPartTable;
  legacySchedules: LegacyScheduleTable;
  privateEndpoints: PrivateEndpointTable;
  tasks: TaskTable;
  settings: SettingTable;
  accessListEntries: AccessListEntryTable;
  cloudProviderAccessRoles: CloudProviderAccessRoleTable;
  captures: CaptureTable;
  balancerHolds: BalancerHoldTable;
  checkpointSchedules: CheckpointScheduleTable;
}

/** 0 is no, 1 is yes. */
export type Flag = 0 | 1;

export interface OrganizationTable {
  id: string;
  name: string;
  createdAtMs: number;
  /** JSON: what was changed of `OrganizationSettings` in `catalog/organizations.ts`. */
  settings: Generated<string>;
}

export interface ProjectTable {
  id: string;
  organizationId: string;
  /**
   * Unique in the whole service: `groups/byName/{groupName}` names no organization. A deleted one gives its name back.
   */
  name: string;
  createdAtMs: number;
  /** JSON: what was changed of `ProjectSettings` in `catalog/projects.ts`. */
  settings: Generated<string>;
  deletedAtMs: Generated<number | null>;
}

export type ClusterType = 'replicaSet' | 'sharded';

export interface ClusterTable {
  id: string;
  projectId: string;
  /** Unique among the project's clusters that are not deleted. */
  name: string;
  type: ClusterType;
  /** The connection string, sealed; null once the cluster is removed, or where a rebuild found no secret. */
  sealedUri: string | null;
  /** The connection string without user name, password and options that may hold one: for people. */
  displayUri: string;
  replicaSetName: string | null;
  mongodVersion: string | null;
  featureCompatibilityVersion: string | null;
  /** JSON: `ClusterMember[]` of `catalog/clusters.ts`, as last seen. */
  members: string;
  dataBytes: number | null;
  /** When the four above were read from the cluster. */
  probedAtMs: number | null;
  createdAtMs: number;
  /**
   * Last registration. A snapshot requested earlier is never a parent: its oplog position may be another deployment's.
   */
  registeredAtMs: number;
  deletedAtMs: number | null;
  /** Snapshots may be taken of it. */
  backupEnabled: Generated<Flag>;
  /** Left alone by its owner's wish: nothing is read from it and nothing is restored into it. */
  paused: Generated<Flag>;
  /** Whether its snapshots outlive it where the request to delete it does not say. */
  retainBackups: Generated<Flag>;
  terminationProtected: Generated<Flag>;
  /** Both set when the last look at it failed, and what is known of it is that of `probedAtMs`. */
  probeFailedAtMs: Generated<number | null>;
  probeFailure: Generated<string | null>;
  /** Its oplog is captured continuously, for restores to any second. */
  pitEnabled: Generated<Flag>;
}

export interface ApiKeyTable {
  id: string;
  organizationId: string;
  /** Eight lower-case letters; the digest user name. */
  publicKey: string;
  /**
   * Sealed MD5(publicKey:realm:privateKey), which is what HTTP digest needs to know; the private part itself is kept
   * nowhere.
   */
  sealedHa1: string;
  /** Last twelve characters of the private part, which Atlas shows for recognition. */
  privateKeyTail: string;
  description: string;
  createdAtMs: number;
  deletedAtMs: number | null;
}

export interface ServiceAccountTable {
  id: string;
  organizationId: string;
  /** `mdb_sa_id_` and 24 hex digits. */
  clientId: string;
  name: string;
  description: string;
  createdAtMs: number;
  deletedAtMs: number | null;
}

export interface ServiceAccountSecretTable {
  id: string;
  serviceAccountId: string;
  /** SHA-256 of the secret, hex. The secret is long and random, so a slow hash would add nothing. */
  secretHash: string;
  /** Last four characters, for recognition. */
  secretTail: string;
  createdAtMs: number;
  expiresAtMs: number | null;
  lastUsedAtMs: number | null;
}

export interface AccessTokenTable {
  /** SHA-256 of the token, hex. */
  tokenHash: string;
  serviceAccountId: string;
  issuedAtMs: number;
  expiresAtMs: number;
  revokedAtMs: number | null;
  /** The secret that it was issued for, and with which it ends. */
  secretId: Generated<string | null>;
}

export type PrincipalKind = 'apiKey' | 'serviceAccount';

/** Exactly one of `organizationId` and `projectId` is set: the role holds there. */
export interface RoleAssignmentTable {
  id: string;
  principalKind: PrincipalKind;
  principalId: string;
  organizationId: string | null;
  projectId: string | null;
  /** As Atlas spells it: `ORG_OWNER`, `GROUP_READ_ONLY`, ... */
  roleName: string;
}

export type SnapshotStatus = 'queued' | 'inProgress' | 'completed' | 'failed';
export type SnapshotType = 'onDemand' | 'scheduled' | 'fallback';
export type FrequencyType = 'ondemand' | 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

export interface SnapshotTable {
  id: string;
  clusterId: string;
  status: SnapshotStatus;
  snapshotType: SnapshotType;
  frequencyType: FrequencyType;
  type: ClusterType;
  description: string;
  /** JSON: ids of the policy items it belongs to. */
  policyItems: string;
  requestedAtMs: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
  /** The time of the data: that of `clusterTime`. Null until completed. */
  createdAtMs: number | null;
  /** What `expiresAtMs` is counted from completion with. */
  retentionMs: number;
  /** Request + retention until completed, completion + retention from then on, or what the owner set. */
  expiresAtMs: number;
  /** The owner changed its retention: policies leave it alone, and catalog copies carry it. */
  retentionChanged: Flag;
  /** When a policy last changed what it was taken with; catalog copies carry that too. */
  retentionUpdatedAtMs: number | null;
  /** Its original has expired, and a copy is still there to be restored. */
  copiesOnlySinceMs: number | null;
  /** Neither expires nor can be deleted until the owner takes it back; catalog copies carry it. */
  doNotDelete: Generated<Flag>;
  clusterTimeT: number | null;
  clusterTimeI: number | null;
  parentSnapshotId: string | null;
  replicaSetName: string | null;
  /** JSON: `SnapshotMember[]` of catalog/snapshots.ts; null for a replica set, and until it is completed. */
  members: Generated<string | null>;
  mongodVersion: string | null;
  featureCompatibilityVersion: string | null;
  collections: number | null;
  documents: number | null;
  /** Bytes of the documents at the snapshot's time, uncompressed. */
  dataBytes: number | null;
  /** What the snapshot added to the repository, before and after compression. */
  writtenPlainBytes: number | null;
  writtenStoredBytes: number | null;
  /** All objects the snapshot is made of, also those it shares with others: what it would take alone. */
  storageSizeBytes: number | null;
  failureReason: string | null;
  deletedAtMs: number | null;
}

/** One for each cluster that is or was registered. */
export interface ScheduleTable {
  clusterId: string;
  policyId: string;
  /** UTC. */
  referenceHour: number;
  referenceMinute: number;
  restoreWindowDays: number;
  autoExportEnabled: Flag;
  exportBucketId: string | null;
  exportFrequencyType: string | null;
  namesInExportPrefix: Flag;
  copyPolicyItemsEnabled: Flag;
  autoCopySettingsEnabled: Flag;
  /** JSON: `{frequencyType, retentionDays}[]`. */
  extraRetentionSettings: string;
  /** What was due up to then has its snapshot, or was due before the schedule said so. */
  servedUntilMs: number;
  updatedAtMs: number;
}

export type PolicyRetentionUnit = 'days' | 'weeks' | 'months' | 'years';

export interface PolicyItemTable {
  id: string;
  clusterId: string;
  position: number;
  frequencyType: Exclude<FrequencyType, 'ondemand'>;
  frequencyInterval: number;
  retentionUnit: PolicyRetentionUnit;
  retentionValue: number;
}

/** At most one a region. */
export interface CopySettingTable {
  id: string;
  clusterId: string;
  position: number;
  cloudProvider: CloudProvider;
  /** The name of a copy store of the service's configuration. */
  regionName: string;
  zoneId: string;
  shouldCopyOplogs: Flag;
  /** JSON: `HOURLY`, ... `ON_DEMAND`; what is copied where copy policy items are not in use. */
  frequencies: string;
  /** Only so many of the newest are kept; excludes the two beside it. */
  lastNumberOfSnapshots: number | null;
  /** JSON: `{id, frequencyType, retentionUnit?, retentionValue?}[]`; what is copied, and how long copies are kept. */
  copyPolicyItems: string;
}

export type SnapshotCopyState = 'queued' | 'inProgress' | 'completed' | 'failed';

/** A snapshot in a second place. It may outlive the original. */
export interface SnapshotCopyTable {
  id: string;
  snapshotId: string;
  clusterId: string;
  cloudProvider: CloudProvider;
  regionName: string;
  zoneId: string;
  state: SnapshotCopyState;
  requestedAtMs: number;
  finishedAtMs: number | null;
  expiresAtMs: number;
  /** What the copy wrote; null until completed. */
  storedBytes: number | null;
  failureReason: string | null;
  deletedAtMs: number | null;
}

/** At most one a project. Its state is not kept: the transaction that changes it raises what falls below it. */
export interface CompliancePolicyTable {
  projectId: string;
  authorizedEmail: string;
  authorizedUserFirstName: string;
  authorizedUserLastName: string;
  copyProtectionEnabled: Flag;
  encryptionAtRestEnabled: Flag;
  pitEnabled: Flag;
  /** 0 where none is required. */
  restoreWindowDays: number;
  createdAtMs: number;
  updatedAtMs: number;
  /** Public key or client id of who changed it last. */
  updatedUser: string;
}

/** Those of type `ondemand` number at most one a project. */
export interface CompliancePolicyItemTable {
  id: string;
  projectId: string;
  position: number;
  frequencyType: FrequencyType;
  frequencyInterval: number;
  retentionUnit: PolicyRetentionUnit;
  retentionValue: number;
}

/** The last word of a cluster's tailer. Coverage itself is a query on the repository. */
export interface CaptureTable {
  clusterId: string;
  replicaSetName: string | null;
  /** The member that was read last. */
  host: string | null;
  /** Time of the last entry in the repository; null while nothing is. */
  capturedT: number | null;
  capturedI: number | null;
  lagSeconds: number | null;
  updatedAtMs: number;
  /** Why the last tailer ended; null while one is at work. */
  failure: string | null;
  /** JSON: `CaptureMember[]` of `catalog/captures.ts`; null of a replica set. */
  members: string | null;
}

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

export type CloudProvider = 'AWS' | 'AZURE' | 'GCP';

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
}

/** One per shard of a sharded cluster's export; none for a replica set. */
export interface ExportJobComponentTable {
  exportJobId: string;
  position: number;
  exportId: string;
  replicaSetName: string;
}

export interface CheckpointTable {
  id: string;
  clusterId: string;
  startedAtMs: number;
  completedAtMs: number | null;
  /** The time it restores to, to the second; exactly it is that of the two below. */
  timestampMs: number | null;
  restorable: Flag;
  state: Generated<CheckpointState>;
  /** At or after every token. Set once all are written. */
  clusterTimeT: Generated<number | null>;
  clusterTimeI: Generated<number | null>;
  /** Why it failed, or is not restorable (any more). */
  reason: Generated<string | null>;
}

export type CheckpointState = 'queued' | 'inProgress' | 'discovering' | 'completed' | 'failed';

/** How often a sharded cluster has a checkpoint made. */
export interface CheckpointScheduleTable {
  clusterId: string;
  intervalMinutes: number;
  /** What was due up to then has been made, or was missed. */
  servedUntilMs: number;
}

export type CheckpointPartType = 'REPLICA_SET' | 'CONFIG_SERVER' | 'CONFIG_SERVER_REPLICA_SET';

/** One per shard, and one for the config servers. */
export interface CheckpointPartTable {
  checkpointId: string;
  position: number;
  replicaSetName: string | null;
  shardName: string | null;
  typeName: CheckpointPartType;
  tokenDiscovered: Flag;
  tokenSeconds: number | null;
  tokenIncrement: number | null;
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

export type AccessListOwnerKind = PrincipalKind | 'project';

/** From where an API key or service account may be used, or a project's deployments be reached. */
export interface AccessListEntryTable {
  id: string;
  ownerKind: AccessListOwnerKind;
  ownerId: string;
  /** Network and prefix length, in canonical form; a single address has 32 or 128. */
  cidrBlock: string;
  /** It was given as an address and is shown as one. */
  singleAddress: Flag;
  /** Projects only, both. */
  comment: string | null;
  deleteAfterMs: number | null;
  /** Requests that it admitted. */
  requests: number;
  lastUsedAtMs: number | null;
  lastUsedAddress: string | null;
  createdAtMs: number;
}

/** An identity at a cloud provider under which buckets there are used. */
export interface CloudProviderAccessRoleTable {
  id: string;
  projectId: string;
  cloudProvider: CloudProvider;
  /** AWS: a UUID that the trust policy of the role demands. */
  externalId: string | null;
  /** AWS; null until authorized. */
  assumedRoleArn: string | null;
  /** Azure, all three. */
  azureAppId: string | null;
  azureTenantId: string | null;
  azureServicePrincipalId: string | null;
  createdAtMs: number;
  updatedAtMs: number;
  authorizedAtMs: number | null;
  deletedAtMs: number | null;
}

/** The legacy snapshot schedule as it was set last: how a change of the schedule was said, to be shown so. */
export interface LegacyScheduleTable {
  clusterId: string;
  snapshotIntervalHours: number;
  snapshotRetentionDays: number;
  dailySnapshotRetentionDays: number;
  weeklySnapshotRetentionWeeks: number;
  monthlySnapshotRetentionMonths: number;
  pointInTimeWindowHours: number;
  updatedAtMs: number;
}

/** An object-storage private endpoint as it was asked for; no network is built. At most one a region of a project. */
export interface PrivateEndpointTable {
  id: string;
  projectId: string;
  cloudProvider: CloudProvider;
  /** As Atlas spells regions: `US_EAST_1`. */
  regionName: string;
  vpcRegionName: string;
  createdAtMs: number;
  deletedAtMs: number | null;
}

/**
 * Its balancer was stopped by us and has to be started again. Written before it is stopped, erased after it was
 * started.
 */
export interface BalancerHoldTable {
  clusterId: string;
  heldAtMs: number;
  /** Whose work it is stopped for: that task gives it back, and once it has ended anybody may. */
  taskId: string | null;
}

export type BalancerHoldRow = Selectable<BalancerHoldTable>;
export type OrganizationRow = Selectable<OrganizationTable>;
export type ProjectRow = Selectable<ProjectTable>;
export type ClusterRow = Selectable<ClusterTable>;
export type CaptureRow = Selectable<CaptureTable>;
export type ApiKeyRow = Selectable<ApiKeyTable>;
export type ServiceAccountRow = Selectable<ServiceAccountTable>;
export type ServiceAccountSecretRow = Selectable<ServiceAccountSecretTable>;
export type AccessTokenRow = Selectable<AccessTokenTable>;
export type RoleAssignmentRow = Selectable<RoleAssignmentTable>;
export type SnapshotRow = Selectable<SnapshotTable>;
export type ScheduleRow = Selectable<ScheduleTable>;
export type PolicyItemRow = Selectable<PolicyItemTable>;
export type CopySettingRow = Selectable<CopySettingTable>;
export type SnapshotCopyRow = Selectable<SnapshotCopyTable>;
export type CompliancePolicyRow = Selectable<CompliancePolicyTable>;
export type CompliancePolicyItemRow = Selectable<CompliancePolicyItemTable>;
export type DownloadRow = Selectable<DownloadTable>;
export type RestoreJobRow = Selectable<RestoreJobTable>;
export type CollectionRestoreJobRow = Selectable<CollectionRestoreJobTable>;
export type RestoredCollectionRow = Selectable<RestoredCollectionTable>;
export type ExportBucketRow = Selectable<ExportBucketTable>;
export type ExportJobRow = Selectable<ExportJobTable>;
export type ExportJobComponentRow = Selectable<ExportJobComponentTable>;
export type CheckpointRow = Selectable<CheckpointTable>;
export type CheckpointScheduleRow = Selectable<CheckpointScheduleTable>;
export type CheckpointPartRow = Selectable<CheckpointPartTable>;
export type LegacyScheduleRow = Selectable<LegacyScheduleTable>;
export type PrivateEndpointRow = Selectable<PrivateEndpointTable>;
export type TaskRow = Selectable<TaskTable>;
export type AccessListEntryRow = Selectable<AccessListEntryTable>;
export type CloudProviderAccessRoleRow = Selectable<CloudProviderAccessRoleTable>;
