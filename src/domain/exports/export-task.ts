import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { findExportBucket } from '../../catalog/export-buckets.ts';
import {
  type ExportJobRecord,
  findExportJob,
  insertExportComponents,
  updateExportJob,
} from '../../catalog/export-jobs.ts';
import { findOrganization } from '../../catalog/organizations.ts';
import { findProject } from '../../catalog/projects.ts';
import type { ExportBucketRow } from '../../catalog/schema.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import type { CompletedExport } from '../../engine/export/export-metadata.ts';
import { EXPORT_WRITE } from '../../engine/export/export-snapshot.ts';
import type { LeftOutSummary } from '../../engine/left-out.ts';
import { assert, must } from '../../lib/assert.ts';
import { Damage, Fault } from '../../lib/errors.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import type { DomainContext } from '../context.ts';
import type { Manifests } from '../snapshots/snapshot-engine.ts';
import type { BucketStores } from './bucket-stores.ts';
import { nextExportState } from './export-state.ts';

export interface ExportRequest {
  clusterId: string;
  snapshotId: string;
  store: ObjectStore;
  prefix: string;
  /** An earlier attempt may have left objects. */
  resumed: boolean;
  completed: Omit<CompletedExport, 'totalFiles'>;
  signal: AbortSignal;
  report: ReportProgress;
}

/**
 * Writes a snapshot into a bucket. When it resolves `.complete` is there; when it rejects it is not, or the call was
 * not the last one.
 */
export interface ExportEngine {
  export(request: ExportRequest): Promise<{ collections: number; leftOut: LeftOutSummary }>;
}

/** What a failed job's `stateReason` says. Atlas documents no codes for it; these are our own. */
export type ExportFailure = 'EXPORT_BUCKET_UNAVAILABLE' | 'EXPORT_SNAPSHOT_DAMAGED' | 'EXPORT_FAILED';

export function exportSnapshotHandler(
  context: DomainContext,
  { engine, bucketStores, manifests }: { engine: ExportEngine; bucketStores: BucketStores; manifests: Manifests },
): TaskHandler {
  const { clock } = context;
  return {
    run: async (work) => {
      const { job, bucket, completed } = await work.commit(async (writer) => await start(writer, work.task.subjectId));
      assert(work.task.pinnedSnapshotId === job.snapshotId, 'what is being exported is pinned');
      await noteComponents(context, work, job, manifests);
      const exported = await engine.export({
        clusterId: job.clusterId,
        snapshotId: job.snapshotId,
        store: await openBucket(bucketStores, bucket, work.signal),
        prefix: job.prefix,
        resumed: work.task.generation > 1,
        completed,
        signal: work.signal,
        report: work.report,
      });
      return {
        done: async (writer) => {
          const row = await requireJob(writer, job.id);
          await updateExportJob(writer, job.id, {
            state: nextExportState(row.state, 'succeed'),
            exportedCollections: exported.collections,
            totalCollections: exported.collections,
            finishedAtMs: clock.nowMs(),
            leftOut: exported.leftOut.count === 0 ? null : JSON.stringify(exported.leftOut),
          });
        },
      };
    },

    settle: async (writer, task, { state, reason, error }) => {
      const row = await requireJob(writer, task.subjectId);
      const failed = state === 'failed';
      await updateExportJob(writer, row.id, {
        state: nextExportState(row.state, failed ? 'fail' : 'cancel'),
        finishedAtMs: clock.nowMs(),
        errorCode: failed ? failureOf(error) : null,
        errorMessage: failed ? reason : null,
      });
    },
  };
}

/** Of a sharded cluster's export one component for each shard, once. */
async function noteComponents(
  { ids }: DomainContext,
  work: TaskWork,
  job: ExportJobRecord,
  manifests: Manifests,
): Promise<void> {
  const { clusterId, snapshotId } = job;
  const facts = await manifests.read({ clusterId, snapshotId }, work.signal);
  const shards = (facts?.header.replicaSets ?? []).filter((one) => !one.configServer);
  if (shards.length === 0 || job.components.length > 0) return;
  const components = shards.map(({ replicaSetName }, position) => ({
    ...{ exportJobId: job.id, position, exportId: ids.next(), replicaSetName },
  }));
  await work.commit(async (writer) => await insertExportComponents(writer, components));
}

function failureOf(error: unknown): ExportFailure {
  if (error instanceof Damage) return 'EXPORT_SNAPSHOT_DAMAGED';
  const ofBucket = error instanceof Fault && (error.op === OPEN_BUCKET || error.op === EXPORT_WRITE);
  return ofBucket ? 'EXPORT_BUCKET_UNAVAILABLE' : 'EXPORT_FAILED';
}

const OPEN_BUCKET = 'open an export bucket';

async function openBucket(stores: BucketStores, bucket: ExportBucketRow, signal: AbortSignal): Promise<ObjectStore> {
  try {
    return await stores.open(bucket, { signal });
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    const { message, retryable, hint } = cause;
    const subject = bucket.bucketName;
    throw new Fault({ op: OPEN_BUCKET, subject, message, retryable, cause, ...(hint === undefined ? {} : { hint }) });
  }
}

async function start(
  writer: CatalogWriter,
  jobId: string,
): Promise<{ job: ExportJobRecord; bucket: ExportBucketRow; completed: Omit<CompletedExport, 'totalFiles'> }> {
  const job = await requireJob(writer, jobId);
  await updateExportJob(writer, jobId, { state: nextExportState(job.state, 'start') });
  const bucket = must(await findExportBucket(writer, job.exportBucketId), 'the row of a bucket stays');
  return { job, bucket, completed: await completedOf(writer, job) };
}

async function completedOf(writer: CatalogWriter, job: ExportJobRecord): Promise<Omit<CompletedExport, 'totalFiles'>> {
  const cluster = must(await findCluster(writer, job.clusterId), 'clusters are kept');
  const snapshot = must(await findSnapshot(writer, job.snapshotId), 'the row of a snapshot stays');
  const project = must(await findProject(writer, cluster.projectId), 'a project with a running export is not closed');
  const organization = must(await findOrganization(writer, project.organizationId), 'a project has an organization');
  return {
    orgId: organization.id,
    orgName: organization.name,
    groupId: project.id,
    groupName: project.name,
    clusterUniqueId: cluster.id,
    clusterName: cluster.name,
    snapshotMs: must(snapshot.createdAtMs, 'a completed snapshot has its time'),
    // Clusters have no labels here.
    labels: [],
    customData: job.customData,
  };
}

async function requireJob(writer: CatalogWriter, jobId: string): Promise<ExportJobRecord> {
  return must(await findExportJob(writer, jobId), 'a task is queued together with its export job');
}
