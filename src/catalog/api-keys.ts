import type { CatalogReader, CatalogWriter } from './catalog.ts';
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
