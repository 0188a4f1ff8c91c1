import type { exportBucketOperations } from '../../../contract/export-buckets.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import type { HandlersOf } from '../call.ts';
import { mapped } from '../listing.ts';
import { exportBucketBody } from '../wire/export-bucket.ts';

type Version = '2023-01-01' | '2024-05-30';

/** The first version knows AWS alone: its clients would take another provider's bucket for a broken one. */
function providersIn(version: Version): { cloudProvider?: 'AWS' } {
  return version === '2023-01-01' ? { cloudProvider: 'AWS' } : {};
}

function nameOf(params: { groupId: string; exportBucketId: string }) {
  return { projectId: params.groupId, exportBucketId: params.exportBucketId };
}

export const exportBucketHandlers: HandlersOf<typeof exportBucketOperations> = {
  async listGroupBackupExportBuckets({ params, page, version, domain }) {
    const found = await domain.exportBuckets.list({ projectId: params.groupId, page, ...providersIn(version) });
    return mapped(found, (bucket) => exportBucketBody(bucket, { region: true }));
  },

  async createGroupBackupExportBucket({ params, body, version, domain }) {
    const { cloudProvider } = body;
    if (version === '2023-01-01' && cloudProvider !== 'AWS') {
      const description = 'must be AWS in this version';
      throw refuse('VALIDATION_ERROR', [`cloudProvider ${description}`], [{ field: 'cloudProvider', description }]);
    }
    return exportBucketBody(await domain.exportBuckets.create({ ...addressOf(body), projectId: params.groupId }));
  },

  async getGroupBackupExportBucket({ params, version, domain }) {
    const bucket = await domain.exportBuckets.get({ ...nameOf(params), ...providersIn(version) });
    return exportBucketBody(bucket, { region: true });
  },

  async updateGroupBackupExportBucket({ params, body, domain }) {
    const { requirePrivateNetworking } = body;
    const bucket = await domain.exportBuckets.updatePrivateNetworking({ ...nameOf(params), requirePrivateNetworking });
    return exportBucketBody(bucket, { region: true });
  },

  async deleteGroupBackupExportBucket({ params, domain }) {
    await domain.exportBuckets.delete(nameOf(params));
    return undefined;
  },
};

type Body = {
  cloudProvider: 'AWS' | 'AZURE' | 'GCP';
  bucketName?: string | undefined;
  iamRoleId?: string | undefined;
  requirePrivateNetworking?: boolean | undefined;
  roleId?: string | undefined;
  serviceUrl?: string | undefined;
};

/** Only what was sent and what we read: clients echo more. */
function addressOf({ cloudProvider, bucketName, iamRoleId, requirePrivateNetworking, roleId, serviceUrl }: Body) {
  return {
    cloudProvider,
    ...(bucketName === undefined ? {} : { bucketName }),
    ...(iamRoleId === undefined ? {} : { iamRoleId }),
    ...(requirePrivateNetworking === undefined ? {} : { requirePrivateNetworking }),
    ...(roleId === undefined ? {} : { roleId }),
    ...(serviceUrl === undefined ? {} : { serviceUrl }),
  };
}
