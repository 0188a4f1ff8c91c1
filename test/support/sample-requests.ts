import type { OperationId } from '../../contract/operations.ts';
import { sampleIds } from './sample-domain.ts';

/** What the tests that go through all operations ask with: values for path parameters, bodies, and what is refused whatever is asked. */

export const sampleParameters = {
  checkpointId: '000000000000000000080001',
  exportBucketId: '0000000000000000000f0001',
  exportId: '000000000000000000090001',
} as const;

/** Bodies that are accepted, in the newest version. */
export const sampleBodies: Partial<Record<OperationId, object>> = {
  createGroupBackupExportBucket: { bucketName: 'exports-1', cloudProvider: 'AWS', iamRoleId: sampleIds.unknown },
  updateGroupBackupExportBucket: { requirePrivateNetworking: true },
  createGroupClusterBackupExport: {
    snapshotId: sampleIds.snapshot,
    exportBucketId: sampleParameters.exportBucketId,
    customData: [{ key: 'why', value: 'audit' }],
  },
};

/** Operations that end in this refusal when everything about the request is right. */
export const sampleRefusals: Partial<Record<OperationId, string>> = {
  createGroupClusterBackupExport: '400 FEATURE_UNSUPPORTED',
};
