import type { Checkpoints } from './checkpoints/checkpoints.ts';
import type { CloudProviderAccess } from './cloud-provider-access/cloud-provider-access.ts';
import type { Clusters } from './clusters/clusters.ts';
import type { CompliancePolicies } from './compliance-policies/compliance-policies.ts';
import type { ContinuousBackup } from './continuous-backup/continuous-backup.ts';
import type { AccessLists, ApiKeys, ServiceAccounts } from './credentials/credentials.ts';
import type { DocumentHistory } from './document-history/document-history.ts';
import type { ExportBuckets } from './exports/export-buckets.ts';
import type { ExportJobs } from './exports/export-jobs.ts';
import type { Legacy } from './legacy/legacy.ts';
import type { Organizations } from './organizations/organizations.ts';
import type { PrivateEndpoints } from './private-endpoints/private-endpoints.ts';
import type { Projects } from './projects/projects.ts';
import type { CollectionRestoreJobs } from './restores/collection-restore-jobs.ts';
import type { Downloads } from './restores/downloads.ts';
import type { RestoreJobs } from './restores/restore-jobs.ts';
import type { Schedules } from './schedules/schedules.ts';
import type { SnapshotContents } from './snapshots/snapshot-contents.ts';
import type { Snapshots } from './snapshots/snapshots.ts';
import type { SystemInformation } from './system/system-information.ts';
import type { Tasks } from './tasks/tasks.ts';

/**
 * What the service can do, as `api` and `cli` see it. All times are milliseconds since the epoch. What the caller did
 * wrong is thrown as a Refusal (`refusals/`), what the world did as a Fault. Who may call is decided before: nothing
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
