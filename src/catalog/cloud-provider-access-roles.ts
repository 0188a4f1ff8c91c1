import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { CloudProviderAccessRoleRow, ExportBucketRow } from './schema.ts';

export async function insertCloudProviderAccessRole(
  writer: CatalogWriter,
  role: CloudProviderAccessRoleRow,
): Promise<void> {
  await writer.insertInto('cloudProviderAccessRoles').values(role).execute();
}

export async function updateCloudProviderAccessRole(
  writer: CatalogWriter,
  id: string,
  changes: Partial<Omit<CloudProviderAccessRoleRow, 'id' | 'projectId' | 'cloudProvider'>>,
): Promise<void> {
  await writer.updateTable('cloudProviderAccessRoles').set(changes).where('id', '=', id).execute();
}

/** Of the project, and not deleted. */
export async function findCloudProviderAccessRole(
  reader: CatalogReader,
  projectId: string,
  id: string,
): Promise<CloudProviderAccessRoleRow | undefined> {
  return await live(reader, projectId).where('id', '=', id).executeTakeFirst();
}

/** Oldest first. */
export async function cloudProviderAccessRolesOf(
  reader: CatalogReader,
  projectId: string,
): Promise<CloudProviderAccessRoleRow[]> {
  return await live(reader, projectId).orderBy('createdAtMs').orderBy('id').execute();
}

/** The export buckets, not deleted, that are used under the role. */
export async function bucketsUsingRole(
  reader: CatalogReader,
  projectId: string,
  roleId: string,
): Promise<ExportBucketRow[]> {
  return await reader
    .selectFrom('exportBuckets')
    .selectAll()
    .where('projectId', '=', projectId)
    .where('roleId', '=', roleId)
    .where('deletedAtMs', 'is', null)
    .orderBy('createdAtMs')
    .orderBy('id')
    .execute();
}

export async function deleteCloudProviderAccessRolesOf(
  writer: CatalogWriter,
  projectId: string,
  deletedAtMs: number,
): Promise<void> {
  await writer
    .updateTable('cloudProviderAccessRoles')
    .set({ deletedAtMs })
    .where('projectId', '=', projectId)
    .where('deletedAtMs', 'is', null)
    .execute();
}

export async function allCloudProviderAccessRoles(reader: CatalogReader): Promise<CloudProviderAccessRoleRow[]> {
  return await reader.selectFrom('cloudProviderAccessRoles').selectAll().orderBy('id').execute();
}

function live(reader: CatalogReader, projectId: string) {
  return reader
    .selectFrom('cloudProviderAccessRoles')
    .selectAll()
    .where('projectId', '=', projectId)
    .where('deletedAtMs', 'is', null);
}
