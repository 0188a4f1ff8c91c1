import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { DownloadRow, DownloadTable } from './schema.ts';

export async function insertDownload(writer: CatalogWriter, download: DownloadRow): Promise<void> {
  await writer.insertInto('downloads').values(download).execute();
}

export async function updateDownload(
  writer: CatalogWriter,
  id: string,
  changes: Pick<Updateable<DownloadTable>, 'servedBytes' | 'deliveredAtMs'>,
): Promise<void> {
  await writer.updateTable('downloads').set(changes).where('id', '=', id).execute();
}

export async function findDownload(reader: CatalogReader, id: string): Promise<DownloadRow | undefined> {
  return await reader.selectFrom('downloads').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Of each job its files in order. */
export async function downloadsOfJobs(reader: CatalogReader, restoreJobIds: readonly string[]): Promise<DownloadRow[]> {
  if (restoreJobIds.length === 0) return [];
  return await reader
    .selectFrom('downloads')
    .selectAll()
    .where('restoreJobId', 'in', restoreJobIds)
    .orderBy('restoreJobId')
    .orderBy('position')
    .execute();
}
