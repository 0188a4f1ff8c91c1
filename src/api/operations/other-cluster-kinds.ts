import type { otherClusterKindOperations } from '../../../contract/other-cluster-kinds.ts';
import type { Domain } from '../../domain/domain.ts';
import { Refusal, refuse } from '../../domain/refusals/refusals.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf } from '../listing.ts';

type Asked = { params: { groupId: string; clusterName: string }; domain: Domain };

/** A registered cluster is not a serverless instance, and a name that is not registered is none either. */
async function refuseServerless({ params, domain }: Asked): Promise<never> {
  await domain.clusters.get(clusterOf(params)).catch((error: unknown) => {
    if (error instanceof Refusal && error.code === 'CLUSTER_NOT_FOUND')
      throw refuse('SERVERLESS_INSTANCE_NOT_FOUND', [params.clusterName, params.groupId]);
    throw error;
  });
  throw refuse('CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API', [params.clusterName]);
}

async function refuseSharedTier({ params, domain }: Asked): Promise<never> {
  await domain.clusters.get(clusterOf(params));
  throw refuse('FEATURE_UNSUPPORTED', [`${params.clusterName} is not a shared-tier cluster`]);
}

export const otherClusterKindHandlers: HandlersOf<typeof otherClusterKindOperations> = {
  listGroupServerlessBackupRestoreJobs: refuseServerless,
  createGroupServerlessBackupRestoreJob: refuseServerless,
  getGroupServerlessBackupRestoreJob: refuseServerless,
  listGroupServerlessBackupSnapshots: refuseServerless,
  getGroupServerlessBackupSnapshot: refuseServerless,
  listSharedClusterBackups: refuseSharedTier,
  getSharedClusterBackup: refuseSharedTier,
  downloadSharedClusterBackup: refuseSharedTier,
  listSharedClusterBackupRestoreJobs: refuseSharedTier,
  getSharedClusterBackupRestoreJob: refuseSharedTier,
  createSharedClusterBackupRestoreJob: refuseSharedTier,
};
