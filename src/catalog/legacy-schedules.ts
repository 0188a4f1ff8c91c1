import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { LegacyScheduleRow } from './schema.ts';

export async function findLegacySchedule(
  reader: CatalogReader,
  clusterId: string,
): Promise<LegacyScheduleRow | undefined> {
  return await reader.selectFrom('legacySchedules').selectAll().where('clusterId', '=', clusterId).executeTakeFirst();
}

export async function allLegacySchedules(reader: CatalogReader): Promise<LegacyScheduleRow[]> {
  return await reader.selectFrom('legacySchedules').selectAll().orderBy('clusterId').execute();
}

export async function writeLegacySchedule(writer: CatalogWriter, schedule: LegacyScheduleRow): Promise<void> {
  const { clusterId: _key, ...changes } = schedule;
  await writer
    .insertInto('legacySchedules')
    .values(schedule)
    .onConflict((conflict) => conflict.column('clusterId').doUpdateSet(changes))
    .execute();
}
