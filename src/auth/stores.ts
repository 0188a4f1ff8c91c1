import type { AccessListEntryRow, ApiKeyRow, ServiceAccountRow, ServiceAccountSecretRow } from '../catalog/schema.ts';
import type { RoleAssignment } from './roles.ts';

/** What auth needs of the catalog, and no more: rows as they are, with their roles. What was deleted is not found. */
export interface AuthStores {
  apiKeys: ApiKeyStore;
  serviceAccounts: ServiceAccountStore;
  accessTokens: AccessTokenStore;
  accessLists: AccessListStore;
}

export interface ApiKeyStore {
  findByPublicKey(publicKey: string): Promise<{ apiKey: ApiKeyRow; roles: readonly RoleAssignment[] } | null>;
}

export interface ServiceAccountStore {
  findByClientId(
    clientId: string,
  ): Promise<{ account: ServiceAccountRow; secrets: readonly ServiceAccountSecretRow[] } | null>;
}

export interface AccessTokenStore {
  /** Notes that the secret was used, and drops tokens that have expired, in the same transaction. */
  insert(
    token: { tokenHash: string; serviceAccountId: string; issuedAtMs: number; expiresAtMs: number },
    secretId: string,
  ): Promise<void>;
  /** Null when unknown, expired, revoked, or its account is gone. */
  findLive(
    tokenHash: string,
    nowMs: number,
  ): Promise<{ account: ServiceAccountRow; roles: readonly RoleAssignment[] } | null>;
  revoke(tokenHash: string, serviceAccountId: string, revokedAtMs: number): Promise<void>;
}

export interface AccessListStore {
  entriesOf(
    kind: 'apiKey' | 'serviceAccount',
    id: string,
  ): Promise<readonly Pick<AccessListEntryRow, 'id' | 'cidrBlock'>[]>;
  /** The organization admits nobody who has no list. */
  isRequired(organizationId: string): Promise<boolean>;
  noteUse(entryId: string, use: { requests: number; atMs: number; address: string }): Promise<void>;
}
