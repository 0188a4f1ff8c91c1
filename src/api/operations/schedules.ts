import type { scheduleOperations } from '../../../contract/schedules.ts';
import type { Domain } from '../../domain/domain.ts';
import type { Schedule, SchedulePatch } from '../../domain/policies/schedule.ts';
import type { Call, HandlersOf } from '../call.ts';
import { invalid } from '../http-refusals.ts';
import type { LinkBuilder } from '../links.ts';
import { clusterOf } from '../listing.ts';
import { replicationSpecIdOf, shardSpecIdOf, zoneIdOf } from '../wire/cluster-parts.ts';
import { scheduleBody, scheduleBody20240805 } from '../wire/schedule.ts';

export const scheduleHandlers: HandlersOf<typeof scheduleOperations> = {
  async getGroupClusterBackupSchedule({ params, version, domain, links }) {
    return inVersion(version, await domain.schedules.get(clusterOf(params)), links);
  },

  async updateGroupClusterBackupSchedule({ params, body, version, domain, links }) {
    const cluster = clusterOf(params);
    const patch = patchOf(body, await copySettingsIn(domain, cluster, body));
    return inVersion(version, await domain.schedules.update({ ...cluster, patch }), links);
  },

  async deleteGroupClusterBackupSchedule({ params, version, domain, links }) {
    return inVersion(version, await domain.schedules.delete(clusterOf(params)), links);
  },
};

function inVersion(version: '2023-01-01' | '2024-08-05', schedule: Schedule, links: LinkBuilder): object {
  return version === '2023-01-01' ? scheduleBody(schedule, links) : scheduleBody20240805(schedule, links);
}

type Body = Call<(typeof scheduleOperations)['updateGroupClusterBackupSchedule']>['body'];

function patchOf(body: Body, copySettings: SchedulePatch['copySettings']): SchedulePatch {
  return {
    policies: body.policies?.map(({ id, policyItems = [] }) => ({
      id: id === '' ? undefined : id,
      policyItems: policyItems.map((item) => ({ ...item, id: item.id === '' ? undefined : item.id })),
    })),
    referenceHour: body.referenceHourOfDay,
    referenceMinute: body.referenceMinuteOfHour,
    restoreWindowDays: body.restoreWindowDays,
    autoExportEnabled: body.autoExportEnabled,
    export: body.export,
    namesInExportPrefix: body.useOrgAndGroupNamesInExportPrefix,
    copyPolicyItemsEnabled: body.copyPolicyItemsEnabled,
    autoCopySettingsEnabled: 'autoCopySettingsEnabled' in body ? body.autoCopySettingsEnabled : undefined,
    copySettings,
    extraRetention: body.extraRetentionSettings,
    updateSnapshots: body.updateSnapshots,
    deleteSnapshots: body.deleteSnapshots,
    updateCopySnapshots: body.updateCopySnapshots,
    deleteCopySnapshots: body.deleteCopySnapshots,
    deleteCopiedBackups: body.deleteCopiedBackups,
  };
}

/**
 * A replica set has one zone. Clients name it by its own id or by its replication spec's, each as the version they
 * speak shows it.
 */
async function copySettingsIn(
  domain: Domain,
  cluster: { projectId: string; clusterName: string },
  body: Body,
): Promise<SchedulePatch['copySettings']> {
  if (body.copySettings === undefined) return undefined;
  if (body.copySettings.length === 0) return [];
  const { clusterId } = await domain.schedules.get(cluster);
  const known = [zoneIdOf(clusterId), replicationSpecIdOf(clusterId), shardSpecIdOf(clusterId)];
  return body.copySettings.map((setting, index) => {
    const given = { zoneId: undefined, replicationSpecId: undefined, ...setting };
    const name = given.zoneId ?? given.replicationSpecId;
    if (name === undefined) return { ...setting, zoneId: undefined };
    if (known.includes(name)) return { ...setting, zoneId: zoneIdOf(clusterId) };
    const field = given.zoneId === undefined ? 'replicationSpecId' : 'zoneId';
    throw invalid([{ field: `copySettings.${index}.${field}`, description: 'names no zone of the cluster' }]);
  });
}
