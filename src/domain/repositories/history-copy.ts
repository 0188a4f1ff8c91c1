import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import {
  type CheckpointRecord,
  endedCheckpoints,
  findCheckpoint,
  insertCheckpoint,
} from '../../catalog/checkpoints.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { findExportBucket } from '../../catalog/export-buckets.ts';
import { endedExportJobs, findExportJob, insertExportJob } from '../../catalog/export-jobs.ts';
import { endedRestoreJobs, findRestoreJob, insertRestoreJob } from '../../catalog/restore-jobs.ts';
import type { ExportJobComponentRow, ExportJobRow, RestoreJobRow } from '../../catalog/schema.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { nextRestoreState } from '../restores/restore-state.ts';

/**
 * The part of a catalog copy that says what was done: jobs and checkpoints that have ended. Manifests know nothing of
 * them, and whoever lists them after a loss should not be told that there were none.
 */
export interface BackupHistory {
  restoreJobs: RestoreJobRow[];
  exportJobs: ExportJobRow[];
  exportJobComponents: ExportJobComponentRow[];
  checkpoints: CheckpointRecord[];
}

/** Of each kind, the newest: a copy is written at every change. */
const ROWS_MAX = 5_000;

export async function collectHistory(reader: CatalogReader): Promise<BackupHistory> {
  const { jobs: exportJobs, components: exportJobComponents } = await endedExportJobs(reader, ROWS_MAX);
  const restoreJobs = await endedRestoreJobs(reader, ROWS_MAX);
  return { restoreJobs, exportJobs, exportJobComponents, checkpoints: await endedCheckpoints(reader, ROWS_MAX) };
}

/** What is missing of it, after clusters, buckets and snapshots. Jobs of what did not come back are left out. */
export async function takeUpHistory(writer: CatalogWriter, history: BackupHistory): Promise<void> {
  for (const job of history.restoreJobs) {
    if ((await findRestoreJob(writer, job.id)) !== undefined) continue;
    const targets = job.targetClusterId === null ? [job.clusterId] : [job.clusterId, job.targetClusterId];
    if (await allKnown(writer, targets)) await insertRestoreJob(writer, withoutLink(job));
  }
  const componentsOf = Map.groupBy(history.exportJobComponents, (component) => component.exportJobId);
  for (const job of history.exportJobs) {
    if ((await findExportJob(writer, job.id)) !== undefined || !(await allKnown(writer, [job.clusterId]))) continue;
    if ((await findSnapshot(writer, job.snapshotId)) === undefined) continue;
    if ((await findExportBucket(writer, job.exportBucketId)) === undefined) continue;
    await insertExportJob(writer, job, componentsOf.get(job.id) ?? []);
  }
  for (const { parts, ...checkpoint } of history.checkpoints) {
    if ((await findCheckpoint(writer, checkpoint.id)) !== undefined) continue;
    if (await allKnown(writer, [checkpoint.clusterId])) await insertCheckpoint(writer, checkpoint, parts);
  }
}

async function allKnown(writer: CatalogWriter, clusterIds: readonly string[]): Promise<boolean> {
  for (const id of clusterIds) if ((await findCluster(writer, id)) === undefined) return false;
  return true;
}

/** The files of a download are not known any more. */
function withoutLink(job: RestoreJobRow): RestoreJobRow {
  const hadLink = job.deliveryType === 'download' && job.state === 'completed';
  return hadLink ? { ...job, state: nextRestoreState(job.state, 'expire') } : job;
}
