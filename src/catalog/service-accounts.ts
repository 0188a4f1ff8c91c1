import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { ServiceAccountRow, ServiceAccountSecretRow } from './schema.ts';

export async function insertServiceAccount(writer: CatalogWriter, account: ServiceAccountRow): Promise<void> {
  await writer.insertInto('serviceAccounts').values(account).execute();
}

export async function insertServiceAccountSecret(
  writer: CatalogWriter,
  secret: ServiceAccountSecretRow,
): Promise<void> {
  await writer.insertInto('serviceAccountSecrets').values(secret).execute();
}

/** One that was not deleted. */
export async function findServiceAccountByClientId(
  reader: CatalogReader,
  clientId: string,
): Promise<ServiceAccountRow | undefined> {
  return await reader
    .selectFrom('serviceAccounts')
    .selectAll()
    .where('clientId', '=', clientId)
    .where('deletedAtMs', 'is', null)
    .executeTakeFirst();
}

export async function secretsOfServiceAccount(
  reader: CatalogReader,
  serviceAccountId: string,
): Promise<ServiceAccountSecretRow[]> {
  return await reader
    .selectFrom('serviceAccountSecrets')
    .selectAll()
    .where('serviceAccountId', '=', serviceAccountId)
    .orderBy('createdAtMs')
    .execute();
}

export async function noteSecretUsed(writer: CatalogWriter, secretId: string, usedAtMs: number): Promise<void> {
  await writer
    .updateTable('serviceAccountSecrets')
    .set({ lastUsedAtMs: usedAtMs })
    .where('id', '=', secretId)
    .execute();
}

export async function allServiceAccounts(reader: CatalogReader): Promise<ServiceAccountRow[]> {
  return await reader.selectFrom('serviceAccounts').selectAll().orderBy('id').execute();
}

export async function allServiceAccountSecrets(reader: CatalogReader): Promise<ServiceAccountSecretRow[]> {
  return await reader.selectFrom('serviceAccountSecrets').selectAll().orderBy('id').execute();
}
