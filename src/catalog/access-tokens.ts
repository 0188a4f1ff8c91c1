import type { Insertable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { AccessTokenTable, ServiceAccountRow } from './schema.ts';

export async function insertAccessToken(writer: CatalogWriter, token: Insertable<AccessTokenTable>): Promise<void> {
  await writer.insertInto('accessTokens').values(token).execute();
}

/** The account whose token this is, while the token is neither expired nor revoked and the account not deleted. */
export async function findAccountOfToken(
  reader: CatalogReader,
  tokenHash: string,
  nowMs: number,
): Promise<ServiceAccountRow | undefined> {
  return await reader
    .selectFrom('accessTokens')
    .innerJoin('serviceAccounts', 'serviceAccounts.id', 'accessTokens.serviceAccountId')
    .selectAll('serviceAccounts')
    .where('accessTokens.tokenHash', '=', tokenHash)
    .where('accessTokens.expiresAtMs', '>', nowMs)
    .where('accessTokens.revokedAtMs', 'is', null)
    .where('serviceAccounts.deletedAtMs', 'is', null)
    .executeTakeFirst();
}

/** Only the account's own; one revoked before keeps its time. */
export async function revokeAccessToken(
  writer: CatalogWriter,
  token: { tokenHash: string; serviceAccountId: string; revokedAtMs: number },
): Promise<void> {
  await writer
    .updateTable('accessTokens')
    .set({ revokedAtMs: token.revokedAtMs })
    .where('tokenHash', '=', token.tokenHash)
    .where('serviceAccountId', '=', token.serviceAccountId)
    .where('revokedAtMs', 'is', null)
    .execute();
}

export async function deleteExpiredAccessTokens(writer: CatalogWriter, nowMs: number): Promise<void> {
  await writer.deleteFrom('accessTokens').where('expiresAtMs', '<=', nowMs).execute();
}

export async function deleteTokensOfSecret(writer: CatalogWriter, secretId: string): Promise<void> {
  await writer.deleteFrom('accessTokens').where('secretId', '=', secretId).execute();
}

export async function deleteTokensOfAccount(writer: CatalogWriter, serviceAccountId: string): Promise<void> {
  await writer.deleteFrom('accessTokens').where('serviceAccountId', '=', serviceAccountId).execute();
}
