import type { Selectable } from 'kysely';
import type {
  AccessListEntryTable,
  AccessTokenTable,
  ApiKeyTable,
  RoleAssignmentTable,
  ServiceAccountSecretTable,
  ServiceAccountTable,
} from './schema/callers.ts';
import type {
  BalancerHoldTable,
  CaptureTable,
  CloudProviderAccessRoleTable,
  ClusterTable,
  OrganizationTable,
  PrivateEndpointTable,
  ProjectTable,
} from './schema/clusters.ts';
import type {
  CollectionRestoreJobTable,
  DownloadTable,
  ExportBucketTable,
  ExportJobComponentTable,
  ExportJobTable,
  RestoredCollectionTable,
  RestoreJobTable,
  SettingTable,
  TaskTable,
} from './schema/jobs.ts';
import type {
  CheckpointPartTable,
  CheckpointScheduleTable,
  CheckpointTable,
  CompliancePolicyItemTable,
  CompliancePolicyTable,
  CopySettingTable,
  LegacyScheduleTable,
  PolicyItemTable,
  ScheduleTable,
  SnapshotCopyTable,
  SnapshotTable,
} from './schema/snapshots.ts';

export type { AccessListOwnerKind, AccessTokenTable, PrincipalKind } from './schema/callers.ts';
export type {
  CloudProvider,
  ClusterTable,
  ClusterType,
  Flag,
  OrganizationTable,
  ProjectTable,
} from './schema/clusters.ts';
export type {
  CollectionRestoreJobState,
  CollectionRestoreJobTable,
  DeliveryType,
  DownloadTable,
  ExportBucketTable,
  ExportJobState,
  ExportJobTable,
  RestoredCollectionState,
  RestoredCollectionTable,
  RestoredIndexState,
  RestoreJobState,
  RestoreJobTable,
  TaskKind,
  TaskState,
  TaskTable,
} from './schema/jobs.ts';
export type {
  CheckpointPartType,
  CheckpointState,
  CheckpointTable,
  FrequencyType,
  PolicyRetentionUnit,
  ScheduleTable,
  SnapshotCopyState,
  SnapshotCopyTable,
  SnapshotStatus,
  SnapshotTable,
  SnapshotType,
} from './schema/snapshots.ts';

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
