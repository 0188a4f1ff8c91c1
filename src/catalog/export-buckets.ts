import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { CloudProvider, CloudProviderAccessRoleRow, ExportBucketRow, ExportBucketTable } from './schema.ts';

export async function insertExportBucket(writer: CatalogWriter, bucket: ExportBucketRow): Promise<void> {
  await writer.insertInto('exportBuckets').values(bucket).execute();
}

export async function updateExportBucket(
  writer: CatalogWriter,
  id: string,
  changes: Pick<Updateable<ExportBucketTable>, 'region' | 'requirePrivateNetworking' | 'deletedAtMs'>,
): Promise<void> {
  await writer.updateTable('exportBuckets').set(changes).where('id', '=', id).execute();
}

/** Deleted ones too. */
export async function findExportBucket(reader: CatalogReader, id: string): Promise<ExportBucketRow | undefined> {
  return await reader.selectFrom('exportBuckets').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The name of a cluster whose schedule names the bucket, or null. One that was terminated exports no more. */
export async function clusterExportingInto(reader: CatalogReader, exportBucketId: string): Promise<string | null> {
  const row = await reader
    .selectFrom('schedules')
    .innerJoin('clusters', 'clusters.id', 'schedules.clusterId')
    .select('clusters.name')
    .where('schedules.exportBucketId', '=', exportBucketId)
    .where('clusters.deletedAtMs', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return row?.name ?? null;
}

/** The identity under which a bucket is used; deleted ones too. */
export async function findAccessRole(
  reader: CatalogReader,
  id: string,
): Promise<CloudProviderAccessRoleRow | undefined> {
  return await reader.selectFrom('cloudProviderAccessRoles').selectAll().where('id', '=', id).executeTakeFirst();
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

export async function deleteExportBucketsOf(
  writer: CatalogWriter,
  projectId: string,
  deletedAtMs: number,
): Promise<void> {
  await writer
    .updateTable('exportBuckets')
    .set({ deletedAtMs })
    .where('projectId', '=', projectId)
    .where('deletedAtMs', 'is', null)
    .execute();
}

export async function allExportBuckets(reader: CatalogReader): Promise<ExportBucketRow[]> {
  return await reader.selectFrom('exportBuckets').selectAll().orderBy('id').execute();
}
