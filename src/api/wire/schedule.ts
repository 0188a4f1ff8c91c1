import type { ShapeOf } from '../../../contract/primitives.ts';
import type { Schedule, Schedule20240805 } from '../../../contract/schedules.ts';
import type { Schedule as DomainSchedule } from '../../domain/policies/schedule.ts';
import { type LinkBuilder, relation } from '../links.ts';
import { replicationSpecIdOf } from './cluster-parts.ts';
import { timeIfKnown } from './times.ts';

/** A schedule on the wire. Orders of a change (`updateSnapshots` and their like) are never in it. */
function fieldsOf(schedule: DomainSchedule, links: LinkBuilder) {
  const { projectId, clusterName } = schedule;
  return {
    autoExportEnabled: schedule.autoExportEnabled,
    clusterId: schedule.clusterId,
    clusterName,
    copyPolicyItemsEnabled: schedule.copyPolicyItemsEnabled,
    ...(schedule.export === null ? {} : { export: schedule.export }),
    ...(schedule.extraRetention.length === 0 ? {} : { extraRetentionSettings: schedule.extraRetention }),
    links: [
      links.self(`/groups/${projectId}/clusters/${clusterName}/backup/schedule`),
      links.at(`/api/public/v1.0/groups/${projectId}`, relation('group')),
    ],
    ...timeIfKnown('nextSnapshot', schedule.nextSnapshotMs),
    policies: [{ id: schedule.policyId, policyItems: schedule.items }],
    referenceHourOfDay: schedule.referenceHour,
    referenceMinuteOfHour: schedule.referenceMinute,
    restoreWindowDays: schedule.restoreWindowDays,
    useOrgAndGroupNamesInExportPrefix: schedule.namesInExportPrefix,
  };
}

/** What is copied is said in one of three ways, and only in that one. */
function copySettingFields(setting: DomainSchedule['copySettings'][number], copyPolicyItemsEnabled: boolean) {
  const { cloudProvider, regionName, shouldCopyOplogs, frequencies, copyPolicyItems, lastNumberOfSnapshots } = setting;
  return {
    cloudProvider,
    regionName,
    shouldCopyOplogs,
    ...(lastNumberOfSnapshots !== null
      ? { lastNumberOfSnapshots }
      : copyPolicyItemsEnabled
        ? { copyPolicyItems }
        : { frequencies }),
  };
}

export function scheduleBody(schedule: DomainSchedule, links: LinkBuilder): ShapeOf<typeof Schedule> {
  return {
    ...fieldsOf(schedule, links),
    copySettings: schedule.copySettings.map((setting) => ({
      ...copySettingFields(setting, schedule.copyPolicyItemsEnabled),
      replicationSpecId: replicationSpecIdOf(schedule.clusterId),
    })),
  };
}

export function scheduleBody20240805(schedule: DomainSchedule, links: LinkBuilder): ShapeOf<typeof Schedule20240805> {
  return {
    ...fieldsOf(schedule, links),
    autoCopySettingsEnabled: schedule.autoCopySettingsEnabled,
    copySettings: schedule.copySettings.map((setting) => ({
      ...copySettingFields(setting, schedule.copyPolicyItemsEnabled),
      zoneId: setting.zoneId,
    })),
  };
}
