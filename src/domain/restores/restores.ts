import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { mapPage } from '../../catalog/page.ts';
import {
  clustersBeingRestored,
  findRestoreJob,
  insertRestoreJob,
  listRestoreJobs,
} from '../../catalog/restore-jobs.ts';
import type { ClusterRow, RestoreJobRow, SnapshotRow } from '../../catalog/schema.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { taskIdsOfSubjects } from '../../catalog/tasks.ts';
import { assert } from '../../lib/assert.ts';
import { clusterKey, enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import type { ClusterName, RestoreJob, RestoreJobs } from '../domain.ts';
import { requireCluster, requireConnectedCluster } from '../find-resource.ts';
import { refuse } from '../refusals.ts';
import { planRestore } from './restore-plan.ts';
import { RESTORE_ATTEMPTS_MAX } from './restore-task.ts';

export function createRestoreJobs(context: DomainContext): RestoreJobs {
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
      const plan = planRestore(request);
      const job = await catalog.transact(async (writer) => {
        const cluster = await requireCluster(writer, request);
        const snapshot = await requireRestorable(writer, cluster, plan.snapshotId);
        const target = await requireConnectedCluster(writer, {
          projectId: plan.targetProjectId,
          clusterName: plan.targetClusterName,
        });
        if (target.paused === 1) throw refuse('CLUSTER_PAUSED_CANNOT_RESTORE', [target.name]);
        if ((await clustersBeingRestored(writer, [target.id])).has(target.id))
          throw refuse('ATLAS_CLUSTER_RESTORE_IN_PROGRESS', [target.name]);
        const row = requestedRestore({ id: ids.next(), nowMs: clock.nowMs(), cluster, snapshot, target });
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
      assert(row.deliveryType === 'automated', 'only automated restores are made');
      throw refuse('CANNOT_CANCEL_AUTOMATED_RESTORE', [restoreJobId]);
    },
  };
}

async function requireRestorable(
  writer: CatalogWriter,
  cluster: ClusterRow,
  snapshotId: string,
): Promise<SnapshotRow & { createdAtMs: number }> {
  const snapshot = await findSnapshot(writer, snapshotId);
  if (snapshot === undefined || snapshot.clusterId !== cluster.id)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  if (snapshot.deletedAtMs !== null) throw refuse('CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT', [snapshotId]);
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
}): RestoreJobRow {
  const { cluster, snapshot, target } = request;
  return {
    id: request.id,
    clusterId: cluster.id,
    snapshotId: snapshot.id,
    snapshotCreatedAtMs: snapshot.createdAtMs,
    deliveryType: 'automated',
    state: 'queued',
    targetProjectId: target.projectId,
    targetClusterId: target.id,
    targetClusterName: target.name,
    pointInTimeUtcSeconds: null,
    oplogTs: null,
    oplogInc: null,
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
