import type { Domain } from '../../src/domain/domain.ts';
import type { ClusterName, PageRequest } from '../../src/domain/names.ts';
import type { PrivateEndpoint } from '../../src/domain/private-endpoints/private-endpoints.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import type { CollectionRestoreJob, RestoredCollection } from '../../src/domain/restores/collection-restore-jobs.ts';
import type { RestoreJob } from '../../src/domain/restores/restore-jobs.ts';
import type { Snapshot } from '../../src/domain/snapshots/snapshots.ts';

/**
 * What else the sample domain answers: contents of snapshots, legacy schedules and restores, private endpoints,
 * collection restores.
 */
export interface SampleSurface {
  projectId: string;
  restoreJob: RestoreJob;
  note: (name: string, argument: unknown) => unknown;
  /** Refuse what is not there. */
  clusterNamed: (name: ClusterName) => { id: string };
  snapshotOf: (name: ClusterName & { snapshotId: string }) => Snapshot;
}

const contents: Readonly<Record<string, readonly string[]>> = {
  orders: ['customers', 'items.archived', 'orders'],
  stock: ['levels'],
};

type Names = { items: string[]; totalCount?: number };

function pageOfNames(names: readonly string[], page: PageRequest): Names {
  const from = (page.pageNum - 1) * page.itemsPerPage;
  const items = names.slice(from, from + page.itemsPerPage);
  return page.includeCount ? { items, totalCount: names.length } : { items };
}

export function sampleSurface(
  sample: SampleSurface,
): Pick<Domain, 'snapshotContents' | 'legacy' | 'privateEndpoints' | 'collectionRestoreJobs'> {
  const { clusterNamed, snapshotOf, note } = sample;
  const collectionsOf = (query: ClusterName & { snapshotId: string; databaseName: string }) => {
    snapshotOf(query);
    const found = contents[query.databaseName];
    if (found === undefined) throw refuse('RESOURCE_NOT_FOUND', [query.databaseName]);
    return found;
  };
  const settings = {
    snapshotIntervalHours: 6,
    snapshotRetentionDays: 2,
    dailySnapshotRetentionDays: 7,
    weeklySnapshotRetentionWeeks: 4,
    monthlySnapshotRetentionMonths: 12,
    pointInTimeWindowHours: 24,
  };
  const scheduleOf = (name: ClusterName) => ({
    ...settings,
    ...name,
    clusterId: clusterNamed(name).id,
    clusterCheckpointIntervalMin: null,
  });
  return {
    snapshotContents: {
      async listDatabases({ page, ...name }) {
        snapshotOf(name);
        return pageOfNames(Object.keys(contents), page);
      },
      requireDatabase: async (query) => void collectionsOf(query),
      listCollections: async ({ page, ...query }) => pageOfNames(collectionsOf(query), page),
      async requireCollection({ collectionName, ...query }) {
        if (!collectionsOf(query).includes(collectionName)) throw refuse('RESOURCE_NOT_FOUND', [collectionName]);
      },
    },
    legacy: {
      schedule: async (name) => scheduleOf(name),
      async updateSchedule({ changes, clusterCheckpointIntervalMin: _, ...name }) {
        const schedule = scheduleOf(name);
        note('legacy.updateSchedule', { ...name, changes });
        return { ...schedule, ...changes };
      },
      async restore(request) {
        const { projectId, clusterName } = request;
        clusterNamed({ projectId, clusterName });
        note('legacy.restore', request);
        return sample.restoreJob;
      },
    },
    privateEndpoints: samplePrivateEndpoints(sample),
    collectionRestoreJobs: sampleCollectionRestores(sample),
  };
}

function samplePrivateEndpoints({ projectId: sampleProjectId, note }: SampleSurface): Domain['privateEndpoints'] {
  const endpoint: PrivateEndpoint = {
    id: '0000000000000000000a1001',
    projectId: sampleProjectId,
    cloudProvider: 'AWS',
    regionName: 'US_EAST_1',
    vpcRegionName: 'US_EAST_2',
    createdAtMs: 0,
  };
  const named = ({ endpointId, projectId }: { endpointId: string; projectId: string }) => {
    if (endpointId !== endpoint.id) throw refuse('PRIVATE_ENDPOINT_NOT_FOUND', [endpointId, projectId]);
    return endpoint;
  };
  return {
    list: async ({ page }) => (page.includeCount ? { items: [endpoint], totalCount: 1 } : { items: [endpoint] }),
    get: async (query) => named(query),
    async create(request) {
      note('privateEndpoints.create', request);
      return endpoint;
    },
    async delete(request) {
      named(request);
      note('privateEndpoints.delete', request);
    },
  };
}

function sampleCollectionRestores({ projectId, clusterNamed, note }: SampleSurface): Domain['collectionRestoreJobs'] {
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
    projectId,
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
    targetProjectId: projectId,
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
