import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import {
  copySettingsOf,
  findSchedule,
  insertSchedule,
  policyItemsOf,
  replacePolicyItems,
} from '../../catalog/schedules.ts';
import type { ClusterRow, CopySettingRow, PolicyItemRow, ScheduleRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import type { ExtraRetention } from './compliance-rules.ts';
import { raisedSchedule } from './compliance-rules.ts';
import { nextDueMs } from './due-times.ts';
import { requirementsOf } from './enforcement.ts';
import type { CopyFrequency, CopyPolicyItem, CopySetting, Schedule } from './schedule.ts';
import { defaultItems, type PolicyItem, RESTORE_WINDOW_DAYS_DEFAULT } from './schedule-rules.ts';

/** A schedule as the catalog has it, decoded. */
export interface StoredSchedule {
  row: ScheduleRow;
  items: PolicyItem[];
  copySettings: CopySetting[];
  extraRetention: ExtraRetention[];
}

/** The schedule of a cluster, which gets one the first time. */
export async function scheduleOf(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock'>,
  cluster: ClusterRow,
): Promise<StoredSchedule> {
  return (await findStoredSchedule(writer, cluster.id)) ?? (await beginSchedule(writer, context, cluster));
}

export async function findStoredSchedule(
  reader: CatalogReader,
  clusterId: string,
): Promise<StoredSchedule | undefined> {
  const row = await findSchedule(reader, clusterId);
  if (row === undefined) return undefined;
  return {
    row,
    items: (await policyItemsOf(reader, clusterId)).map(itemOf),
    copySettings: (await copySettingsOf(reader, clusterId)).map(copySettingOf),
    extraRetention: JSON.parse(row.extraRetentionSettings) as ExtraRetention[],
  };
}

/**
 * What a new cluster starts with, raised to what the project requires. Its grids are anchored at the minute in which
 * that happens.
 */
async function beginSchedule(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock'>,
  cluster: ClusterRow,
): Promise<StoredSchedule> {
  const nowMs = context.clock.nowMs();
  const now = new Date(nowMs);
  const policyId = context.ids.next();
  const start = {
    items: defaultItems.map((item) => ({ ...item, id: context.ids.next() })),
    restoreWindowDays: RESTORE_WINDOW_DAYS_DEFAULT,
  };
  const required = await requirementsOf(writer, cluster.projectId);
  const { items, restoreWindowDays } =
    required === null ? start : raisedSchedule(start, required, () => context.ids.next());
  const row: ScheduleRow = {
    clusterId: cluster.id,
    policyId,
    referenceHour: now.getUTCHours(),
    referenceMinute: now.getUTCMinutes(),
    restoreWindowDays,
    autoExportEnabled: 0,
    exportBucketId: null,
    exportFrequencyType: null,
    namesInExportPrefix: 0,
    copyPolicyItemsEnabled: 0,
    autoCopySettingsEnabled: 0,
    extraRetentionSettings: '[]',
    servedUntilMs: nowMs,
    updatedAtMs: nowMs,
  };
  await insertSchedule(writer, row);
  await replacePolicyItems(writer, cluster.id, itemRows(cluster.id, items));
  return { row, items, copySettings: [], extraRetention: [] };
}

export function itemRows(clusterId: string, items: readonly PolicyItem[]): PolicyItemRow[] {
  return items.map((item, position) => ({ ...item, clusterId, position }));
}

function itemOf({ clusterId: _cluster, position: _position, ...item }: PolicyItemRow): PolicyItem {
  return item;
}

export function copySettingOf(row: CopySettingRow): CopySetting {
  const { clusterId: _cluster, position: _position, ...shown } = row;
  return {
    ...shown,
    shouldCopyOplogs: row.shouldCopyOplogs === 1,
    frequencies: JSON.parse(row.frequencies) as CopyFrequency[],
    copyPolicyItems: JSON.parse(row.copyPolicyItems) as CopyPolicyItem[],
  };
}

export function copySettingRows(clusterId: string, settings: readonly CopySetting[]): CopySettingRow[] {
  return settings.map((setting, position) => ({
    ...setting,
    clusterId,
    position,
    shouldCopyOplogs: setting.shouldCopyOplogs ? 1 : 0,
    frequencies: JSON.stringify(setting.frequencies),
    copyPolicyItems: JSON.stringify(setting.copyPolicyItems),
  }));
}

export function referenceOf(row: ScheduleRow): { hour: number; minute: number } {
  return { hour: row.referenceHour, minute: row.referenceMinute };
}

export function scheduleView(cluster: ClusterRow, stored: StoredSchedule, nowMs: number): Schedule {
  const { row, items, copySettings, extraRetention } = stored;
  return {
    projectId: cluster.projectId,
    clusterId: cluster.id,
    clusterName: cluster.name,
    policyId: row.policyId,
    items,
    referenceHour: row.referenceHour,
    referenceMinute: row.referenceMinute,
    restoreWindowDays: row.restoreWindowDays,
    nextSnapshotMs: cluster.paused === 1 ? null : nextDueMs(items, referenceOf(row), nowMs),
    autoExportEnabled: row.autoExportEnabled === 1,
    export:
      row.exportBucketId === null || row.exportFrequencyType === null
        ? null
        : { exportBucketId: row.exportBucketId, frequencyType: row.exportFrequencyType },
    namesInExportPrefix: row.namesInExportPrefix === 1,
    copyPolicyItemsEnabled: row.copyPolicyItemsEnabled === 1,
    autoCopySettingsEnabled: row.autoCopySettingsEnabled === 1,
    copySettings,
    extraRetention,
  };
}
