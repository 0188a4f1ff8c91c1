import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { mapPage } from '../../catalog/page.ts';
import {
  clustersBeingRestored,
  findRestoreJob,
  insertRestoreJob,
  listRestoreJobs,
} from '../../catalog/restore-jobs.ts';
import type { ClusterRow, RestoreJobRow, SnapshotRow } from '../../catalog/schema.ts';
import { hasCopy } from '../../catalog/snapshot-copies.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { taskIdsOfSubjects } from '../../catalog/tasks.ts';
import { assert } from '../../lib/assert.ts';
import { formatTimestamp } from '../../lib/timestamp.ts';
import { clusterKey, enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import type { CaptureEngine } from '../continuous-backup/capture-engine.ts';
import { baseFor, restorableRanges } from '../continuous-backup/point-in-time.ts';
import { knownSnapshots } from '../continuous-backup/prune-slices.ts';
import type { ClusterName, RestoreJob, RestoreJobs, RestoreRequest } from '../domain.ts';
import { requireCluster, requireConnectedCluster } from '../find-resource.ts';
import { refuse } from '../refusals.ts';
import { type PointInTimeRestore, planRestore } from './restore-plan.ts';
import { RESTORE_ATTEMPTS_MAX } from './restore-task.ts';

export function createRestoreJobs(context: DomainContext, capture: Pick<CaptureEngine, 'coverage'>): RestoreJobs {
  const { catalog, clock, ids } = context;

  return {
    list: async ({ page, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const rows = await listRestoreJobs(catalog.reader, { clusterId: cluster.id, page });
      const jobIds = rows.items.map((row) => row.id);
      const tasks = await taskIdsOfSubjects(catalog.reader, jobIds);
      return mapPage(rows, (row) => viewOf(row, cluster, tasks.get(row.id) ?? null));
    },

    get: async ({ restoreJobId, ...name }) => {
      const { cluster, row } = await requireRestoreJob(catalog.reader, name, restoreJobId);
      const tasks = await taskIdsOfSubjects(catalog.reader, [row.id]);
      return viewOf(row, cluster, tasks.get(row.id) ?? null);
    },

    create: async (request) => {
      const plan = planRestore(request, clock.nowMs());
      const snapshotId =
        plan.deliveryType === 'automated' ? plan.snapshotId : await baseSnapshot(context, capture, request, plan);
      const job = await catalog.transact(async (writer) => {
        const cluster = await requireCluster(writer, request);
        const snapshot = await requireRestorable(writer, cluster, snapshotId);
        const target = await requireConnectedCluster(writer, {
          projectId: plan.targetProjectId,
          clusterName: plan.targetClusterName,
        });
        if (target.paused === 1) throw refuse('CLUSTER_PAUSED_CANNOT_RESTORE', [target.name]);
        if ((await clustersBeingRestored(writer, [target.id])).has(target.id))
          throw refuse('ATLAS_CLUSTER_RESTORE_IN_PROGRESS', [target.name]);
        const row = requestedRestore({ id: ids.next(), nowMs: clock.nowMs(), cluster, snapshot, target, request });
        await insertRestoreJob(writer, row);
        const taskId = ids.next();
        // Pinned from now on, not only once it runs: what was promised can be restored although the snapshot is deleted meanwhile.
        await enqueueTask(writer, {
          id: taskId,
          kind: 'restoreSnapshot',
          subjectId: row.id,
          exclusiveKey: clusterKey(target.id),
          attemptsMax: RESTORE_ATTEMPTS_MAX,
          nowMs: clock.nowMs(),
          pin: { clusterId: cluster.id, snapshotId: snapshot.id },
        });
        return viewOf(row, cluster, taskId);
      });
      context.wakeWorker();
      return job;
    },

    cancel: async ({ restoreJobId, ...name }) => {
      const { row } = await requireRestoreJob(catalog.reader, name, restoreJobId);
      assert(row.deliveryType !== 'download', 'no downloads are made');
      throw refuse('CANNOT_CANCEL_AUTOMATED_RESTORE', [restoreJobId]);
    },
  };
}

/** The snapshot that a point is reached from; or the refusal, before anything is touched. */
async function baseSnapshot(
  { catalog }: DomainContext,
  capture: Pick<CaptureEngine, 'coverage'>,
  name: ClusterName,
  { point, snapshotId }: PointInTimeRestore,
): Promise<string> {
  const cluster = await requireCluster(catalog.reader, name);
  const known = await knownSnapshots(catalog.reader, cluster.id);
  const usable = snapshotId === null ? known : known.filter(({ id }) => id === snapshotId);
  if (snapshotId !== null && usable.length === 0)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  const { replicaSetName } = cluster;
  const runs = replicaSetName === null ? [] : (await capture.coverage({ clusterId: cluster.id, replicaSetName })).runs;
  const base = baseFor(point, runs, usable);
  if (base !== null) return base.id;
  const at = formatTimestamp(point.ts);
  if (!usable.some(({ ts }) => ts <= point.ts))
    throw refuse('UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME', [cluster.name, at]);
  const ranges = restorableRanges(runs, known).map(
    ({ from, to }) => `${formatTimestamp(from)} to ${formatTimestamp(to)}`,
  );
  const where = ranges.length === 0 ? 'nothing of the cluster is' : `restorable is ${ranges.join(', ')}`;
  throw refuse('INVALID_PIT_RESTORE_TIME', [`the captured oplog does not lead to ${at}; ${where}`]);
}

async function requireRestorable(
  writer: CatalogWriter,
  cluster: ClusterRow,
  snapshotId: string,
): Promise<SnapshotRow & { createdAtMs: number }> {
  const snapshot = await findSnapshot(writer, snapshotId);
  if (snapshot === undefined || snapshot.clusterId !== cluster.id)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  if (snapshot.deletedAtMs !== null && !(await hasCopy(writer, snapshotId)))
    throw refuse('CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT', [snapshotId]);
  const { createdAtMs } = snapshot;
  if (snapshot.status !== 'completed' || createdAtMs === null)
    throw refuse('CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT', [snapshotId]);
  return { ...snapshot, createdAtMs };
}

async function requireRestoreJob(
  reader: CatalogReader,
  name: ClusterName,
  restoreJobId: string,
): Promise<{ cluster: ClusterRow; row: RestoreJobRow }> {
  const cluster = await requireCluster(reader, name);
  const row = await findRestoreJob(reader, restoreJobId);
  if (row === undefined || row.clusterId !== cluster.id)
    throw refuse('RESTORE_JOB_NOT_FOUND', [restoreJobId, name.clusterName, name.projectId]);
  return { cluster, row };
}

function requestedRestore(request: {
  id: string;
  nowMs: number;
  cluster: ClusterRow;
  snapshot: SnapshotRow & { createdAtMs: number };
  target: ClusterRow;
  request: RestoreRequest;
}): RestoreJobRow {
  const { cluster, snapshot, target } = request;
  const { deliveryType, pointInTimeUtcSeconds, oplogTs, oplogInc } = request.request;
  const inTime = deliveryType === 'pointInTime';
  return {
    id: request.id,
    clusterId: cluster.id,
    snapshotId: snapshot.id,
    snapshotCreatedAtMs: snapshot.createdAtMs,
    deliveryType,
    state: 'queued',
    targetProjectId: target.projectId,
    targetClusterId: target.id,
    targetClusterName: target.name,
    pointInTimeUtcSeconds: inTime ? (pointInTimeUtcSeconds ?? null) : null,
    oplogTs: inTime ? (oplogTs ?? null) : null,
    oplogInc: inTime ? (oplogInc ?? null) : null,
    createdAtMs: request.nowMs,
    startedAtMs: null,
    finishedAtMs: null,
    expiresAtMs: null,
    restoredDocuments: null,
    restoredBytes: null,
    failureReason: null,
  };
}

function viewOf(row: RestoreJobRow, cluster: ClusterRow, taskId: string | null): RestoreJob {
  return { ...row, projectId: cluster.projectId, clusterName: cluster.name, taskId };
}
