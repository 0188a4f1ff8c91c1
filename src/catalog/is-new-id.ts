import type { CatalogReader } from './catalog.ts';

/** No row of the table has the id, deleted or not. */
export async function isNewId(
  reader: CatalogReader,
  table: 'apiKeys' | 'serviceAccounts' | 'exportBuckets' | 'accessListEntries' | 'cloudProviderAccessRoles',
  id: string,
): Promise<boolean> {
  return (await reader.selectFrom(table).select('id').where('id', '=', id).executeTakeFirst()) === undefined;
}
