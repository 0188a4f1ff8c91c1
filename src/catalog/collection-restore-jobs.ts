import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type {
  CollectionRestoreJobRow,
  CollectionRestoreJobTable,
  RestoredCollectionRow,
  RestoredCollectionState,
  RestoredCollectionTable,
  RestoredIndexState,
} from './schema.ts';

/** Of one insert: SQLite binds 32,766 values to a statement. */
const ROWS_AT_ONCE = 1_000;

export async function insertCollectionRestoreJob(writer: CatalogWriter, job: CollectionRestoreJobRow): Promise<void> {
  await writer.insertInto('collectionRestoreJobs').values(job).execute();
}

export async function updateCollectionRestoreJob(
  writer: CatalogWriter,
  id: string,
  changes: Pick<Updateable<CollectionRestoreJobTable>, 'state' | 'startedAtMs' | 'finishedAtMs' | 'errorMessage'>,
): Promise<void> {
  await writer.updateTable('collectionRestoreJobs').set(changes).where('id', '=', id).execute();
}

export async function findCollectionRestoreJob(
  reader: CatalogReader,
  id: string,
): Promise<CollectionRestoreJobRow | undefined> {
  return await reader.selectFrom('collectionRestoreJobs').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Of backups of this cluster, newest first. */
export async function listCollectionRestoreJobs(
  reader: CatalogReader,
  query: { clusterId: string; page: PageRequest },
): Promise<Page<CollectionRestoreJobRow>> {
  const filtered = reader.selectFrom('collectionRestoreJobs').where('clusterId', '=', query.clusterId);
  return await readPage(query.page, filtered, (rows) =>
    rows.selectAll().orderBy('createdAtMs', 'desc').orderBy('id', 'desc'),
  );
}

export interface RestoredTotals {
  totalDocuments: number;
  restoredDocuments: number;
  /** How many collections of the job are in each state of their indexes. */
  indexStates: Partial<Record<RestoredIndexState, number>>;
}

/** What the collections of each job add up to; jobs that have none are left out. */
export async function restoredTotals(
  reader: CatalogReader,
  jobIds: readonly string[],
): Promise<Map<string, RestoredTotals>> {
  const totals = new Map<string, RestoredTotals>();
  if (jobIds.length === 0) return totals;
  const rows = await reader
    .selectFrom('restoredCollections')
    .select((e) => [
      'jobId',
      'indexState',
      e.fn.countAll<number>().as('collections'),
      e.fn.sum<number>('totalDocuments').as('totalDocuments'),
      e.fn.sum<number>('restoredDocuments').as('restoredDocuments'),
    ])
    .where('jobId', 'in', jobIds)
    .where('state', 'not in', ['NOT_FOUND', 'UNSUPPORTED'])
    .groupBy(['jobId', 'indexState'])
    .execute();
  for (const row of rows) {
    const of = totals.get(row.jobId) ?? { totalDocuments: 0, restoredDocuments: 0, indexStates: {} };
    of.totalDocuments += Number(row.totalDocuments);
    of.restoredDocuments += Number(row.restoredDocuments);
    of.indexStates[row.indexState] = Number(row.collections);
    totals.set(row.jobId, of);
  }
  return totals;
}

/** In place of what the job had. */
export async function replaceRestoredCollections(
  writer: CatalogWriter,
  jobId: string,
  rows: readonly RestoredCollectionRow[],
): Promise<void> {
  await writer.deleteFrom('restoredCollections').where('jobId', '=', jobId).execute();
  for (let at = 0; at < rows.length; at += ROWS_AT_ONCE)
    await writer
      .insertInto('restoredCollections')
      .values(rows.slice(at, at + ROWS_AT_ONCE))
      .execute();
}

export async function updateRestoredCollection(
  writer: CatalogWriter,
  key: { jobId: string; source: string },
  changes: Omit<Updateable<RestoredCollectionTable>, 'jobId' | 'source' | 'position'>,
): Promise<void> {
  if (Object.keys(changes).length === 0) return;
  const rows = writer.updateTable('restoredCollections').set(changes);
  await rows.where('jobId', '=', key.jobId).where('source', '=', key.source).execute();
}

/** Those of the job in these states are in another from now on. */
export async function settleRestoredCollections(
  writer: CatalogWriter,
  jobId: string,
  change: { from: readonly RestoredCollectionState[]; to: RestoredCollectionState },
): Promise<void> {
  const rows = writer.updateTable('restoredCollections').set({ state: change.to });
  await rows.where('jobId', '=', jobId).where('state', 'in', change.from).execute();
}

/** Indexes that were not built when the job ended never are. */
export async function settleIndexes(writer: CatalogWriter, jobId: string): Promise<void> {
  const rows = writer.updateTable('restoredCollections').set({ indexState: 'NOT_RESTORED' });
  await rows.where('jobId', '=', jobId).where('indexState', 'in', ['NOT_STARTED', 'IN_PROGRESS']).execute();
}

export async function allRestoredCollections(reader: CatalogReader, jobId: string): Promise<RestoredCollectionRow[]> {
  const rows = reader.selectFrom('restoredCollections').selectAll().where('jobId', '=', jobId);
  return await rows.orderBy('position').execute();
}

export interface RestoredCollectionsQuery {
  jobId: string;
  state?: RestoredCollectionState;
  source?: string;
  target?: string;
  page: PageRequest;
}

export async function listRestoredCollections(
  reader: CatalogReader,
  { jobId, state, source, target, page }: RestoredCollectionsQuery,
): Promise<Page<RestoredCollectionRow>> {
  let filtered = reader.selectFrom('restoredCollections').where('jobId', '=', jobId);
  if (state !== undefined) filtered = filtered.where('state', '=', state);
  if (source !== undefined) filtered = filtered.where('source', '=', source);
  if (target !== undefined) filtered = filtered.where('target', '=', target);
  return await readPage(page, filtered, (rows) => rows.selectAll().orderBy('position'));
}

export async function findRestoredCollection(
  reader: CatalogReader,
  key: { jobId: string; source: string },
): Promise<RestoredCollectionRow | undefined> {
  const rows = reader.selectFrom('restoredCollections').selectAll().where('jobId', '=', key.jobId);
  return await rows.where('source', '=', key.source).executeTakeFirst();
}
