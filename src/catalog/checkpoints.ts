import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { CheckpointPartRow, CheckpointRow } from './schema.ts';

/** A checkpoint with its parts, in order. */
export type CheckpointRecord = CheckpointRow & { parts: CheckpointPartRow[] };

export async function insertCheckpoint(
  writer: CatalogWriter,
  checkpoint: CheckpointRow,
  parts: readonly CheckpointPartRow[],
): Promise<void> {
  await writer.insertInto('checkpoints').values(checkpoint).execute();
  if (parts.length > 0)
    await writer
      .insertInto('checkpointParts')
      .values([...parts])
      .execute();
}

/** Newest first. */
export async function listCheckpoints(
  reader: CatalogReader,
  query: { clusterId: string; page: PageRequest },
): Promise<Page<CheckpointRecord>> {
  const filtered = reader.selectFrom('checkpoints').where('clusterId', '=', query.clusterId);
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
