import { type collectionRestoreJobOperations, collectionStates } from '../../../contract/collection-restore-jobs.ts';
import type { RequestBody } from '../../../contract/operation.ts';
import type {
  CollectionRestoreJobName,
  CollectionRestoreRequest,
  RestoredNamespace,
} from '../../domain/restores/collection-restore-jobs.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf, mapped } from '../listing.ts';
import { mayRestoreIntoTarget } from '../restore-target.ts';
import { collectionRestoreJobBody, restoredCollectionBody } from '../wire/collection-restore-job.ts';

type CreateBody = RequestBody<(typeof collectionRestoreJobOperations)['createGroupClusterCollectionRestoreJob']>;
type JobParams = { groupId: string; clusterName: string; jobId: string };

function jobOf(params: JobParams): CollectionRestoreJobName {
  return { ...clusterOf(params), jobId: params.jobId };
}

export const collectionRestoreJobHandlers: HandlersOf<typeof collectionRestoreJobOperations> = {
  async listGroupClusterCollectionRestoreJobs({ params, page, domain }) {
    const found = await domain.collectionRestoreJobs.list({ ...clusterOf(params), page });
    return mapped(found, collectionRestoreJobBody);
  },

  async createGroupClusterCollectionRestoreJob({ params, body, domain, rolesInProjectNamed }) {
    const { targetGroupId, targetClusterName } = body;
    await mayRestoreIntoTarget({ ...params, targetGroupId, targetClusterName, rolesInProjectNamed });
    const job = await domain.collectionRestoreJobs.create({ ...clusterOf(params), ...requestOf(body) });
    return collectionRestoreJobBody(job);
  },

  async getGroupClusterCollectionRestoreJob({ params, domain }) {
    return collectionRestoreJobBody(await domain.collectionRestoreJobs.get(jobOf(params)));
  },

  async listGroupClusterCollectionRestoreJobCollections({ params, query, page, domain }) {
    const { sourceNamespace, targetNamespace } = query;
    const state = collectionStates.find((known) => known === query.state);
    const found = await domain.collectionRestoreJobs.listCollections({
      ...jobOf(params),
      ...(state === undefined ? {} : { state }),
      ...(sourceNamespace === undefined ? {} : { source: sourceNamespace }),
      ...(targetNamespace === undefined ? {} : { target: targetNamespace }),
      page,
    });
    return mapped(found, restoredCollectionBody);
  },

  async getGroupClusterCollectionRestoreJobCollection({ params, domain }) {
    const named = { ...jobOf(params), source: params.sourceNamespace };
    return restoredCollectionBody(await domain.collectionRestoreJobs.getCollection(named));
  },
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
    writeStrategy: body.writeStrategy,
    indexStrategy: body.indexStrategy,
    targetProjectId: body.targetGroupId,
    targetClusterName: body.targetClusterName,
  };
}

function namespaceOf(named: { sourceNamespace: string; targetNamespace?: string | undefined }): RestoredNamespace {
  const { sourceNamespace: source, targetNamespace: target } = named;
  return target === undefined ? { source } : { source, target };
}
