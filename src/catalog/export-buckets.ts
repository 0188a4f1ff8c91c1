import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { CloudProvider, ExportBucketRow } from './schema.ts';

export async function insertExportBucket(writer: CatalogWriter, bucket: ExportBucketRow): Promise<void> {
  await writer.insertInto('exportBuckets').values(bucket).execute();
}

/** Those not deleted, newest first. */
export async function listExportBuckets(
  reader: CatalogReader,
  query: { projectId: string; cloudProvider?: CloudProvider | undefined; page: PageRequest },
): Promise<Page<ExportBucketRow>> {
  let filtered = reader
    .selectFrom('exportBuckets')
    .where('projectId', '=', query.projectId)
    .where('deletedAtMs', 'is', null);
  if (query.cloudProvider !== undefined) filtered = filtered.where('cloudProvider', '=', query.cloudProvider);
  return await readPage(query.page, filtered, (rows) =>
    rows.selectAll().orderBy('createdAtMs', 'desc').orderBy('id', 'desc'),
  );
}

export async function allExportBuckets(reader: CatalogReader): Promise<ExportBucketRow[]> {
  return await reader.selectFrom('exportBuckets').selectAll().orderBy('id').execute();
}
