import type { CatalogReader } from '../../catalog/catalog.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import type { DomainContext } from '../context.ts';
import type { ClusterName, CollectionRestoreJobs, CollectionRestoreRequest } from '../domain.ts';
import { requireCluster, requireConnectedCluster } from '../find-resource.ts';
import { refuse } from '../refusals.ts';
import { restoreSource } from './collection-restore-plan.ts';

export function createCollectionRestoreJobs({ catalog }: DomainContext): CollectionRestoreJobs {
  return {
    list: async ({ page, ...name }) => {
      await requireCluster(catalog.reader, name);
      return page.includeCount ? { items: [], totalCount: 0 } : { items: [] };
    },

    get: async ({ jobId, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      throw refuse('COLLECTION_RESTORE_JOB_NOT_FOUND', [jobId, cluster.name, cluster.projectId]);
    },

    create: async (request) => {
      await requireRestorable(catalog.reader, request);
      // Nothing can run one yet. A job that nobody takes up would look like one that is merely late.
      throw refuse('FEATURE_UNSUPPORTED', ['single collections cannot be restored yet']);
    },
  };
}

async function requireRestorable(reader: CatalogReader, request: CollectionRestoreRequest): Promise<void> {
  const source = restoreSource(request);
  const cluster = await requireCluster(reader, request);
  if ('snapshotId' in source) await requireCompleted(reader, cluster, source.snapshotId);
  const target: ClusterName = { projectId: request.targetProjectId, clusterName: request.targetClusterName };
  await requireConnectedCluster(reader, target);
}

async function requireCompleted(
  reader: CatalogReader,
  cluster: { id: string; name: string; projectId: string },
  snapshotId: string,
): Promise<void> {
  const snapshot = await findSnapshot(reader, snapshotId);
  if (snapshot === undefined || snapshot.clusterId !== cluster.id || snapshot.deletedAtMs !== null)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  if (snapshot.status !== 'completed')
    throw refuse('CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT', [snapshotId]);
}
