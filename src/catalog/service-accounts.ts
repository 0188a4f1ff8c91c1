import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
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

/** Of many at once. */
export async function secretsOfServiceAccounts(
  reader: CatalogReader,
  serviceAccountIds: readonly string[],
): Promise<ServiceAccountSecretRow[]> {
  if (serviceAccountIds.length === 0) return [];
  return await reader
    .selectFrom('serviceAccountSecrets')
    .selectAll()
    .where('serviceAccountId', 'in', serviceAccountIds)
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

type Place = { organizationId: string } | { projectId: string };

/** Those of an organization, or those with a role in a project; oldest first. */
export async function listServiceAccounts(
  reader: CatalogReader,
  query: { place: Place; page: PageRequest },
): Promise<Page<ServiceAccountRow>> {
  return await readPage(query.page, inPlace(reader, query.place), (rows) =>
    rows.selectAll('serviceAccounts').orderBy('createdAtMs').orderBy('id'),
  );
}

/** One that was not deleted, of the organization or with a role in the project. */
export async function findServiceAccount(
  reader: CatalogReader,
  place: Place,
  clientId: string,
): Promise<ServiceAccountRow | undefined> {
  return await inPlace(reader, place)
    .selectAll('serviceAccounts')
    .where('serviceAccounts.clientId', '=', clientId)
    .executeTakeFirst();
}

export async function updateServiceAccount(
  writer: CatalogWriter,
  id: string,
  changes: Partial<Pick<ServiceAccountRow, 'name' | 'description' | 'deletedAtMs'>>,
): Promise<void> {
  await writer.updateTable('serviceAccounts').set(changes).where('id', '=', id).execute();
}

export async function deleteServiceAccountSecret(writer: CatalogWriter, secretId: string): Promise<void> {
  await writer.deleteFrom('serviceAccountSecrets').where('id', '=', secretId).execute();
}

/** It was not deleted and has a secret that has not expired. */
export async function isServiceAccountUsable(reader: CatalogReader, id: string, nowMs: number): Promise<boolean> {
  const found = await reader
    .selectFrom('serviceAccounts')
    .innerJoin('serviceAccountSecrets', 'serviceAccountSecrets.serviceAccountId', 'serviceAccounts.id')
    .select('serviceAccounts.id')
    .where('serviceAccounts.id', '=', id)
    .where('serviceAccounts.deletedAtMs', 'is', null)
    .where((e) =>
      e.or([e('serviceAccountSecrets.expiresAtMs', 'is', null), e('serviceAccountSecrets.expiresAtMs', '>', nowMs)]),
    )
    .executeTakeFirst();
  return found !== undefined;
}

function inPlace(reader: CatalogReader, place: Place) {
  const live = reader.selectFrom('serviceAccounts').where('serviceAccounts.deletedAtMs', 'is', null);
  if ('organizationId' in place) return live.where('serviceAccounts.organizationId', '=', place.organizationId);
  return live.where('serviceAccounts.id', 'in', (e) =>
    e
      .selectFrom('roleAssignments')
      .select('principalId')
      .where('principalKind', '=', 'serviceAccount')
      .where('projectId', '=', place.projectId),
  );
}
