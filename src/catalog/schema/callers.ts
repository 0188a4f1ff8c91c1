import type { Generated } from 'kysely';
import type { Flag } from './clusters.ts';

/**
 * Tables of who may call, and from where.
 * Rules for all of them: `../schema.ts`.
 */

export interface ApiKeyTable {
  id: string;
  organizationId: string;
  /** Eight lower-case letters; the digest user name. */
  publicKey: string;
  /**
   * Sealed MD5(publicKey:realm:privateKey), which is what HTTP digest needs to know; the private part itself is kept
   * nowhere.
   */
  sealedHa1: string;
  /** Last twelve characters of the private part, which Atlas shows for recognition. */
  privateKeyTail: string;
  description: string;
  createdAtMs: number;
  deletedAtMs: number | null;
}

export interface ServiceAccountTable {
  id: string;
  organizationId: string;
  /** `mdb_sa_id_` and 24 hex digits. */
  clientId: string;
  name: string;
  description: string;
  createdAtMs: number;
  deletedAtMs: number | null;
}

export interface ServiceAccountSecretTable {
  id: string;
  serviceAccountId: string;
  /** SHA-256 of the secret, hex. The secret is long and random, so a slow hash would add nothing. */
  secretHash: string;
  /** Last four characters, for recognition. */
  secretTail: string;
  createdAtMs: number;
  expiresAtMs: number | null;
  lastUsedAtMs: number | null;
}

export interface AccessTokenTable {
  /** SHA-256 of the token, hex. */
  tokenHash: string;
  serviceAccountId: string;
  issuedAtMs: number;
  expiresAtMs: number;
  revokedAtMs: number | null;
  /** The secret that it was issued for, and with which it ends. */
  secretId: Generated<string | null>;
}

export type PrincipalKind = 'apiKey' | 'serviceAccount';

/** Exactly one of `organizationId` and `projectId` is set: the role holds there. */
export interface RoleAssignmentTable {
  id: string;
  principalKind: PrincipalKind;
  principalId: string;
  organizationId: string | null;
  projectId: string | null;
  /** As Atlas spells it: `ORG_OWNER`, `GROUP_READ_ONLY`, ... */
  roleName: string;
}

export type AccessListOwnerKind = PrincipalKind | 'project';

/** From where an API key or service account may be used, or a project's deployments be reached. */
export interface AccessListEntryTable {
  id: string;
  ownerKind: AccessListOwnerKind;
  ownerId: string;
  /** Network and prefix length, in canonical form; a single address has 32 or 128. */
  cidrBlock: string;
  /** It was given as an address and is shown as one. */
  singleAddress: Flag;
  /** Projects only, both. */
  comment: string | null;
  deleteAfterMs: number | null;
  /** Requests that it admitted. */
  requests: number;
  lastUsedAtMs: number | null;
  lastUsedAddress: string | null;
  createdAtMs: number;
}
