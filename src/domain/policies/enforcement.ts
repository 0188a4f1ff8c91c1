import type { CatalogReader } from '../../catalog/catalog.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { findCompliancePolicy, type StoredCompliancePolicy } from '../../catalog/compliance-policies.ts';
import { findSchedule } from '../../catalog/schedules.ts';
import type { ClusterRow, SnapshotRow } from '../../catalog/schema.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { findTask } from '../../catalog/tasks.ts';
import { hasEnded } from '../../tasks/task.ts';
import { refuse } from '../refusals/refusals.ts';
import {
  type ExtraRetention,
  mayDeleteUnderPolicy,
  type Requirements,
  type ScheduleTerms,
  shortcomings,
} from './compliance-rules.ts';
import { nominalDays } from './schedule-rules.ts';

/**
 * Where a backup compliance policy binds. Every rule that changes something asks here, inside its own transaction and
 * whoever the caller is: an owner is bound as everybody is, and a command line as the API. A test goes through
 * everything that the domain can change.
 */

/** What the project's policy requires; null where it has none. */
export async function requirementsOf(reader: CatalogReader, projectId: string): Promise<Requirements | null> {
  const policy = await findCompliancePolicy(reader, projectId);
  return policy === undefined ? null : storedRequirements(policy);
}

export function storedRequirements({ row, items }: StoredCompliancePolicy): Requirements {
  const onDemand = items.find((item) => item.frequencyType === 'ondemand');
  return {
    scheduledItems: items.flatMap(({ projectId: _project, position: _position, frequencyType, ...item }) =>
      frequencyType === 'ondemand' ? [] : [{ ...item, frequencyType }],
    ),
    onDemandItem:
      onDemand === undefined
        ? null
        : {
            id: onDemand.id,
            frequencyInterval: onDemand.frequencyInterval,
            retentionUnit: onDemand.retentionUnit,
            retentionValue: onDemand.retentionValue,
          },
    pitEnabled: row.pitEnabled === 1,
    restoreWindowDays: row.restoreWindowDays,
    encryptionAtRestEnabled: row.encryptionAtRestEnabled === 1,
    copyProtectionEnabled: row.copyProtectionEnabled === 1,
  };
}

/** A schedule stays at or above what the policy requires. */
export async function requireCompliantSchedule(
  reader: CatalogReader,
  projectId: string,
  terms: ScheduleTerms,
): Promise<void> {
  const required = await requirementsOf(reader, projectId);
  if (required === null) return;
  const missing = shortcomings(terms, required);
  if (missing.length === 0) return;
  throw refuse('BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS', [missing.join('; ')]);
}

/** A project under a policy has no cluster without a schedule, be the policy's own items none. */
export async function requireScheduleKept(reader: CatalogReader, projectId: string): Promise<void> {
  if ((await requirementsOf(reader, projectId)) === null) return;
  throw refuse('BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS', ['a schedule is required']);
}

/** A snapshot is not deleted before its time, but for the extra days that its schedule adds. */
export async function requireDeletable(
  reader: CatalogReader,
  projectId: string,
  snapshot: SnapshotRow,
  nowMs: number,
): Promise<void> {
  if ((await requirementsOf(reader, projectId)) === null) return;
  const schedule = await findSchedule(reader, snapshot.clusterId);
  const extraRetention =
    schedule === undefined ? [] : (JSON.parse(schedule.extraRetentionSettings) as ExtraRetention[]);
  if (mayDeleteUnderPolicy(snapshot, { nowMs, extraRetention })) return;
  throw refuse('CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY', [snapshot.id]);
}

/** The time of what was taken only ever grows. */
export async function requireNotShortened(
  reader: CatalogReader,
  projectId: string,
  change: { what: string; fromMs: number; toMs: number },
): Promise<void> {
  if (change.toMs >= change.fromMs) return;
  if ((await requirementsOf(reader, projectId)) === null) return;
  throw refuse('CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY', [change.what]);
}

export async function requireLongEnoughOnDemand(
  reader: CatalogReader,
  projectId: string,
  retentionInDays: number,
): Promise<void> {
  const least = (await requirementsOf(reader, projectId))?.onDemandItem ?? null;
  if (least === null || retentionInDays >= nominalDays(least)) return;
  throw refuse('SNAPSHOT_RETENTION_LESS_THAN_BACKUP_COMPLIANCE_POLICY', [
    `${retentionInDays} days`,
    `${least.retentionValue} ${least.retentionUnit}`,
  ]);
}

/** Backup of a cluster goes on: it is not disabled, paused or deregistered, and what it has queued is not cancelled. */
export async function requireBackupMayStop(
  reader: CatalogReader,
  cluster: Pick<ClusterRow, 'projectId' | 'name'>,
): Promise<void> {
  if ((await requirementsOf(reader, cluster.projectId)) === null) return;
  throw refuse('CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY', [cluster.name]);
}

/** So does the capture of its oplog where the policy requires continuous backup. */
export async function requireHistoryMayStop(
  reader: CatalogReader,
  cluster: Pick<ClusterRow, 'projectId' | 'name'>,
): Promise<void> {
  if ((await requirementsOf(reader, cluster.projectId))?.pitEnabled !== true) return;
  throw refuse('CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY', [cluster.name]);
}

/**
 * What the schedule queued is not cancelled: that would be a snapshot less than the policy requires. What somebody
 * asked for may be.
 */
export async function requireTaskMayStop(reader: CatalogReader, taskId: string): Promise<void> {
  const task = await findTask(reader, taskId);
  if (task === undefined || hasEnded(task.state)) return;
  const snapshot = task.kind === 'takeSnapshot' ? await findSnapshot(reader, task.subjectId) : undefined;
  if (snapshot?.snapshotType === 'scheduled')
    return await requireMayStop(reader, snapshot.clusterId, requireBackupMayStop);
  if (task.kind === 'tailOplog') return await requireMayStop(reader, task.subjectId, requireHistoryMayStop);
}

async function requireMayStop(
  reader: CatalogReader,
  clusterId: string,
  require: (reader: CatalogReader, cluster: ClusterRow) => Promise<void>,
): Promise<void> {
  const cluster = await findCluster(reader, clusterId);
  if (cluster !== undefined) await require(reader, cluster);
}

export async function requireCopiesRemovable(
  reader: CatalogReader,
  projectId: string,
  regionName: string,
): Promise<void> {
  const required = await requirementsOf(reader, projectId);
  if (required?.copyProtectionEnabled !== true) return;
  throw refuse('CANNOT_DELETE_COPY_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY_ENABLED', [regionName]);
}

export async function requireProjectMayClose(reader: CatalogReader, projectId: string): Promise<void> {
  if ((await requirementsOf(reader, projectId)) === null) return;
  throw refuse('CANNOT_CLOSE_GROUP_ACTIVE_BACKUP_COMPLIANCE_POLICY', [projectId]);
}
