import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { CheckpointScheduleRow } from './schema.ts';

export async function findCheckpointSchedule(
  reader: CatalogReader,
  clusterId: string,
): Promise<CheckpointScheduleRow | undefined> {
  return await reader
    .selectFrom('checkpointSchedules')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .executeTakeFirst();
}

export async function allCheckpointSchedules(reader: CatalogReader): Promise<CheckpointScheduleRow[]> {
  return await reader.selectFrom('checkpointSchedules').selectAll().orderBy('clusterId').execute();
}

/** The row as it now is, whatever it was. */
export async function writeCheckpointSchedule(writer: CatalogWriter, schedule: CheckpointScheduleRow): Promise<void> {
  const { clusterId: _, ...changes } = schedule;
  await writer
    .insertInto('checkpointSchedules')
    .values(schedule)
    .onConflict((conflict) => conflict.column('clusterId').doUpdateSet(changes))
    .execute();
}

export async function eraseCheckpointSchedule(writer: CatalogWriter, clusterId: string): Promise<void> {
  await writer.deleteFrom('checkpointSchedules').where('clusterId', '=', clusterId).execute();
}

/** Moves on what has been served. False when another process has done so meanwhile: what is due now is its to make. */
export async function advanceCheckpointsServed(
  writer: CatalogWriter,
  clusterId: string,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<boolean> {
  const result = await writer
    .updateTable('checkpointSchedules')
    .set({ servedUntilMs: toMs })
    .where('clusterId', '=', clusterId)
    .where('servedUntilMs', '=', fromMs)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
