import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { CopySettingRow, PolicyItemRow, ScheduleRow, ScheduleTable } from './schema.ts';

export async function insertSchedule(writer: CatalogWriter, schedule: ScheduleRow): Promise<void> {
  await writer.insertInto('schedules').values(schedule).execute();
}

export async function updateSchedule(
  writer: CatalogWriter,
  clusterId: string,
  changes: Omit<Updateable<ScheduleTable>, 'clusterId' | 'policyId'>,
): Promise<void> {
  await writer.updateTable('schedules').set(changes).where('clusterId', '=', clusterId).execute();
}

/** Moves on what has been served. False when another process has done so meanwhile: what is due now is its to take. */
export async function advanceServed(
  writer: CatalogWriter,
  clusterId: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<boolean> {
  const result = await writer
    .updateTable('schedules')
    .set({ servedUntilMs: toMs })
    .where('clusterId', '=', clusterId)
    .where('servedUntilMs', '=', fromMs)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

export async function findSchedule(reader: CatalogReader, clusterId: string): Promise<ScheduleRow | undefined> {
  return await reader.selectFrom('schedules').selectAll().where('clusterId', '=', clusterId).executeTakeFirst();
}

/** Schedules of clusters that are registered, backed up and not paused. */
export async function runningSchedules(reader: CatalogReader): Promise<ScheduleRow[]> {
  return await reader
    .selectFrom('schedules')
    .innerJoin('clusters', 'clusters.id', 'schedules.clusterId')
    .selectAll('schedules')
    .where('clusters.deletedAtMs', 'is', null)
    .where('clusters.backupEnabled', '=', 1)
    .where('clusters.paused', '=', 0)
    .orderBy('schedules.clusterId')
    .execute();
}

/** Ids of registered clusters that have no schedule. */
export async function clustersWithoutSchedule(reader: CatalogReader): Promise<string[]> {
  const rows = await reader
    .selectFrom('clusters')
    .select('id')
    .where('deletedAtMs', 'is', null)
    .where((e) =>
      e.not(
        e.exists(
          e.selectFrom('schedules').select('schedules.clusterId').whereRef('schedules.clusterId', '=', 'clusters.id'),
        ),
      ),
    )
    .execute();
  return rows.map((row) => row.id);
}

export async function policyItemsOf(reader: CatalogReader, clusterId: string): Promise<PolicyItemRow[]> {
  return await reader
    .selectFrom('policyItems')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .orderBy('position')
    .execute();
}

export async function replacePolicyItems(
  writer: CatalogWriter,
  clusterId: string,
  items: readonly PolicyItemRow[],
): Promise<void> {
  await writer.deleteFrom('policyItems').where('clusterId', '=', clusterId).execute();
  if (items.length > 0)
    await writer
      .insertInto('policyItems')
      .values([...items])
      .execute();
}

export async function copySettingsOf(reader: CatalogReader, clusterId: string): Promise<CopySettingRow[]> {
  return await reader
    .selectFrom('copySettings')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .orderBy('position')
    .execute();
}

/** Ids of registered clusters with a copy setting that says `shouldCopyOplogs`. */
export async function clustersThatCopyOplogs(reader: CatalogReader): Promise<string[]> {
  const rows = await reader
    .selectFrom('copySettings')
    .innerJoin('clusters', 'clusters.id', 'copySettings.clusterId')
    .select('copySettings.clusterId')
    .distinct()
    .where('copySettings.shouldCopyOplogs', '=', 1)
    .where('clusters.deletedAtMs', 'is', null)
    .orderBy('copySettings.clusterId')
    .execute();
  return rows.map((row) => row.clusterId);
}

export async function replaceCopySettings(
  writer: CatalogWriter,
  clusterId: string,
  settings: readonly CopySettingRow[],
): Promise<void> {
  await writer.deleteFrom('copySettings').where('clusterId', '=', clusterId).execute();
  if (settings.length > 0)
    await writer
      .insertInto('copySettings')
      .values([...settings])
      .execute();
}

export async function allSchedules(reader: CatalogReader): Promise<ScheduleRow[]> {
  return await reader.selectFrom('schedules').selectAll().orderBy('clusterId').execute();
}

export async function allPolicyItems(reader: CatalogReader): Promise<PolicyItemRow[]> {
  return await reader.selectFrom('policyItems').selectAll().orderBy('clusterId').orderBy('position').execute();
}

export async function allCopySettings(reader: CatalogReader): Promise<CopySettingRow[]> {
  return await reader.selectFrom('copySettings').selectAll().orderBy('clusterId').orderBy('position').execute();
}
