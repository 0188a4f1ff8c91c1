import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { downloadsOfJobs } from '../../catalog/downloads.ts';
import { mapPage } from '../../catalog/page.ts';
import {
  clustersBeingRestored,
  findRestoreJob,
  insertRestoreJob,
  listRestoreJobs,
  liveDownloadJobs,
  updateRestoreJob,
} from '../../catalog/restore-jobs.ts';
import type { ClusterRow, DownloadRow, RestoreJobRow, SnapshotRow } from '../../catalog/schema.ts';
import { hasCopy } from '../../catalog/snapshot-copies.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { findTaskOfSubject, taskIdsOfSubjects } from '../../catalog/tasks.ts';
import type { LeftOutSummary } from '../../engine/left-out.ts';
import { must } from '../../lib/assert.ts';
import { CANCELLED_ON_REQUEST } from '../../lib/errors.ts';
import type { TaskHandlers } from '../../tasks/handler.ts';
import { clusterKey, enqueueTask, requestCancel } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import type { CaptureEngine } from '../continuous-backup/capture-engine.ts';
import { requireCluster, requireConnectedCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import { refuse } from '../refusals/refusals.ts';
import { baseSnapshot } from './base-snapshot.ts';
import { isOver, linksOf } from './download-links.ts';
import type { RestoreJob, RestoreJobs, RestoreRequest } from './restore-jobs.ts';
import { type Download, type PointInTimeRestore, planRestore } from './restore-plan.ts';
import { nextRestoreState } from './restore-state.ts';

/** Being prepared or with a link that lives. Atlas has such a limit and does not say which. */
const DOWNLOADS_OF_PROJECT_MAX = 10;

export function createRestoreJobs(
  context: DomainContext,
  capture: Pick<CaptureEngine, 'coverage'>,
  handlers: TaskHandlers,
): RestoreJobs {
  const { catalog, clock, ids } = context;

  return {
    list: async ({ page, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const rows = await listRestoreJobs(catalog.reader, { clusterId: cluster.id, page });
      const jobIds = rows.items.map((row) => row.id);
      const view = await viewer(context, cluster, jobIds);
      return mapPage(rows, view);
    },

    get: async ({ restoreJobId, ...name }) => {
      const { cluster, row } = await requireRestoreJob(catalog.reader, name, restoreJobId);
      return (await viewer(context, cluster, [row.id]))(row);
    },

    create: async (request) => {
      const plan = planRestore(request);
      if (plan.deliveryType === 'download') return await createDownload(context, capture, request, plan);
      const snapshotId =
        plan.deliveryType === 'automated' ? plan.snapshotId : await baseSnapshot(context, capture, request, plan);
      return await catalog.transact(async (writer) => {
        const cluster = await requireCluster(writer, request);
        const snapshot = await requireRestorable(writer, cluster, snapshotId);
        const target = await requireConnectedCluster(writer, {
          projectId: plan.targetProjectId,
          clusterName: plan.targetClusterName,
        });
        if (target.paused === 1) throw refuse('CLUSTER_PAUSED_CANNOT_RESTORE', [target.name]);
        if ((await clustersBeingRestored(writer, [target.id])).has(target.id))
          throw refuse('ATLAS_CLUSTER_RESTORE_IN_PROGRESS', [target.name]);
        requireSameKind(snapshot, target);
        const row = requestedRestore({ id: ids.next(), nowMs: clock.nowMs(), cluster, snapshot, target, request });
        await insertRestoreJob(writer, row);
        const taskId = ids.next();
        // Pinned from now on, not only once it runs: what was promised can be restored although the snapshot is deleted
        // meanwhile.
        await enqueueTask(writer, {
          id: taskId,
          kind: 'restoreSnapshot',
          subjectId: row.id,
          exclusiveKey: clusterKey(target.id),
          nowMs: clock.nowMs(),
          pin: { clusterId: cluster.id, snapshotId: snapshot.id },
        });
        return { ...row, projectId: cluster.projectId, clusterName: cluster.name, taskId, downloads: [] };
      });
    },

    cancel: async ({ restoreJobId, ...name }) => {
      const { row } = await requireRestoreJob(catalog.reader, name, restoreJobId);
      if (row.deliveryType !== 'download') throw refuse('CANNOT_CANCEL_AUTOMATED_RESTORE', [restoreJobId]);
      await catalog.transact(async (writer) => {
        const task = await findTaskOfSubject(writer, row.id);
        const nowMs = clock.nowMs();
        if (task !== undefined) await requestCancel(writer, handlers, { taskId: task.id, nowMs });
        const now = must(await findRestoreJob(writer, row.id), 'jobs are kept');
        // Clients look at once, and wait for it to be so. Nothing but the work of preparing it is left to stop.
        if (now.state === 'queued' || now.state === 'inProgress') {
          const state = nextRestoreState(now.state, 'cancel');
          await updateRestoreJob(writer, row.id, { state, finishedAtMs: nowMs, failureReason: CANCELLED_ON_REQUEST });
        }
      });
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
  if (snapshot.deletedAtMs !== null && !(await hasCopy(writer, snapshotId)))
    throw refuse('CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT', [snapshotId]);
  const { createdAtMs } = snapshot;
  if (snapshot.status !== 'completed' || createdAtMs === null)
    throw refuse('CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT', [snapshotId]);
  return { ...snapshot, createdAtMs };
}

/** Whether a sharded target has as many shards is seen when the restore begins, before it is touched. */
function requireSameKind(snapshot: SnapshotRow, target: ClusterRow): void {
  if (snapshot.type === target.type) return;
  const kind = (type: SnapshotRow['type']) => (type === 'sharded' ? 'a sharded cluster' : 'a replica set');
  const reason = `snapshot ${snapshot.id} is of ${kind(snapshot.type)} and ${target.name} is ${kind(target.type)}`;
  throw refuse('RESTORE_INITIATION_FAILED', [reason]);
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
  target: ClusterRow | null;
  request: RestoreRequest;
}): RestoreJobRow & { leftOut: null } {
  const { cluster, snapshot, target } = request;
  const { deliveryType, pointInTimeUtcSeconds, oplogTs, oplogInc } = request.request;
  const inTime = deliveryType !== 'automated';
  return {
    id: request.id,
    clusterId: cluster.id,
    snapshotId: snapshot.id,
    snapshotCreatedAtMs: snapshot.createdAtMs,
    deliveryType,
    state: 'queued',
    targetProjectId: target?.projectId ?? null,
    targetClusterId: target?.id ?? null,
    targetClusterName: target?.name ?? null,
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
    leftOut: null,
    targetClearedAtMs: null,
  };
}

/** What is shown of the cluster's jobs of these ids. */
async function viewer(
  { catalog, clock, secretBox }: DomainContext,
  { projectId, name: clusterName }: ClusterRow,
  jobIds: readonly string[],
): Promise<(row: RestoreJobRow) => RestoreJob> {
  const tasks = await taskIdsOfSubjects(catalog.reader, jobIds);
  const files = Map.groupBy(await downloadsOfJobs(catalog.reader, jobIds), ({ restoreJobId }) => restoreJobId);
  const nowMs = clock.nowMs();
  return (row) => {
    const rowsOfJob = files.get(row.id) ?? [];
    const downloads = linksOf(secretBox, row, rowsOfJob, nowMs);
    const ended = row.state === 'completed' ? endOfLink(row, rowsOfJob, nowMs) : {};
    const leftOut = row.leftOut === null ? null : (JSON.parse(row.leftOut) as LeftOutSummary);
    return { ...row, ...ended, leftOut, projectId, clusterName, taskId: tasks.get(row.id) ?? null, downloads };
  };
}

/** To those who look, a download is not finished while its link lives, and expires at the moment it said. */
function endOfLink(
  row: RestoreJobRow,
  files: readonly DownloadRow[],
  nowMs: number,
): Partial<Pick<RestoreJobRow, 'state' | 'finishedAtMs'>> {
  if (!files.some(({ deliveredAtMs }) => deliveredAtMs === null)) return {};
  if (!isOver(row, nowMs)) return { finishedAtMs: null };
  return { state: nextRestoreState(row.state, 'expire'), finishedAtMs: row.expiresAtMs };
}

async function createDownload(
  context: DomainContext,
  capture: Pick<CaptureEngine, 'coverage'>,
  request: RestoreRequest,
  plan: Download,
): Promise<RestoreJob> {
  const { catalog, clock, ids } = context;
  const snapshotId = plan.point === null ? plan.snapshotId : await baseOfDownload(context, capture, request, plan);
  return await catalog.transact(async (writer) => {
    const cluster = await requireCluster(writer, request);
    const snapshot = await requireRestorable(writer, cluster, snapshotId);
    const live = await liveDownloadJobs(writer, { projectId: cluster.projectId, nowMs: clock.nowMs() });
    const row = requestedRestore({ id: ids.next(), nowMs: clock.nowMs(), cluster, snapshot, target: null, request });
    if (live.some((other) => other.snapshotId === snapshotId && isSamePoint(other, row)))
      throw refuse('CANNOT_DOWNLOAD_SNAPSHOT_CONCURRENTLY', [snapshotId]);
    if (live.length >= DOWNLOADS_OF_PROJECT_MAX)
      throw refuse('TOO_MANY_SNAPSHOT_DOWNLOADS', [cluster.projectId, String(live.length)]);
    await insertRestoreJob(writer, row);
    const taskId = ids.next();
    await enqueueTask(writer, {
      id: taskId,
      kind: 'serveDownload',
      subjectId: row.id,
      exclusiveKey: null,
      nowMs: clock.nowMs(),
      pin: { clusterId: cluster.id, snapshotId },
    });
    return { ...row, projectId: cluster.projectId, clusterName: cluster.name, taskId, downloads: [] };
  });
}

async function baseOfDownload(
  context: DomainContext,
  capture: Pick<CaptureEngine, 'coverage'>,
  name: ClusterName,
  wanted: Pick<PointInTimeRestore, 'point' | 'snapshotId'>,
): Promise<string> {
  await requireCluster(context.catalog.reader, name);
  return await baseSnapshot(context, capture, name, wanted);
}

type PointOfJob = Pick<RestoreJobRow, 'pointInTimeUtcSeconds' | 'oplogTs' | 'oplogInc'>;

function isSamePoint(a: PointOfJob, b: PointOfJob): boolean {
  return a.pointInTimeUtcSeconds === b.pointInTimeUtcSeconds && a.oplogTs === b.oplogTs && a.oplogInc === b.oplogInc;
}
