import { apiKeyOperations } from './api-keys.ts';
import { checkpointOperations } from './checkpoints.ts';
import { cloudProviderAccessOperations } from './cloud-provider-access.ts';
import { clusterOperations } from './clusters.ts';
import { collectionRestoreJobOperations } from './collection-restore-jobs.ts';
import { compliancePolicyOperations } from './compliance-policy.ts';
import { documentHistoryOperations } from './document-history.ts';
import { exportBucketOperations } from './export-buckets.ts';
import { exportJobOperations } from './export-jobs.ts';
import { flexClusterOperations } from './flex-clusters.ts';
import { legacyBackupOperations } from './legacy-backup.ts';
import { organizationOperations } from './organizations.ts';
import { otherClusterKindOperations } from './other-cluster-kinds.ts';
import { privateEndpointOperations } from './private-endpoints.ts';
import { projectAccessListOperations } from './project-access-lists.ts';
import { projectOperations } from './projects.ts';
import { restoreJobOperations } from './restore-jobs.ts';
import { scheduleOperations } from './schedules.ts';
import { serviceAccountOperations } from './service-accounts.ts';
import { snapshotContentOperations } from './snapshot-contents.ts';
import { snapshotOperations } from './snapshots.ts';
import { systemStatusOperations } from './system-status.ts';
import { tidemarkOperations } from './tidemark.ts';

/** Every operation that we serve, by operationId. */
export const operations = {
  ...systemStatusOperations,
  ...organizationOperations,
  ...projectOperations,
  ...projectAccessListOperations,
  ...apiKeyOperations,
  ...serviceAccountOperations,
  ...cloudProviderAccessOperations,
  ...clusterOperations,
  ...flexClusterOperations,
  ...snapshotOperations,
  ...scheduleOperations,
  ...compliancePolicyOperations,
  ...restoreJobOperations,
  ...exportBucketOperations,
  ...exportJobOperations,
  ...checkpointOperations,
  ...snapshotContentOperations,
  ...legacyBackupOperations,
  ...privateEndpointOperations,
  ...collectionRestoreJobOperations,
  ...otherClusterKindOperations,
  ...tidemarkOperations,
  ...documentHistoryOperations,
};

export type OperationId = keyof typeof operations;
