import type { legacyBackupOperations } from '../../../contract/legacy-backup.ts';
import type { RequestBody } from '../../../contract/operation.ts';
import type { Domain } from '../../domain/domain.ts';
import type { LegacyRestoreRequest, LegacyScheduleSettings } from '../../domain/legacy/legacy.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import type { HandlersOf } from '../call.ts';
import { clusterOf, mapped } from '../listing.ts';
import { mayRestoreIntoTarget } from '../restore-target.ts';
import { legacyRestoreJobBody, legacyScheduleBody, legacySnapshotBody } from '../wire/legacy.ts';

type RestoreBody = RequestBody<(typeof legacyBackupOperations)['createGroupClusterRestoreJob']>;
type ScheduleBody = RequestBody<(typeof legacyBackupOperations)['updateGroupClusterSnapshotSchedule']>;

export const legacyBackupHandlers: HandlersOf<typeof legacyBackupOperations> = {
  async listGroupClusterSnapshots({ params, query, page, domain, links }) {
    const { completed = 'true' } = query;
    const encrypted = await isEncrypted(domain);
    const found = await domain.snapshots.list({
      ...clusterOf(params),
      page,
      ...(completed === 'all' ? {} : { completed: completed === 'true' }),
    });
    return mapped(found, (snapshot) => legacySnapshotBody(snapshot, encrypted, links));
  },

  async getGroupClusterSnapshot({ params, domain, links }) {
    const snapshot = await domain.snapshots.get({ ...clusterOf(params), snapshotId: params.snapshotId });
    return legacySnapshotBody(snapshot, await isEncrypted(domain), links);
  },

  async updateGroupClusterSnapshot({ params, body, domain, links }) {
    const { doNotDelete, expires } = body;
    const snapshot = await domain.snapshots.updateExpiry({
      ...clusterOf(params),
      snapshotId: params.snapshotId,
      ...(doNotDelete === undefined ? {} : { doNotDelete }),
      ...(expires === undefined ? {} : { expiresAtMs: timeOf('expires', expires) }),
    });
    return legacySnapshotBody(snapshot, await isEncrypted(domain), links);
  },

  async deleteGroupClusterSnapshot({ params, domain }) {
    await domain.snapshots.delete({ ...clusterOf(params), snapshotId: params.snapshotId });
    return undefined;
  },

  /** Jobs of a replica set belong to no batch, so that none is found in any. */
  async listGroupClusterRestoreJobs({ params, query, page, domain, links }) {
    const encrypted = await isEncrypted(domain);
    const found = await domain.restoreJobs.list({ ...clusterOf(params), page });
    if (query.batchId !== undefined) return page.includeCount ? { items: [], totalCount: 0 } : { items: [] };
    return mapped(found, (job) => legacyRestoreJobBody(job, encrypted, links));
  },

  async createGroupClusterRestoreJob({ params, body, domain, links, rolesInProjectNamed }) {
    const { targetGroupId, targetClusterName } = body.delivery;
    await mayRestoreIntoTarget({ ...params, targetGroupId, targetClusterName, rolesInProjectNamed });
    const job = await domain.legacy.restore({ ...clusterOf(params), ...restoreOf(body) });
    return { items: [legacyRestoreJobBody(job, await isEncrypted(domain), links)], totalCount: 1 };
  },

  async getGroupClusterRestoreJob({ params, domain, links }) {
    const job = await domain.restoreJobs.get({ ...clusterOf(params), restoreJobId: params.jobId });
    return legacyRestoreJobBody(job, await isEncrypted(domain), links);
  },

  async getGroupClusterSnapshotSchedule({ params, domain, links }) {
    return legacyScheduleBody(await domain.legacy.schedule(clusterOf(params)), links);
  },

  async updateGroupClusterSnapshotSchedule({ params, body, domain, links }) {
    const { clusterCheckpointIntervalMin: interval } = body;
    const schedule = await domain.legacy.updateSchedule({
      ...clusterOf(params),
      changes: settingsOf(body),
      ...(interval === undefined ? {} : { clusterCheckpointIntervalMin: interval }),
    });
    return legacyScheduleBody(schedule, links);
  },
};

async function isEncrypted(domain: Domain): Promise<boolean> {
  return (await domain.system.status()).repository.encrypted;
}

/** RFC 3339, with its zone: a time without one means another moment to everybody. */
function timeOf(field: string, text: string): number {
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (Number.isFinite(ms)) return ms;
  const description = 'must be a time such as 2027-01-31T10:00:00Z';
  throw refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
}

function restoreOf(body: RestoreBody): Omit<LegacyRestoreRequest, 'projectId' | 'clusterName'> {
  const { snapshotId, checkpointId, oplogTs, oplogInc, pointInTimeUTCMillis, delivery } = body;
  const { methodName, targetClusterId, targetClusterName, targetGroupId } = delivery;
  return {
    methodName,
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(checkpointId === undefined ? {} : { checkpointId }),
    ...(oplogTs === undefined ? {} : { oplogTs }),
    ...(oplogInc === undefined ? {} : { oplogInc }),
    ...(pointInTimeUTCMillis === undefined ? {} : { pointInTimeUtcMillis: pointInTimeUTCMillis }),
    ...(targetClusterId === undefined ? {} : { targetClusterId }),
    ...(targetClusterName === undefined ? {} : { targetClusterName }),
    ...(targetGroupId === undefined ? {} : { targetProjectId: targetGroupId }),
  };
}

const settingNames = [
  'dailySnapshotRetentionDays',
  'monthlySnapshotRetentionMonths',
  'pointInTimeWindowHours',
  'snapshotIntervalHours',
  'snapshotRetentionDays',
  'weeklySnapshotRetentionWeeks',
] as const;

/** Those that were sent; read-only fields that clients echo are left behind. */
function settingsOf(body: ScheduleBody): Partial<LegacyScheduleSettings> {
  const changes: Partial<LegacyScheduleSettings> = {};
  for (const name of settingNames) {
    const value = body[name];
    if (value !== undefined) changes[name] = value;
  }
  return changes;
}
