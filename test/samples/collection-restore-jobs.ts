import type { Domain } from '../../src/domain/domain.ts';
import type { ClusterName, PageRequest } from '../../src/domain/names.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import type { CollectionRestoreJob, RestoredCollection } from '../../src/domain/restores/collection-restore-jobs.ts';
import type { ResourceSamples } from './resource-samples.ts';
import { sampleClusterName, sampleIds } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

const target = { targetClusterName: sampleClusterName, targetGroupId: sampleIds.project };
export const collectionRestoreJobsSamples: ResourceSamples = {
  operations: {
    listGroupClusterCollectionRestoreJobs: { who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER' },
    createGroupClusterCollectionRestoreJob: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_RECOVERY_OPERATOR ORG_OWNER',
      body: {
        ...target,
        snapshotId: sampleIds.snapshot,
        collections: [{ sourceNamespace: 'orders.customers' }],
        indexStrategy: 'ALL',
        writeStrategy: 'CREATE_NEW',
      },
      comesDownTo: ['collectionRestoreJobs.create'],
    },
    getGroupClusterCollectionRestoreJob: { who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER' },
    listGroupClusterCollectionRestoreJobCollections: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
    },
    getGroupClusterCollectionRestoreJobCollection: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
    },
  },
  verdicts: {
    'collectionRestoreJobs.create': { harmless: 'as restoreJobs.create' },
    'collectionRestoreJobs.getCollection': 'reads',
  },
};

export function collectionRestoreJobsNoun({ clusterNamed, note }: SampleParts): Domain['collectionRestoreJobs'] {
  const collection: RestoredCollection = {
    source: 'orders.customers',
    target: 'orders.customers',
    effectiveTarget: 'orders.customers_restored',
    state: 'SUCCESSFUL',
    totalDocuments: 12,
    restoredDocuments: 12,
    indexState: 'SUCCESSFUL',
    indexError: null,
  };
  const job: CollectionRestoreJob = {
    id: '0000000000000000000e0001',
    clusterId: '000000000000000000040001',
    projectId: sampleIds.project,
    clusterName: 'shop',
    snapshotId: '000000000000000000050001',
    taskId: '000000000000000000070004',
    state: 'SUCCESSFUL',
    writeStrategy: 'CREATE_NEW',
    indexStrategy: 'ALL',
    databases: [],
    collections: [{ source: 'orders.customers' }],
    databaseSuffix: null,
    collectionSuffix: null,
    targetProjectId: sampleIds.project,
    targetClusterId: '000000000000000000040001',
    targetClusterName: 'shop',
    pointInTimeUtcSeconds: null,
    oplogTs: null,
    oplogInc: null,
    createdAtMs: 1_700_000_000_000,
    startedAtMs: 1_700_000_001_000,
    finishedAtMs: 1_700_000_060_000,
    errorMessage: null,
    totalDocuments: 12,
    restoredDocuments: 12,
    indexState: 'SUCCESSFUL',
    indexFailures: 0,
  };
  const named = ({ jobId, ...name }: ClusterName & { jobId: string }) => {
    clusterNamed(name);
    if (jobId !== job.id) throw refuse('COLLECTION_RESTORE_JOB_NOT_FOUND', [jobId, name.clusterName, name.projectId]);
    return job;
  };
  const pageOf = <Item>(item: Item, page: PageRequest) => {
    const items = page.pageNum === 1 ? [item] : [];
    return page.includeCount ? { items, totalCount: 1 } : { items };
  };
  return {
    async list({ page, ...name }) {
      clusterNamed(name);
      return pageOf(job, page);
    },
    get: async (name) => named(name),
    async create(request) {
      clusterNamed({ projectId: request.projectId, clusterName: request.clusterName });
      note('collectionRestoreJobs.create', request);
      return { ...job, state: 'INITIALIZING', finishedAtMs: null, indexState: null };
    },
    async listCollections({ page, ...query }) {
      named(query);
      return pageOf(collection, page);
    },
    async getCollection(query) {
      named(query);
      if (query.source !== collection.source) throw refuse('RESOURCE_NOT_FOUND', [query.source]);
      return collection;
    },
  };
}
