import { type ResourceSamples, readers } from './resource-samples.ts';
import { sampleIds } from './rows.ts';

const notFlex = '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API';

export const flexClustersSamples: ResourceSamples = {
  operations: {
    listGroupFlexClusters: { who: readers },
    getGroupFlexCluster: { who: readers, refuses: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API' },
    listGroupFlexClusterBackupSnapshots: { who: readers, refuses: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API' },
    getGroupFlexClusterBackupSnapshot: { who: readers, refuses: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API' },
    listGroupFlexClusterBackupRestoreJobs: { who: readers, refuses: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API' },
    downloadGroupFlexClusterBackup: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_EXPORT_OPERATOR ORG_OWNER',
      body: { snapshotId: sampleIds.snapshot },
      refuses: notFlex,
      comesDownTo: { harmless: 'there are no flex clusters: always refused' },
    },
    createGroupFlexClusterBackupRestoreJob: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_RECOVERY_OPERATOR ORG_OWNER',
      body: { snapshotId: sampleIds.snapshot, targetDeploymentItemName: 'shop' },
      refuses: notFlex,
      comesDownTo: { harmless: 'there are no flex clusters: always refused' },
    },
    getGroupFlexClusterBackupRestoreJob: { who: readers, refuses: '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API' },
  },
  verdicts: {},
};
