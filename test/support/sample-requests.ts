import type { OperationId } from '../../contract/operations.ts';
import { sampleClusterName, sampleIds } from './sample-domain.ts';

/**
 * What the tests that go through all operations ask with: values for path parameters, bodies, and what is refused
 * whatever is asked.
 */

export const sampleParameters = {
  checkpointId: '000000000000000000080001',
  cloudProvider: 'AWS',
  collectionName: 'items.archived',
  databaseName: 'orders',
  endpointId: '0000000000000000000a1001',
  exportBucketId: '0000000000000000000f0001',
  exportId: '000000000000000000090001',
  jobId: '0000000000000000000e0001',
  restoreId: '0000000000000000000e0001',
  sourceNamespace: 'orders.customers',
} as const;

const target = { targetClusterName: sampleClusterName, targetGroupId: sampleIds.project };

/** Bodies that are accepted, in the newest version. */
export const sampleBodies: Partial<Record<OperationId, object>> = {
  listDocumentHistory: { namespace: 'shop.orders', id: 7 },
  restoreDocument: { namespace: 'shop.orders', id: 7, at: { date: '2026-09-21T14:13:20Z', increment: 1 } },
  createGroupBackupExportBucket: { bucketName: 'exports-1', cloudProvider: 'AWS', iamRoleId: sampleIds.unknown },
  updateGroupBackupExportBucket: { requirePrivateNetworking: true },
  createGroupClusterBackupExport: {
    snapshotId: sampleIds.snapshot,
    exportBucketId: sampleParameters.exportBucketId,
    customData: [{ key: 'why', value: 'audit' }],
  },
  updateGroupClusterSnapshot: { doNotDelete: true },
  createGroupClusterRestoreJob: {
    snapshotId: sampleIds.snapshot,
    delivery: { methodName: 'AUTOMATED_RESTORE', ...target },
  },
  updateGroupClusterSnapshotSchedule: { snapshotIntervalHours: 12 },
  createGroupBackupPrivateEndpoint: { cloudProvider: 'AWS', regionName: 'US_EAST_1', vpcRegionName: 'US_EAST_2' },
  createGroupClusterCollectionRestoreJob: {
    ...target,
    snapshotId: sampleIds.snapshot,
    collections: [{ sourceNamespace: 'orders.customers' }],
    indexStrategy: 'ALL',
    writeStrategy: 'CREATE_NEW',
  },
  downloadGroupFlexClusterBackup: { snapshotId: sampleIds.snapshot },
  createGroupFlexClusterBackupRestoreJob: { snapshotId: sampleIds.snapshot, targetDeploymentItemName: 'shop' },
  createGroupServerlessBackupRestoreJob: { deliveryType: 'automated' },
  downloadSharedClusterBackup: { snapshotId: sampleIds.snapshot },
  createSharedClusterBackupRestoreJob: { snapshotId: sampleIds.snapshot },
};

const notFlex = '400 CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API';
const notServerless = '400 CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API';
const unsupported = '400 FEATURE_UNSUPPORTED';

/** Operations that end in this refusal when everything about the request is right. */
export const sampleRefusals: Partial<Record<OperationId, string>> = {
  downloadGroupFlexClusterBackup: notFlex,
  createGroupFlexClusterBackupRestoreJob: notFlex,
  listGroupServerlessBackupRestoreJobs: notServerless,
  createGroupServerlessBackupRestoreJob: notServerless,
  getGroupServerlessBackupRestoreJob: notServerless,
  listGroupServerlessBackupSnapshots: notServerless,
  getGroupServerlessBackupSnapshot: notServerless,
  listSharedClusterBackups: unsupported,
  getSharedClusterBackup: unsupported,
  downloadSharedClusterBackup: unsupported,
  listSharedClusterBackupRestoreJobs: unsupported,
  getSharedClusterBackupRestoreJob: unsupported,
  createSharedClusterBackupRestoreJob: unsupported,
};
