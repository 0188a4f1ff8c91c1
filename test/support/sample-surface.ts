import type {
  ClusterName,
  Domain,
  PageRequest,
  PrivateEndpoint,
  RestoreJob,
  Snapshot,
} from '../../src/domain/domain.ts';
import { refuse } from '../../src/domain/refusals.ts';

/** What else the sample domain answers: contents of snapshots, legacy schedules and restores, private endpoints, collection restores. */
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
    collectionRestoreJobs: {
      async list({ page, ...name }) {
        clusterNamed(name);
        return page.includeCount ? { items: [], totalCount: 0 } : { items: [] };
      },
      async get({ jobId, ...name }) {
        clusterNamed(name);
        throw refuse('COLLECTION_RESTORE_JOB_NOT_FOUND', [jobId, name.clusterName, name.projectId]);
      },
      async create({ projectId, clusterName }) {
        clusterNamed({ projectId, clusterName });
        throw refuse('FEATURE_UNSUPPORTED', ['single collections cannot be restored yet']);
      },
    },
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
