import type { exportBucketOperations } from '../../../contract/export-buckets.ts';
import type { HandlersOf } from '../call.ts';
import { mapped } from '../listing.ts';
import { exportBucketBody } from '../wire/export-bucket.ts';

export const exportBucketHandlers: HandlersOf<typeof exportBucketOperations> = {
  /** The first version knows AWS alone: its clients would take another provider's bucket for a broken one. */
  async listGroupBackupExportBuckets({ params, page, version, domain }) {
    const found = await domain.exportBuckets.list({
      projectId: params.groupId,
      page,
      ...(version === '2023-01-01' ? { cloudProvider: 'AWS' } : {}),
    });
    return mapped(found, exportBucketBody);
  },
};
