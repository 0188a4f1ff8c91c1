import type { flexClusterOperations } from '../../../contract/flex-clusters.ts';
import type { Domain } from '../../domain/domain.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import type { HandlersOf } from '../call.ts';

/**
 * A registered cluster is never a flex one; a name that is not registered is not found. The CLI goes on to the other
 * API on both codes and on no other.
 */
async function refuseFlex({
  params,
  domain,
}: {
  params: { groupId: string; name: string };
  domain: Domain;
}): Promise<never> {
  const cluster = await domain.clusters.get({ projectId: params.groupId, clusterName: params.name });
  throw refuse('CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API', [cluster.name]);
}

export const flexClusterHandlers: HandlersOf<typeof flexClusterOperations> = {
  async listGroupFlexClusters() {
    return { items: [], totalCount: 0 };
  },
  getGroupFlexCluster: refuseFlex,
  listGroupFlexClusterBackupSnapshots: refuseFlex,
  getGroupFlexClusterBackupSnapshot: refuseFlex,
  listGroupFlexClusterBackupRestoreJobs: refuseFlex,
  getGroupFlexClusterBackupRestoreJob: refuseFlex,
  downloadGroupFlexClusterBackup: refuseFlex,
  createGroupFlexClusterBackupRestoreJob: refuseFlex,
};
