import type { CatalogReader } from '../../catalog/catalog.ts';
import { type ExportJobRecord, findExportJob, listExportJobs, unfinishedExportOf } from '../../catalog/export-jobs.ts';
import { mapPage } from '../../catalog/page.ts';
import type { ClusterRow, SnapshotRow, TaskRow } from '../../catalog/schema.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { tasksOfExports } from '../../catalog/tasks.ts';
import { type LeftOutSummary, summarizeLeftOut } from '../../engine/left-out.ts';
import { must } from '../../lib/assert.ts';
import type { Progress } from '../../lib/progress.ts';
import type { DomainContext } from '../context.ts';
import { requireCluster } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import { requireExportBucket } from './create-export-buckets.ts';
import type { ExportJob, ExportJobRequest, ExportJobs } from './export-jobs.ts';
import { queueExport } from './queue-export.ts';

export function createExportJobs(context: DomainContext): ExportJobs {
  const { catalog } = context;
  return {
    list: async ({ page, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const jobs = await listExportJobs(catalog.reader, { clusterId: cluster.id, page });
      const ids = jobs.items.map((job) => job.id);
      const tasks = await tasksOfExports(catalog.reader, ids);
      return mapPage(jobs, (job) => viewOf(job, cluster, tasks.get(job.id)));
    },

    get: async ({ exportJobId, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const job = await findExportJob(catalog.reader, exportJobId);
      if (job === undefined || job.clusterId !== cluster.id)
        throw refuse('EXPORT_JOB_NOT_FOUND', [exportJobId, cluster.name, cluster.projectId]);
      return viewOf(job, cluster, (await tasksOfExports(catalog.reader, [job.id])).get(job.id));
    },

    create: async (request) => {
      return await catalog.transact(async (writer) => {
        const { cluster, snapshot } = await requireExportable(writer, request);
        const { exportBucketId, customData } = request;
        const queued = await queueExport(writer, context, { cluster, snapshot, exportBucketId, customData });
        const record = must(await findExportJob(writer, queued.job.id), 'a job that was made is there');
        return viewOf(record, cluster, { id: queued.taskId, progress: null });
      });
    },
  };
}

/** Everything that can be wrong with a request to export, in the order in which it is looked at. */
async function requireExportable(
  reader: CatalogReader,
  request: ExportJobRequest,
): Promise<{ cluster: ClusterRow; snapshot: SnapshotRow }> {
  const { snapshotId } = request;
  const cluster = await requireCluster(reader, request);
  const snapshot = await findSnapshot(reader, snapshotId);
  if (snapshot === undefined || snapshot.clusterId !== cluster.id || snapshot.deletedAtMs !== null)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  await requireExportBucket(reader, request);
  if (snapshot.status !== 'completed') throw refuse('CANNOT_EXPORT_INCOMPLETE_SNAPSHOT', [snapshotId]);
  if (snapshot.snapshotType === 'fallback') throw refuse('CANNOT_EXPORT_FALLBACK_SNAPSHOT', [snapshotId]);
  if (await unfinishedExportOf(reader, snapshotId)) throw refuse('SNAPSHOT_EXPORT_IN_PROGRESS', [snapshotId]);
  return { cluster, snapshot };
}

function viewOf(
  { errorCode, errorMessage, leftOut, ...job }: ExportJobRecord,
  cluster: ClusterRow,
  task: Pick<TaskRow, 'id' | 'progress'> | undefined,
): ExportJob {
  return {
    ...job,
    ...(job.state === 'InProgress' ? countsOf(task) : {}),
    projectId: cluster.projectId,
    clusterName: cluster.name,
    taskId: task?.id ?? null,
    stateReason: reasonOf({ errorCode, errorMessage, leftOut }),
  };
}

/** That of a successful job whose files do not hold everything. */
export const EXPORT_INCOMPLETE = 'EXPORT_INCOMPLETE';

function reasonOf({
  errorCode,
  errorMessage,
  leftOut,
}: Pick<ExportJobRecord, 'errorCode' | 'errorMessage' | 'leftOut'>): ExportJob['stateReason'] {
  if (errorCode !== null) return { errorCode, message: errorMessage ?? '' };
  if (leftOut === null) return null;
  const message = `left out: ${summarizeLeftOut(JSON.parse(leftOut) as LeftOutSummary)}`;
  return { errorCode: EXPORT_INCOMPLETE, message };
}

/** How far a running export is, its task knows. */
function countsOf(
  task: Pick<TaskRow, 'progress'> | undefined,
): Partial<Pick<ExportJob, 'exportedCollections' | 'totalCollections'>> {
  if (task === undefined || task.progress === null) return {};
  const { collectionsDone, collectionsTotal } = JSON.parse(task.progress) as Progress;
  if (collectionsDone === undefined || collectionsTotal === undefined) return {};
  return { exportedCollections: collectionsDone, totalCollections: collectionsTotal };
}
