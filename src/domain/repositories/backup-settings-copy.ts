import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster } from '../../catalog/clusters.ts';
import {
  allCompliancePolicies,
  findCompliancePolicy,
  type StoredCompliancePolicy,
  writeCompliancePolicy,
} from '../../catalog/compliance-policies.ts';
import { findExportBucket } from '../../catalog/export-buckets.ts';
import { findProject } from '../../catalog/projects.ts';
import {
  allCopySettings,
  allPolicyItems,
  allSchedules,
  findSchedule,
  insertSchedule,
  replaceCopySettings,
  replacePolicyItems,
} from '../../catalog/schedules.ts';
import type { CopySettingRow, PolicyItemRow, ScheduleRow, SnapshotCopyRow, SnapshotRow } from '../../catalog/schema.ts';
import { allSnapshotCopies, findSnapshotCopy, insertSnapshotCopy } from '../../catalog/snapshot-copies.ts';
import { findSnapshot, insertSnapshot } from '../../catalog/snapshots.ts';

/**
 * The part of a catalog copy that says how backups are to be made and kept: nothing of it is in manifests. A policy
 * that a lost catalog could shake off would bind nobody.
 */
export interface BackupSettings {
  schedules: ScheduleRow[];
  policyItems: PolicyItemRow[];
  copySettings: CopySettingRow[];
  compliancePolicies: StoredCompliancePolicy[];
  snapshotCopies: SnapshotCopyRow[];
}

export async function collectBackupSettings(reader: CatalogReader): Promise<BackupSettings> {
  return {
    schedules: await allSchedules(reader),
    policyItems: await allPolicyItems(reader),
    copySettings: await allCopySettings(reader),
    compliancePolicies: await allCompliancePolicies(reader),
    snapshotCopies: await allSnapshotCopies(reader),
  };
}

/** What is missing of it; what is there stays. After projects, clusters and buckets. */
export async function takeUpBackupSettings(writer: CatalogWriter, settings: BackupSettings): Promise<void> {
  for (const policy of settings.compliancePolicies) {
    const { projectId } = policy.row;
    if ((await findProject(writer, projectId)) === undefined) continue;
    if ((await findCompliancePolicy(writer, projectId)) === undefined) await writeCompliancePolicy(writer, policy);
  }
  for (const schedule of settings.schedules) {
    const { clusterId } = schedule;
    if ((await findCluster(writer, clusterId)) === undefined) continue;
    if ((await findSchedule(writer, clusterId)) !== undefined) continue;
    await insertSchedule(writer, await withKnownBucket(writer, schedule));
    const ofCluster = (row: { clusterId: string }) => row.clusterId === clusterId;
    await replacePolicyItems(writer, clusterId, settings.policyItems.filter(ofCluster));
    await replaceCopySettings(writer, clusterId, settings.copySettings.filter(ofCluster));
  }
}

async function withKnownBucket(writer: CatalogWriter, schedule: ScheduleRow): Promise<ScheduleRow> {
  const { exportBucketId } = schedule;
  if (exportBucketId === null || (await findExportBucket(writer, exportBucketId)) !== undefined) return schedule;
  return { ...schedule, autoExportEnabled: 0, exportBucketId: null, exportFrequencyType: null };
}

/**
 * Snapshots of which only a copy is left, as far as one is: the manifests that a rebuild goes through do not name them.
 */
export async function takeUpCopiesOnly(
  writer: CatalogWriter,
  snapshots: readonly SnapshotRow[],
  { snapshotCopies }: BackupSettings,
): Promise<void> {
  const copied = new Set(snapshotCopies.filter(isThere).map(({ snapshotId }) => snapshotId));
  for (const row of snapshots) {
    if (!copied.has(row.id) || (await findSnapshot(writer, row.id)) !== undefined) continue;
    if ((await findCluster(writer, row.clusterId)) !== undefined) await insertSnapshot(writer, row);
  }
}

function isThere({ state, deletedAtMs }: SnapshotCopyRow): boolean {
  return state === 'completed' && deletedAtMs === null;
}

/** Copies of snapshots, once these are taken up. One that had not ended is forgotten: nothing of it may be there. */
export async function takeUpSnapshotCopies(writer: CatalogWriter, { snapshotCopies }: BackupSettings): Promise<void> {
  for (const copy of snapshotCopies) {
    if (copy.state !== 'completed' || (await findSnapshotCopy(writer, copy.id)) !== undefined) continue;
    if ((await findSnapshot(writer, copy.snapshotId)) !== undefined) await insertSnapshotCopy(writer, copy);
  }
}
