import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import {
  findCollectionRestoreJob,
  findRestoredCollection,
  insertCollectionRestoreJob,
  listCollectionRestoreJobs,
  listRestoredCollections,
  type RestoredTotals,
  restoredTotals,
} from '../../catalog/collection-restore-jobs.ts';
import { mapPage } from '../../catalog/page.ts';
import { clustersBeingRestored } from '../../catalog/restore-jobs.ts';
import type { ClusterRow, CollectionRestoreJobRow, RestoredCollectionRow } from '../../catalog/schema.ts';
import { hasCopy } from '../../catalog/snapshot-copies.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { taskIdsOfSubjects } from '../../catalog/tasks.ts';
import { clusterKey, enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import type { CaptureEngine } from '../continuous-backup/capture-engine.ts';
import { pointOf } from '../continuous-backup/point-in-time.ts';
import { requireCluster, requireConnectedCluster } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import { baseSnapshot } from './base-snapshot.ts';
import type {
  CollectionRestoreJob,
  CollectionRestoreJobName,
  CollectionRestoreJobs,
  CollectionRestoreRequest,
  RestoredCollection,
} from './collection-restore-jobs.ts';
import { restoreSource } from './collection-restore-plan.ts';
import { namesOf } from './collection-restore-task.ts';

export function createCollectionRestoreJobs(
  context: DomainContext,
  capture: Pick<CaptureEngine, 'coverage'>,
): CollectionRestoreJobs {
  const { catalog } = context;
  return {
    list: async ({ page, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const rows = await listCollectionRestoreJobs(catalog.reader, { clusterId: cluster.id, page });
      const view = await viewer(
        catalog.reader,
        cluster,
        rows.items.map((row) => row.id),
      );
      return mapPage(rows, view);
    },

    get: async (name) => {
      const { cluster, row } = await requireJob(catalog.reader, name);
      return (await viewer(catalog.reader, cluster, [row.id]))(row);
    },

    create: async (request) => {
      const snapshotId = await sourceOf(context, capture, request);
      const job = await catalog.transact(async (writer) => await queueJob(writer, context, request, snapshotId));
      return job;
    },

    listCollections: async ({ projectId, clusterName, jobId, ...query }) => {
      await requireJob(catalog.reader, { projectId, clusterName, jobId });
      return mapPage(await listRestoredCollections(catalog.reader, { jobId, ...query }), collectionOf);
    },

    getCollection: async ({ source, ...name }) => {
      const { row } = await requireJob(catalog.reader, name);
      const found = await findRestoredCollection(catalog.reader, { jobId: row.id, source });
      if (found === undefined) throw refuse('RESOURCE_NOT_FOUND', [source]);
      return collectionOf(found);
    },
  };
}

/** The snapshot to begin with, after everything about the request that can be wrong by itself. */
async function sourceOf(
  context: DomainContext,
  capture: Pick<CaptureEngine, 'coverage'>,
  request: CollectionRestoreRequest,
): Promise<string> {
  const source = restoreSource(request);
  await requireCluster(context.catalog.reader, request);
  if ('snapshotId' in source) return source.snapshotId;
  const point = pointOf(source);
  return await baseSnapshot(context, capture, request, { point, snapshotId: null });
}

function requireReplicaSetAsTarget({ name, type }: ClusterRow): void {
  if (type === 'replicaSet') return;
  throw refuse('FEATURE_UNSUPPORTED', [
    `${name} is a sharded cluster: single collections cannot be restored into one, but into a replica set`,
  ]);
}

async function queueJob(
  writer: CatalogWriter,
  { clock, ids }: DomainContext,
  request: CollectionRestoreRequest,
  snapshotId: string,
): Promise<CollectionRestoreJob> {
  const cluster = await requireCluster(writer, request);
  await requireCompleted(writer, cluster, snapshotId);
  const { targetProjectId, targetClusterName } = request;
  const target = await requireConnectedCluster(writer, { projectId: targetProjectId, clusterName: targetClusterName });
  requireReplicaSetAsTarget(target);
  if (target.paused === 1) throw refuse('CLUSTER_PAUSED_CANNOT_RESTORE', [target.name]);
  if ((await clustersBeingRestored(writer, [target.id])).has(target.id))
    throw refuse('ATLAS_CLUSTER_RESTORE_IN_PROGRESS', [target.name]);
  const row = requestedJob({ id: ids.next(), nowMs: clock.nowMs(), cluster, target, request, snapshotId });
  await insertCollectionRestoreJob(writer, row);
  await enqueueTask(writer, {
    id: ids.next(),
    kind: 'restoreCollections',
    subjectId: row.id,
    exclusiveKey: clusterKey(target.id),
    nowMs: clock.nowMs(),
    // From now on, not only once it runs: what was promised can be restored although the snapshot is deleted meanwhile.
    pin: { clusterId: cluster.id, snapshotId },
  });
  return (await viewer(writer, cluster, [row.id]))(row);
}

async function requireCompleted(reader: CatalogReader, cluster: ClusterRow, snapshotId: string): Promise<void> {
  const snapshot = await findSnapshot(reader, snapshotId);
  const isThere =
    snapshot?.clusterId === cluster.id && (snapshot.deletedAtMs === null || (await hasCopy(reader, snapshotId)));
  if (snapshot === undefined || !isThere)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
  if (snapshot.status !== 'completed')
    throw refuse('CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT', [snapshotId]);
}

function requestedJob(job: {
  id: string;
  nowMs: number;
  cluster: ClusterRow;
  target: ClusterRow;
  request: CollectionRestoreRequest;
  snapshotId: string;
}): CollectionRestoreJobRow {
  const { request, target } = job;
  return {
    id: job.id,
    clusterId: job.cluster.id,
    snapshotId: job.snapshotId,
    state: 'INITIALIZING',
    writeStrategy: request.writeStrategy,
    indexStrategy: request.indexStrategy,
    databases: JSON.stringify(request.databases),
    collections: JSON.stringify(request.collections),
    databaseSuffix: request.databaseSuffix ?? null,
    collectionSuffix: request.collectionSuffix ?? null,
    targetProjectId: target.projectId,
    targetClusterId: target.id,
    targetClusterName: target.name,
    pointInTimeUtcSeconds: request.pointInTimeUtcSeconds ?? null,
    oplogTs: request.oplogTs ?? null,
    oplogInc: request.oplogInc ?? null,
    createdAtMs: job.nowMs,
    startedAtMs: null,
    finishedAtMs: null,
    errorMessage: null,
  };
}

async function requireJob(
  reader: CatalogReader,
  { jobId, ...name }: CollectionRestoreJobName,
): Promise<{ cluster: ClusterRow; row: CollectionRestoreJobRow }> {
  const cluster = await requireCluster(reader, name);
  const row = await findCollectionRestoreJob(reader, jobId);
  if (row === undefined || row.clusterId !== cluster.id)
    throw refuse('COLLECTION_RESTORE_JOB_NOT_FOUND', [jobId, cluster.name, cluster.projectId]);
  return { cluster, row };
}

/** What is shown of the cluster's jobs of these ids. */
async function viewer(
  reader: CatalogReader,
  { projectId, name: clusterName }: ClusterRow,
  jobIds: readonly string[],
): Promise<(row: CollectionRestoreJobRow) => CollectionRestoreJob> {
  const tasks = await taskIdsOfSubjects(reader, jobIds);
  const totals = await restoredTotals(reader, jobIds);
  return (row) => {
    const { databases, collections } = namesOf(row);
    const sums = totals.get(row.id);
    return {
      ...row,
      ...{ projectId, clusterName, databases, collections },
      taskId: tasks.get(row.id) ?? null,
      totalDocuments: sums?.totalDocuments ?? 0,
      restoredDocuments: sums?.restoredDocuments ?? 0,
      indexState: sums === undefined ? null : indexStateOf(sums),
      indexFailures: sums?.indexStates.FAILED ?? 0,
    };
  };
}

/** Of a job that of its collections which says most. */
function indexStateOf({ indexStates }: RestoredTotals): RestoredCollectionRow['indexState'] {
  if (indexStates.FAILED !== undefined) return 'FAILED';
  if (indexStates.IN_PROGRESS !== undefined) return 'IN_PROGRESS';
  if (indexStates.NOT_STARTED !== undefined)
    return indexStates.SUCCESSFUL === undefined ? 'NOT_STARTED' : 'IN_PROGRESS';
  return indexStates.NOT_RESTORED === undefined ? 'SUCCESSFUL' : 'NOT_RESTORED';
}

function collectionOf(row: RestoredCollectionRow): RestoredCollection {
  const { jobId: _job, position: _position, stagedName: _name, stagedUuid: _uuid, ...collection } = row;
  return collection;
}
