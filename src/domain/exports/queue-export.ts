import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { findExportBucket } from '../../catalog/export-buckets.ts';
import { insertExportJob, isExportPrefixTaken, unfinishedExportOf } from '../../catalog/export-jobs.ts';
import { findOrganization } from '../../catalog/organizations.ts';
import { findProject } from '../../catalog/projects.ts';
import { findSchedule } from '../../catalog/schedules.ts';
import type { ClusterRow, ExportJobRow, SnapshotRow } from '../../catalog/schema.ts';
import { exportNamePart, exportPrefix } from '../../engine/export/object-layout.ts';
import { assert, must } from '../../lib/assert.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';

export interface ExportToQueue {
  cluster: ClusterRow;
  snapshot: SnapshotRow;
  exportBucketId: string;
  customData: readonly { key: string; value: string }[];
}

/** Job and task in one transaction. Everything that may be refused has been. */
export async function queueExport(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock'>,
  { cluster, snapshot, exportBucketId, customData }: ExportToQueue,
): Promise<{ job: ExportJobRow; taskId: string }> {
  assert(!(await unfinishedExportOf(writer, snapshot.id)), 'a snapshot is exported once at a time');
  const nowMs = context.clock.nowMs();
  const job: ExportJobRow = {
    id: context.ids.next(),
    clusterId: cluster.id,
    snapshotId: snapshot.id,
    exportBucketId,
    state: 'Queued',
    prefix: await freePrefix(writer, { cluster, snapshot, exportBucketId, nowMs }),
    customData: JSON.stringify(customData),
    exportedCollections: 0,
    totalCollections: 0,
    createdAtMs: nowMs,
    finishedAtMs: null,
    errorCode: null,
    errorMessage: null,
    leftOut: null,
  };
  await insertExportJob(writer, job);
  const taskId = context.ids.next();
  // Pinned from now on: what was promised can be exported although the snapshot is deleted meanwhile.
  await enqueueTask(writer, {
    id: taskId,
    kind: 'exportSnapshot',
    subjectId: job.id,
    exclusiveKey: null,
    nowMs,
    pin: { clusterId: cluster.id, snapshotId: snapshot.id },
  });
  return { job, taskId };
}

/** Two exports that begin in one second would write under one prefix; the later one takes the next second. */
async function freePrefix(
  reader: CatalogReader,
  {
    cluster,
    snapshot,
    exportBucketId,
    nowMs,
  }: { cluster: ClusterRow; snapshot: SnapshotRow; exportBucketId: string; nowMs: number },
): Promise<string> {
  const project = must(await findProject(reader, cluster.projectId), 'a cluster belongs to a project');
  const organization = must(await findOrganization(reader, project.organizationId), 'a project has an organization');
  const byName = (await findSchedule(reader, cluster.id))?.namesInExportPrefix === 1;
  const bucket = must(await findExportBucket(reader, exportBucketId), 'an export goes into a bucket');
  const dots = { dotsAtEnd: bucket.cloudProvider !== 'AZURE' };
  const name = {
    organization: byName ? exportNamePart(organization.name, dots) : organization.id,
    project: byName ? exportNamePart(project.name, dots) : project.id,
    clusterName: cluster.name,
    snapshotMs: must(snapshot.createdAtMs, 'a completed snapshot has its time'),
  };
  let jobSeconds = Math.floor(nowMs / 1000);
  while (await isExportPrefixTaken(reader, exportPrefix({ ...name, jobSeconds }))) jobSeconds++;
  return exportPrefix({ ...name, jobSeconds });
}
