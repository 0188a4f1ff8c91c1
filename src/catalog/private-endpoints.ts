import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { CloudProvider, PrivateEndpointRow } from './schema.ts';

export async function insertPrivateEndpoint(writer: CatalogWriter, endpoint: PrivateEndpointRow): Promise<void> {
  await writer.insertInto('privateEndpoints').values(endpoint).execute();
}

export async function markPrivateEndpointDeleted(
  writer: CatalogWriter,
  id: string,
  deletedAtMs: number,
): Promise<void> {
  await writer.updateTable('privateEndpoints').set({ deletedAtMs }).where('id', '=', id).execute();
}

/** Deleted ones too. */
export async function findPrivateEndpoint(reader: CatalogReader, id: string): Promise<PrivateEndpointRow | undefined> {
  return await reader.selectFrom('privateEndpoints').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function allPrivateEndpoints(reader: CatalogReader): Promise<PrivateEndpointRow[]> {
  return await reader.selectFrom('privateEndpoints').selectAll().orderBy('id').execute();
}

export async function privateEndpointOfRegion(
  reader: CatalogReader,
  query: { projectId: string; cloudProvider: CloudProvider; regionName: string },
): Promise<PrivateEndpointRow | undefined> {
  return await reader
    .selectFrom('privateEndpoints')
    .selectAll()
    .where('projectId', '=', query.projectId)
    .where('cloudProvider', '=', query.cloudProvider)
    .where('regionName', '=', query.regionName)
    .where('deletedAtMs', 'is', null)
    .executeTakeFirst();
}

/** Those not deleted, newest first. */
export async function listPrivateEndpoints(
  reader: CatalogReader,
  query: { projectId: string; cloudProvider: CloudProvider; page: PageRequest },
): Promise<Page<PrivateEndpointRow>> {
  const filtered = reader
    .selectFrom('privateEndpoints')
    .where('projectId', '=', query.projectId)
    .where('cloudProvider', '=', query.cloudProvider)
    .where('deletedAtMs', 'is', null);
  return await readPage(query.page, filtered, (rows) =>
    rows.selectAll().orderBy('createdAtMs', 'desc').orderBy('id', 'desc'),
  );
}
