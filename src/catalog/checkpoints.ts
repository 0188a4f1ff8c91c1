import type { Insertable, Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { CheckpointPartRow, CheckpointRow, CheckpointTable } from './schema.ts';

/** A checkpoint with its parts, in order. */
export type CheckpointRecord = CheckpointRow & { parts: CheckpointPartRow[] };

export async function insertCheckpoint(
  writer: CatalogWriter,
  checkpoint: Insertable<CheckpointTable>,
  parts: readonly CheckpointPartRow[],
): Promise<void> {
  await writer.insertInto('checkpoints').values(checkpoint).execute();
  await insertParts(writer, parts);
}

async function insertParts(writer: CatalogWriter, parts: readonly CheckpointPartRow[]): Promise<void> {
  if (parts.length > 0)
    await writer
      .insertInto('checkpointParts')
      .values([...parts])
      .execute();
}

export async function updateCheckpoint(
  writer: CatalogWriter,
  id: string,
  changes: Omit<Updateable<CheckpointTable>, 'id' | 'clusterId'>,
): Promise<void> {
  await writer.updateTable('checkpoints').set(changes).where('id', '=', id).execute();
}

/** The parts as they now are. */
export async function replaceCheckpointParts(
  writer: CatalogWriter,
  checkpointId: string,
  parts: readonly CheckpointPartRow[],
): Promise<void> {
  await writer.deleteFrom('checkpointParts').where('checkpointId', '=', checkpointId).execute();
  await insertParts(writer, parts);
}

export async function deleteCheckpoint(writer: CatalogWriter, checkpointId: string): Promise<void> {
  await writer.deleteFrom('checkpointParts').where('checkpointId', '=', checkpointId).execute();
  await writer.deleteFrom('checkpoints').where('id', '=', checkpointId).execute();
}

/** Those that have ended and began before that time, oldest first. */
export async function checkpointsEndedBefore(
  reader: CatalogReader,
  query: { clusterId: string; startedBeforeMs: number },
): Promise<CheckpointRow[]> {
  return await reader
    .selectFrom('checkpoints')
    .selectAll()
    .where('clusterId', '=', query.clusterId)
    .where('startedAtMs', '<', query.startedBeforeMs)
    .where('state', 'in', ['completed', 'failed'])
    .orderBy('startedAtMs')
    .execute();
}

export async function restorableCheckpoints(reader: CatalogReader, clusterId: string): Promise<CheckpointRecord[]> {
  const rows = await reader
    .selectFrom('checkpoints')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .where('restorable', '=', 1)
    .orderBy('startedAtMs')
    .execute();
  return await withParts(reader, rows);
}

/** Newest first. One that waits for its turn has not begun: it is no checkpoint yet. */
export async function listCheckpoints(
  reader: CatalogReader,
  query: { clusterId: string; page: PageRequest },
): Promise<Page<CheckpointRecord>> {
  const filtered = reader
    .selectFrom('checkpoints')
    .where('clusterId', '=', query.clusterId)
    .where('state', '!=', 'queued');
  const page = await readPage(query.page, filtered, (rows) =>
    rows.selectAll().orderBy('startedAtMs', 'desc').orderBy('id', 'desc'),
  );
  return { ...page, items: await withParts(reader, page.items) };
}

export async function findCheckpoint(reader: CatalogReader, id: string): Promise<CheckpointRecord | undefined> {
  const row = await reader.selectFrom('checkpoints').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : (await withParts(reader, [row]))[0];
}

async function withParts(reader: CatalogReader, rows: readonly CheckpointRow[]): Promise<CheckpointRecord[]> {
  const parts = await partsOf(
    reader,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({ ...row, parts: parts.get(row.id) ?? [] }));
}

async function partsOf(
  reader: CatalogReader,
  checkpointIds: readonly string[],
): Promise<Map<string, CheckpointPartRow[]>> {
  if (checkpointIds.length === 0) return new Map();
  const rows = await reader
    .selectFrom('checkpointParts')
    .selectAll()
    .where('checkpointId', 'in', checkpointIds)
    .orderBy('checkpointId')
    .orderBy('position')
    .execute();
  return Map.groupBy(rows, (row) => row.checkpointId);
}

/** The newest of those that have ended, oldest first: what a rebuild brings back. */
export async function endedCheckpoints(reader: CatalogReader, rowsMax: number): Promise<CheckpointRecord[]> {
  const ended = reader.selectFrom('checkpoints').where('state', 'in', ['completed', 'failed']);
  const newest = ended.orderBy('startedAtMs', 'desc').orderBy('id', 'desc').limit(rowsMax);
  return await withParts(reader, (await newest.selectAll().execute()).toReversed());
}
