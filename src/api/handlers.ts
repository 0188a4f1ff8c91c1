import type { operations } from '../../contract/operations.ts';
import type { HandlersOf } from './call.ts';
import { apiKeyHandlers } from './operations/api-keys.ts';
import { checkpointHandlers } from './operations/checkpoints.ts';
import { cloudProviderAccessHandlers } from './operations/cloud-provider-access.ts';
import { clusterHandlers } from './operations/clusters.ts';
import { collectionRestoreJobHandlers } from './operations/collection-restore-jobs.ts';
import { compliancePolicyHandlers } from './operations/compliance-policy.ts';
import { documentHistoryHandlers } from './operations/document-history.ts';
import { exportBucketHandlers } from './operations/export-buckets.ts';
import { exportJobHandlers } from './operations/export-jobs.ts';
import { flexClusterHandlers } from './operations/flex-clusters.ts';
import { legacyBackupHandlers } from './operations/legacy-backup.ts';
import { organizationHandlers } from './operations/organizations.ts';
import { otherClusterKindHandlers } from './operations/other-cluster-kinds.ts';
import { privateEndpointHandlers } from './operations/private-endpoints.ts';
import { projectAccessListHandlers } from './operations/project-access-lists.ts';
import { projectHandlers } from './operations/projects.ts';
import { restoreJobHandlers } from './operations/restore-jobs.ts';
import { scheduleHandlers } from './operations/schedules.ts';
import { serviceAccountHandlers } from './operations/service-accounts.ts';
import { snapshotContentHandlers } from './operations/snapshot-contents.ts';
import { snapshotHandlers } from './operations/snapshots.ts';
import { systemStatusHandlers } from './operations/system-status.ts';
import { tidemarkHandlers } from './operations/tidemark.ts';

/**
 * Every handler, by operationId. The type holds it to the contract: an operation without a handler, or a handler
 * without an operation, does not compile.
 */
export const handlers: HandlersOf<typeof operations> = {
  ...systemStatusHandlers,
  ...organizationHandlers,
  ...projectHandlers,
  ...projectAccessListHandlers,
  ...apiKeyHandlers,
  ...serviceAccountHandlers,
  ...cloudProviderAccessHandlers,
  ...clusterHandlers,
  ...flexClusterHandlers,
  ...snapshotHandlers,
  ...scheduleHandlers,
  ...compliancePolicyHandlers,
  ...restoreJobHandlers,
  ...exportBucketHandlers,
  ...exportJobHandlers,
  ...checkpointHandlers,
  ...snapshotContentHandlers,
  ...legacyBackupHandlers,
  ...privateEndpointHandlers,
  ...collectionRestoreJobHandlers,
  ...otherClusterKindHandlers,
  ...tidemarkHandlers,
  ...documentHistoryHandlers,
};
