import type { exportJobOperations } from '../../../contract/export-jobs.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf, mapped } from '../listing.ts';
import { exportJobBody } from '../wire/export-job.ts';

export const exportJobHandlers: HandlersOf<typeof exportJobOperations> = {
  async listGroupClusterBackupExports({ params, page, domain }) {
    return mapped(await domain.exportJobs.list({ ...clusterOf(params), page }), exportJobBody);
  },
};
