import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findExportBucket } from '../../catalog/export-buckets.ts';
import { replaceCopySettings, replacePolicyItems, updateSchedule } from '../../catalog/schedules.ts';
import type { ClusterRow, Flag, ScheduleRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import type { ExtraRetention } from '../policies/compliance-rules.ts';
import * as copyRules from '../policies/copy-rules.ts';
import { requireCompliantSchedule, requirementsOf } from '../policies/enforcement.ts';
import type { CopySetting, SchedulePatch } from '../policies/schedule.ts';
import { checkReferenceTime, checkRestoreWindow, itemsOfPolicy, replaceItems } from '../policies/schedule-rules.ts';
import { copySettingRows, itemRows, type StoredSchedule } from '../policies/stored-schedule.ts';
import { refuse } from '../refusals/refusals.ts';
import { changeCopies } from './earlier-copies.ts';
import { applyExtraRetention, applyRetention, deleteOfItems } from './earlier-snapshots.ts';

type Context = Pick<DomainContext, 'ids' | 'clock'>;

/**
 * Applies a patch whole or refuses it whole. Gives the schedule as it is then. What was due until now is to be served
 * before.
 */
export async function changeSchedule(
  writer: CatalogWriter,
  context: Context,
  change: { cluster: ClusterRow; stored: StoredSchedule; patch: SchedulePatch; regions: readonly string[] },
): Promise<StoredSchedule> {
  const { cluster, stored, patch } = change;
  const requested = patch.policies === undefined ? undefined : itemsOfPolicy(patch.policies, stored.row.policyId);
  const nextId = () => context.ids.next();
  const items = requested === undefined ? stored.items : replaceItems(stored.items, requested, nextId);
  const row = await changedRow(writer, context, change);
  checkRestoreWindow(row.restoreWindowDays, { items, pitEnabled: cluster.pitEnabled === 1 });
  const copySettings = changedCopySettings(change, row, nextId);
  const extraRetention = await changedExtraRetention(writer, cluster, stored, patch);
  row.extraRetentionSettings = JSON.stringify(extraRetention);
  await requireCompliantSchedule(writer, cluster.projectId, { items, restoreWindowDays: row.restoreWindowDays });

  const { clusterId, policyId: _policy, ...columns } = row;
  await updateSchedule(writer, clusterId, columns);
  await replacePolicyItems(writer, clusterId, itemRows(clusterId, items));
  await replaceCopySettings(writer, clusterId, copySettingRows(clusterId, copySettings));
  await applyExtraRetention(writer, context, cluster, { before: stored.extraRetention, after: extraRetention });
  if (patch.updateSnapshots === true && requested !== undefined) {
    const updatedIds = new Set(requested.flatMap((item) => item.id ?? []));
    await applyRetention(writer, context, cluster, { updatedIds, items, extraRetention });
  }
  if (patch.deleteSnapshots === true) {
    const kept = new Set(items.map((item) => item.id));
    const removed = stored.items.filter((item) => !kept.has(item.id));
    await deleteOfItems(writer, context, cluster, new Set(removed.map((item) => item.id)));
  }
  const after = { row, items, copySettings, extraRetention };
  await changeCopies(writer, context, { cluster, before: stored.copySettings, stored: after, patch });
  return after;
}

async function changedRow(
  writer: CatalogWriter,
  context: Context,
  { cluster, stored, patch }: { cluster: ClusterRow; stored: StoredSchedule; patch: SchedulePatch },
): Promise<ScheduleRow> {
  const { row } = stored;
  checkReferenceTime(patch.referenceHour, patch.referenceMinute);
  // In Atlas copy settings then follow a cluster that moves to another region. Clusters have none here, so it would be
  // a promise that nothing keeps.
  if (patch.autoCopySettingsEnabled === true)
    throw refuse('FEATURE_UNSUPPORTED', ['autoCopySettingsEnabled: clusters have no region that copies could follow']);
  const nowMs = context.clock.nowMs();
  return {
    ...row,
    referenceHour: patch.referenceHour ?? row.referenceHour,
    referenceMinute: patch.referenceMinute ?? row.referenceMinute,
    restoreWindowDays: patch.restoreWindowDays ?? row.restoreWindowDays,
    ...(await changedExport(writer, cluster, row, patch)),
    namesInExportPrefix: flag(patch.namesInExportPrefix, row.namesInExportPrefix),
    copyPolicyItemsEnabled: flag(patch.copyPolicyItemsEnabled, row.copyPolicyItemsEnabled),
    autoCopySettingsEnabled: flag(patch.autoCopySettingsEnabled, row.autoCopySettingsEnabled),
    servedUntilMs: Math.max(nowMs, row.servedUntilMs),
    updatedAtMs: nowMs,
  };
}

function flag(wanted: boolean | undefined, current: Flag): Flag {
  return wanted === undefined ? current : wanted ? 1 : 0;
}

const EXPORT_FREQUENCIES = ['daily', 'weekly', 'monthly', 'yearly'];

/**
 * A bucket and a frequency are given together, to a bucket of the project, and only while export is on. Switching it
 * off forgets them.
 */
async function changedExport(
  writer: CatalogWriter,
  cluster: ClusterRow,
  row: ScheduleRow,
  patch: SchedulePatch,
): Promise<Pick<ScheduleRow, 'autoExportEnabled' | 'exportBucketId' | 'exportFrequencyType'>> {
  const enabled = patch.autoExportEnabled ?? row.autoExportEnabled === 1;
  if (!enabled) {
    if (patch.export !== undefined && Object.keys(patch.export).length > 0 && patch.autoExportEnabled !== false)
      throw invalidExport('needs autoExportEnabled');
    return { autoExportEnabled: 0, exportBucketId: null, exportFrequencyType: null };
  }
  const exportBucketId = patch.export?.exportBucketId ?? row.exportBucketId;
  const exportFrequencyType = patch.export?.frequencyType ?? row.exportFrequencyType;
  if (exportBucketId === null || exportFrequencyType === null)
    throw invalidExport('must name exportBucketId and frequencyType');
  if (!EXPORT_FREQUENCIES.includes(exportFrequencyType))
    throw invalidExport(`has a frequencyType that is none of ${EXPORT_FREQUENCIES.join(', ')}`);
  const bucket = await findExportBucket(writer, exportBucketId);
  if (bucket === undefined || bucket.projectId !== cluster.projectId || bucket.deletedAtMs !== null)
    throw invalidExport(`names bucket ${exportBucketId}, which the project does not have`);
  return { autoExportEnabled: 1, exportBucketId, exportFrequencyType };
}

function invalidExport(description: string) {
  return refuse('VALIDATION_ERROR', [`export ${description}`], [{ field: 'export', description }]);
}

function changedCopySettings(
  {
    cluster,
    stored,
    patch,
    regions,
  }: { cluster: ClusterRow; stored: StoredSchedule; patch: SchedulePatch; regions: readonly string[] },
  row: ScheduleRow,
  nextId: () => string,
): CopySetting[] {
  const copyPolicyItemsEnabled = row.copyPolicyItemsEnabled === 1;
  if (patch.copySettings !== undefined) {
    const terms = { copyPolicyItemsEnabled, pitEnabled: cluster.pitEnabled === 1, regions, nextId };
    return copyRules.replaceCopySettings(stored.copySettings, patch.copySettings, terms);
  }
  if (row.copyPolicyItemsEnabled !== stored.row.copyPolicyItemsEnabled && stored.copySettings.length > 0) {
    const description = 'must be sent with copyPolicyItemsEnabled, in its new form';
    throw refuse('VALIDATION_ERROR', [`copySettings ${description}`], [{ field: 'copySettings', description }]);
  }
  return stored.copySettings;
}

/** They are days beyond those that a policy protects: without one they would mean nothing. */
async function changedExtraRetention(
  writer: CatalogWriter,
  cluster: ClusterRow,
  stored: StoredSchedule,
  patch: SchedulePatch,
): Promise<ExtraRetention[]> {
  const wanted = patch.extraRetention;
  if (wanted === undefined) return stored.extraRetention;
  const invalid = (description: string) =>
    refuse(
      'VALIDATION_ERROR',
      [`extraRetentionSettings ${description}`],
      [{ field: 'extraRetentionSettings', description }],
    );
  if (wanted.length > 0 && (await requirementsOf(writer, cluster.projectId)) === null)
    throw invalid('needs a backup compliance policy');
  if (new Set(wanted.map((setting) => setting.frequencyType)).size < wanted.length)
    throw invalid('names a frequency twice');
  if (
    wanted.some(({ retentionDays }) => !Number.isInteger(retentionDays) || retentionDays < 0 || retentionDays > 36_500)
  )
    throw invalid('has a retentionDays that is not a number of days');
  return wanted.map(({ frequencyType, retentionDays }) => ({ frequencyType, retentionDays }));
}
