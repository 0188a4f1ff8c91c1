import type { collectionRestoreJobOperations } from '../../../contract/collection-restore-jobs.ts';
import type { RequestBody } from '../../../contract/operation.ts';
import type { CollectionRestoreRequest, Domain, RestoredNamespace } from '../../domain/domain.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf } from '../listing.ts';
import { mayRestoreIntoTarget } from '../restore-target.ts';

type CreateBody = RequestBody<(typeof collectionRestoreJobOperations)['createGroupClusterCollectionRestoreJob']>;
type JobParams = { groupId: string; clusterName: string; jobId: string };

/** No such job can be made yet, so that what is asked of one ends where it is not found. */
async function requireJob({ params, domain }: { params: JobParams; domain: Domain }): Promise<never> {
  return await domain.collectionRestoreJobs.get({ ...clusterOf(params), jobId: params.jobId });
}

export const collectionRestoreJobHandlers: HandlersOf<typeof collectionRestoreJobOperations> = {
  async listGroupClusterCollectionRestoreJobs({ params, page, domain }) {
    return await domain.collectionRestoreJobs.list({ ...clusterOf(params), page });
  },

  async createGroupClusterCollectionRestoreJob({ params, body, domain, rolesInProjectNamed }) {
    const { targetGroupId, targetClusterName } = body;
    await mayRestoreIntoTarget({ ...params, targetGroupId, targetClusterName, rolesInProjectNamed });
    return await domain.collectionRestoreJobs.create({ ...clusterOf(params), ...requestOf(body) });
  },

  getGroupClusterCollectionRestoreJob: requireJob,
  listGroupClusterCollectionRestoreJobCollections: requireJob,
  getGroupClusterCollectionRestoreJobCollection: requireJob,
};

function requestOf(body: CreateBody): Omit<CollectionRestoreRequest, 'projectId' | 'clusterName'> {
  const { snapshotId, pointInTimeUtcSeconds, oplogTs, oplogInc, databaseSuffix, collectionSuffix } = body;
  return {
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(pointInTimeUtcSeconds === undefined ? {} : { pointInTimeUtcSeconds }),
    ...(oplogTs === undefined ? {} : { oplogTs }),
    ...(oplogInc === undefined ? {} : { oplogInc }),
    ...(databaseSuffix === undefined ? {} : { databaseSuffix }),
    ...(collectionSuffix === undefined ? {} : { collectionSuffix }),
    databases: (body.databases ?? []).map(namespaceOf),
    collections: (body.collections ?? []).map(namespaceOf),
    targetProjectId: body.targetGroupId,
    targetClusterName: body.targetClusterName,
  };
}

function namespaceOf(named: { sourceNamespace: string; targetNamespace?: string | undefined }): RestoredNamespace {
  const { sourceNamespace: source, targetNamespace: target } = named;
  return target === undefined ? { source } : { source, target };
}
