import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { ApiKeyRow } from './schema.ts';

/** The context under which an API key's HA1 is sealed: it opens in this row only. */
export function ha1Context(apiKeyId: string): string {
  return `api_keys/${apiKeyId}/ha1`;
}

export async function insertApiKey(writer: CatalogWriter, apiKey: ApiKeyRow): Promise<void> {
  await writer.insertInto('apiKeys').values(apiKey).execute();
}

/** One that was not deleted. */
export async function findApiKeyByPublicKey(reader: CatalogReader, publicKey: string): Promise<ApiKeyRow | undefined> {
  return await reader
    .selectFrom('apiKeys')
    .selectAll()
    .where('publicKey', '=', publicKey)
    .where('deletedAtMs', 'is', null)
    .executeTakeFirst();
}

export async function allApiKeys(reader: CatalogReader): Promise<ApiKeyRow[]> {
  return await reader.selectFrom('apiKeys').selectAll().orderBy('id').execute();
}

type Place = { organizationId: string } | { projectId: string };

/** Those of an organization, or those with a role in a project; oldest first. */
export async function listApiKeys(
  reader: CatalogReader,
  query: { place: Place; page: PageRequest },
): Promise<Page<ApiKeyRow>> {
  return await readPage(query.page, inPlace(reader, query.place), (rows) =>
    rows.selectAll('apiKeys').orderBy('createdAtMs').orderBy('id'),
  );
}

/** One that was not deleted, of the organization or with a role in the project. */
export async function findApiKey(reader: CatalogReader, place: Place, id: string): Promise<ApiKeyRow | undefined> {
  return await inPlace(reader, place).selectAll('apiKeys').where('apiKeys.id', '=', id).executeTakeFirst();
}

export async function updateApiKey(
  writer: CatalogWriter,
  id: string,
  changes: Partial<Pick<ApiKeyRow, 'description' | 'deletedAtMs'>>,
): Promise<void> {
  await writer.updateTable('apiKeys').set(changes).where('id', '=', id).execute();
}

export async function isApiKeyUsable(reader: CatalogReader, id: string): Promise<boolean> {
  const found = await reader
    .selectFrom('apiKeys')
    .select('id')
    .where('id', '=', id)
    .where('deletedAtMs', 'is', null)
    .executeTakeFirst();
  return found !== undefined;
}

function inPlace(reader: CatalogReader, place: Place) {
  const live = reader.selectFrom('apiKeys').where('apiKeys.deletedAtMs', 'is', null);
  if ('organizationId' in place) return live.where('apiKeys.organizationId', '=', place.organizationId);
  return live.where('apiKeys.id', 'in', (e) =>
    e
      .selectFrom('roleAssignments')
      .select('principalId')
      .where('principalKind', '=', 'apiKey')
      .where('projectId', '=', place.projectId),
  );
}
