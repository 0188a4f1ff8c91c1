import type { CatalogReader } from '../../catalog/catalog.ts';
import { type ExportJobRecord, findExportJob, listExportJobs, unfinishedExportOf } from '../../catalog/export-jobs.ts';
import { mapPage } from '../../catalog/page.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import type { DomainContext } from '../context.ts';
import type { ExportJob, ExportJobRequest, ExportJobs } from '../domain.ts';
import { requireCluster } from '../find-resource.ts';
import { refuse } from '../refusals.ts';
import { requireExportBucket } from './export-buckets.ts';

export function createExportJobs({ catalog }: DomainContext): ExportJobs {
  return {
    list: async ({ page, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const jobs = await listExportJobs(catalog.reader, { clusterId: cluster.id, page });
      return mapPage(jobs, (job) => viewOf(job, cluster));
    },

    get: async ({ exportJobId, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const job = await findExportJob(catalog.reader, exportJobId);
      if (job === undefined || job.clusterId !== cluster.id)
        throw refuse('EXPORT_JOB_NOT_FOUND', [exportJobId, cluster.name, cluster.projectId]);
      return viewOf(job, cluster);
    },

    create: async (request) => {
      await requireExportable(catalog.reader, request);
      // Nothing can write an export yet. A job that nobody takes up would look like one that is merely late.
      throw refuse('FEATURE_UNSUPPORTED', ['snapshots cannot be exported yet']);
    },
  };
}

/** Everything that can be wrong with a request to export, in the order in which it is looked at. */
async function requireExportable(reader: CatalogReader, request: ExportJobRequest): Promise<void> {
  const { snapshotId } = request;
  const cluster = await requireCluster(reader, request);
  const snapshot = await findSnapshot(reader, snapshotId);
  if (snapshot === undefined || snapshot.clusterId !== cluster.id || snapshot.deletedAtMs !== null)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  await requireExportBucket(reader, request);
  if (snapshot.status !== 'completed') throw refuse('CANNOT_EXPORT_INCOMPLETE_SNAPSHOT', [snapshotId]);
  if (snapshot.snapshotType === 'fallback') throw refuse('CANNOT_EXPORT_FALLBACK_SNAPSHOT', [snapshotId]);
  if (await unfinishedExportOf(reader, snapshotId)) throw refuse('SNAPSHOT_EXPORT_IN_PROGRESS', [snapshotId]);
}

function viewOf({ errorCode, errorMessage, ...job }: ExportJobRecord, cluster: ClusterRow): ExportJob {
  return {
    ...job,
    projectId: cluster.projectId,
    clusterName: cluster.name,
    stateReason: errorCode === null ? null : { errorCode, message: errorMessage ?? '' },
  };
}
