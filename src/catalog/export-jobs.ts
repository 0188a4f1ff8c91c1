import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { ExportJobComponentRow, ExportJobRow, ExportJobTable } from './schema.ts';

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
  if (components.length > 0) await insertExportComponents(writer, components);
}

export async function insertExportComponents(
  writer: CatalogWriter,
  components: readonly ExportJobComponentRow[],
): Promise<void> {
  await writer
    .insertInto('exportJobComponents')
    .values([...components])
    .execute();
}

export async function updateExportJob(
  writer: CatalogWriter,
  id: string,
  changes: Pick<
    Updateable<ExportJobTable>,
    'state' | 'exportedCollections' | 'totalCollections' | 'finishedAtMs' | 'errorCode' | 'errorMessage' | 'leftOut'
  >,
): Promise<void> {
  await writer.updateTable('exportJobs').set(changes).where('id', '=', id).execute();
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
  return { ...page, items: await decoded(reader, page.items) };
}

export async function findExportJob(reader: CatalogReader, id: string): Promise<ExportJobRecord | undefined> {
  const job = await reader.selectFrom('exportJobs').selectAll().where('id', '=', id).executeTakeFirst();
  return job === undefined ? undefined : (await decoded(reader, [job]))[0];
}

const unfinished = ['Queued', 'InProgress'] as const;

export async function unfinishedExportOf(reader: CatalogReader, snapshotId: string): Promise<boolean> {
  const rows = reader.selectFrom('exportJobs').select('id').where('snapshotId', '=', snapshotId);
  return (await rows.where('state', 'in', unfinished).limit(1).executeTakeFirst()) !== undefined;
}

export async function hasUnfinishedExportInto(reader: CatalogReader, exportBucketId: string): Promise<boolean> {
  const rows = reader.selectFrom('exportJobs').select('id').where('exportBucketId', '=', exportBucketId);
  return (await rows.where('state', 'in', unfinished).limit(1).executeTakeFirst()) !== undefined;
}

export async function hasUnfinishedExportOfProject(reader: CatalogReader, projectId: string): Promise<boolean> {
  const rows = reader
    .selectFrom('exportJobs')
    .innerJoin('clusters', 'clusters.id', 'exportJobs.clusterId')
    .select('exportJobs.id')
    .where('clusters.projectId', '=', projectId);
  return (await rows.where('exportJobs.state', 'in', unfinished).limit(1).executeTakeFirst()) !== undefined;
}

export async function isExportPrefixTaken(reader: CatalogReader, prefix: string): Promise<boolean> {
  const rows = reader.selectFrom('exportJobs').select('id').where('prefix', '=', prefix);
  return (await rows.limit(1).executeTakeFirst()) !== undefined;
}

async function decoded(reader: CatalogReader, jobs: readonly ExportJobRow[]): Promise<ExportJobRecord[]> {
  const components = await componentsOf(
    reader,
    jobs.map((job) => job.id),
  );
  return jobs.map((job) => ({
    ...job,
    customData: JSON.parse(job.customData) as ExportJobRecord['customData'],
    components: (components.get(job.id) ?? []).map(({ exportId, replicaSetName }) => ({ exportId, replicaSetName })),
  }));
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

/** The newest of those that have ended, oldest first, and their components: what a rebuild brings back. */
export async function endedExportJobs(
  reader: CatalogReader,
  rowsMax: number,
): Promise<{ jobs: ExportJobRow[]; components: ExportJobComponentRow[] }> {
  const ended = reader.selectFrom('exportJobs').where('state', 'not in', unfinished);
  const newest = ended.orderBy('createdAtMs', 'desc').orderBy('id', 'desc').limit(rowsMax);
  const jobs = (await newest.selectAll().execute()).toReversed();
  const components = await reader
    .selectFrom('exportJobComponents')
    .selectAll()
    .where('exportJobId', 'in', newest.select('id'))
    .orderBy('exportJobId')
    .orderBy('position')
    .execute();
  return { jobs, components };
}
