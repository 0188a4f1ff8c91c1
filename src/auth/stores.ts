import type { RoleAssignment } from './roles.ts';

/** What auth needs of the catalog, and no more. Times are milliseconds since the epoch. */

export interface ApiKeyRecord {
  apiKeyId: string;
  organizationId: string;
  publicKey: string;
  description: string;
  /** MD5(publicKey:realm:privateKey) as 32 hex digits, sealed by the data directory's key with `sealContext`. */
  sealedHa1: string;
  /** Last twelve characters of the private key, which are shown to tell keys apart. */
  privateKeyTail: string;
  createdAtMs: number;
}

export interface ApiKeyStore {
  findByPublicKey(publicKey: string): Promise<{ apiKey: ApiKeyRecord; roles: readonly RoleAssignment[] } | null>;
  /** In one transaction. */
  insert(apiKey: ApiKeyRecord, roles: readonly RoleAssignment[]): Promise<void>;
}

export interface ServiceAccountRecord {
  serviceAccountId: string;
  organizationId: string;
  clientId: string;
  name: string;
  description: string;
  createdAtMs: number;
}

export interface ServiceAccountSecretRecord {
  secretId: string;
  serviceAccountId: string;
  /** SHA-256 of the secret, hex: secrets are random and long, a slow hash would only slow us. */
  secretHash: string;
  /** The last four characters, to tell secrets apart. */
  secretTail: string;
  createdAtMs: number;
  /** Null: it does not expire. */
  expiresAtMs: number | null;
}

export interface ServiceAccountStore {
  findByClientId(
    clientId: string,
  ): Promise<{ account: ServiceAccountRecord; secrets: readonly ServiceAccountSecretRecord[] } | null>;
  insert(
    account: ServiceAccountRecord,
    secret: ServiceAccountSecretRecord,
    roles: readonly RoleAssignment[],
  ): Promise<void>;
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
  ): Promise<{ account: ServiceAccountRecord; roles: readonly RoleAssignment[] } | null>;
  revoke(tokenHash: string, serviceAccountId: string, revokedAtMs: number): Promise<void>;
}

export interface AccessListStore {
  entriesOf(kind: 'apiKey' | 'serviceAccount', id: string): Promise<{ entryId: string; cidrBlock: string }[]>;
  /** The organization admits nobody who has no list. */
  isRequired(organizationId: string): Promise<boolean>;
  noteUse(entryId: string, use: { requests: number; atMs: number; address: string }): Promise<void>;
}

export interface AuthStores {
  apiKeys: ApiKeyStore;
  serviceAccounts: ServiceAccountStore;
  accessTokens: AccessTokenStore;
  accessLists: AccessListStore;
}
