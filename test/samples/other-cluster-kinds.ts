import { type ResourceSamples, readers } from './resource-samples.ts';
import { sampleIds } from './rows.ts';

const notServerless = '400 CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API';

const unsupported = '400 FEATURE_UNSUPPORTED';

export const otherClusterKindsSamples: ResourceSamples = {
  operations: {
    listGroupServerlessBackupRestoreJobs: { who: 'GROUP_OWNER ORG_OWNER', refuses: notServerless },
    createGroupServerlessBackupRestoreJob: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: { deliveryType: 'automated' },
      refuses: notServerless,
      comesDownTo: { harmless: 'there are no serverless instances: always refused' },
    },
    getGroupServerlessBackupRestoreJob: { who: 'GROUP_OWNER ORG_OWNER', refuses: notServerless },
    listGroupServerlessBackupSnapshots: { who: readers, refuses: notServerless },
    getGroupServerlessBackupSnapshot: { who: readers, refuses: notServerless },
    listSharedClusterBackups: { who: readers, refuses: unsupported },
    getSharedClusterBackup: { who: readers, refuses: unsupported },
    downloadSharedClusterBackup: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: { snapshotId: sampleIds.snapshot },
      refuses: unsupported,
      comesDownTo: { harmless: 'there are no shared clusters: always refused' },
    },
    listSharedClusterBackupRestoreJobs: { who: readers, refuses: unsupported },
    getSharedClusterBackupRestoreJob: { who: readers, refuses: unsupported },
    createSharedClusterBackupRestoreJob: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: { snapshotId: sampleIds.snapshot },
      refuses: unsupported,
      comesDownTo: { harmless: 'there are no shared clusters: always refused' },
    },
  },
  verdicts: {},
};
