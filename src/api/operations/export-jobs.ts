import type { exportJobOperations } from '../../../contract/export-jobs.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf, mapped } from '../listing.ts';
import { exportJobBody } from '../wire/export-job.ts';

export const exportJobHandlers: HandlersOf<typeof exportJobOperations> = {
  async listGroupClusterBackupExports({ params, page, domain }) {
    return mapped(await domain.exportJobs.list({ ...clusterOf(params), page }), exportJobBody);
  },

  async createGroupClusterBackupExport({ params, body, domain }) {
    const { snapshotId, exportBucketId, customData = [] } = body;
    const job = await domain.exportJobs.create({
      ...clusterOf(params),
      snapshotId,
      exportBucketId,
      customData: customData.map(({ key = '', value = '' }) => ({ key, value })),
    });
    return exportJobBody(job);
  },

  async getGroupClusterBackupExport({ params, domain }) {
    return exportJobBody(await domain.exportJobs.get({ ...clusterOf(params), exportJobId: params.exportId }));
  },
};
