import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { ExportJobComponentRow, ExportJobRow } from './schema.ts';

/** An export job as a list shows it: the row, its labels decoded, its components in order. */
export type ExportJobRecord = Omit<ExportJobRow, 'customData'> & {
  customData: { key: string; value: string }[];
  components: { exportId: string; replicaSetName: string }[];
};

export async function insertExportJob(
  writer: CatalogWriter,
  job: ExportJobRow,
  components: readonly ExportJobComponentRow[] = [],
): Promise<void> {
  await writer.insertInto('exportJobs').values(job).execute();
  if (components.length > 0)
    await writer
      .insertInto('exportJobComponents')
      .values([...components])
      .execute();
}

/** Newest first. */
export async function listExportJobs(
  reader: CatalogReader,
  query: { clusterId: string; page: PageRequest },
): Promise<Page<ExportJobRecord>> {
  const filtered = reader.selectFrom('exportJobs').where('clusterId', '=', query.clusterId);
  const page = await readPage(query.page, filtered, (rows) =>
    rows.selectAll().orderBy('createdAtMs', 'desc').orderBy('id', 'desc'),
  );
  const components = await componentsOf(
    reader,
    page.items.map((job) => job.id),
  );
  return {
    ...page,
    items: page.items.map((job) => ({
      ...job,
      customData: JSON.parse(job.customData) as ExportJobRecord['customData'],
      components: (components.get(job.id) ?? []).map(({ exportId, replicaSetName }) => ({ exportId, replicaSetName })),
    })),
  };
}

async function componentsOf(
  reader: CatalogReader,
  jobIds: readonly string[],
): Promise<Map<string, ExportJobComponentRow[]>> {
  if (jobIds.length === 0) return new Map();
  const rows = await reader
    .selectFrom('exportJobComponents')
    .selectAll()
    .where('exportJobId', 'in', jobIds)
    .orderBy('exportJobId')
    .orderBy('position')
    .execute();
  return Map.groupBy(rows, (row) => row.exportJobId);
}
