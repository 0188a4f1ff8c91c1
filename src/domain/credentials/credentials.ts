import type { AccessListOwner } from '../../catalog/access-lists.ts';
import type { Page, PageRequest } from '../../catalog/page.ts';
import type { AccessListEntryRow } from '../../catalog/schema.ts';
import type { Asking } from './still-admitted.ts';

/**
 * Callers, as those who manage them see them. Secrets are in the answer of what made them and nowhere else. Times are
 * milliseconds since the epoch.
 */

export type { AccessListOwner } from '../../catalog/access-lists.ts';

/** A role and where it holds: exactly one of the two is set. */
export interface GivenRole {
  roleName: string;
  organizationId: string | null;
  projectId: string | null;
}

/** Where callers are managed from: their organization, or one project that they have roles in. */
export type Place = { organizationId: string } | { projectId: string };

export interface ApiKey {
  id: string;
  organizationId: string;
  publicKey: string;
  description: string;
  /** The last twelve characters of the private key. */
  privateKeyTail: string;
  roles: GivenRole[];
}

export interface ApiKeys {
  /** Oldest first. */
  list(query: { place: Place; page: PageRequest }): Promise<Page<ApiKey>>;
  get(query: { place: Place; apiKeyId: string }): Promise<ApiKey>;
  create(request: {
    place: Place;
    description: string;
    roleNames: readonly string[];
  }): Promise<ApiKey & { privateKey: string }>;
  /** Replaces the roles that it has in the place, where they are given. */
  update(request: {
    place: Place;
    apiKeyId: string;
    description?: string;
    roleNames?: readonly string[];
  }): Promise<ApiKey>;
  /** Gives a key of the organization these roles in the project, too. */
  assign(request: { projectId: string; apiKeyId: string; roleNames: readonly string[] }): Promise<ApiKey>;
  /** From the organization for good; from a project, its roles there. */
  remove(request: { place: Place; apiKeyId: string }): Promise<void>;
}

export interface AccountSecret {
  id: string;
  createdAtMs: number;
  expiresAtMs: number | null;
  lastUsedAtMs: number | null;
  /** The last four characters. */
  tail: string;
}

export interface ServiceAccount {
  id: string;
  organizationId: string;
  clientId: string;
  name: string;
  description: string;
  createdAtMs: number;
  roles: GivenRole[];
  secrets: AccountSecret[];
}

export interface ServiceAccounts {
  /** Oldest first. */
  list(query: { place: Place; page: PageRequest }): Promise<Page<ServiceAccount>>;
  get(query: { place: Place; clientId: string }): Promise<ServiceAccount>;
  /** The same, refused where the place may not change the account. */
  forChange(query: { place: Place; clientId: string }): Promise<ServiceAccount>;
  /** `secret` belongs to the one secret in `secrets`. */
  create(request: {
    place: Place;
    name: string;
    description: string;
    roleNames: readonly string[];
    secretExpiresAfterHours: number;
  }): Promise<ServiceAccount & { secret: string }>;
  update(request: {
    place: Place;
    clientId: string;
    name?: string;
    description?: string;
    roleNames?: readonly string[];
  }): Promise<ServiceAccount>;
  assign(request: { projectId: string; clientId: string; roleNames: readonly string[] }): Promise<ServiceAccount>;
  remove(request: { place: Place; clientId: string }): Promise<void>;
  /** At most two that have not expired. */
  createSecret(request: {
    place: Place;
    clientId: string;
    secretExpiresAfterHours: number;
  }): Promise<AccountSecret & { secret: string }>;
  /** The tokens that were issued for it end with it. */
  deleteSecret(request: { place: Place; clientId: string; secretId: string }): Promise<void>;
}

export type AccessListEntry = Omit<AccessListEntryRow, 'ownerKind' | 'ownerId' | 'singleAddress'> & {
  /** The address, where it was given as one. */
  address: string | null;
};

/** One of the two. */
export interface AskedAccess {
  ipAddress?: string;
  cidrBlock?: string;
  comment?: string;
  deleteAfterMs?: number;
}

export interface AccessLists {
  /** Oldest first. */
  list(query: { owner: AccessListOwner; page: PageRequest }): Promise<Page<AccessListEntry>>;
  get(query: { owner: AccessListOwner; entry: string }): Promise<AccessListEntry>;
  /**
   * Neither leaves whoever asks for it outside. What is there already stays, with a new comment and end where those are
   * given.
   */
  add(request: { owner: AccessListOwner; entries: readonly AskedAccess[]; asking?: Asking }): Promise<void>;
  remove(request: { owner: AccessListOwner; entry: string; asking?: Asking }): Promise<void>;
}

/** Makes secrets: what is kept of them cannot be turned back. */
export interface CredentialMint {
  apiKey(): { publicKey: string; privateKey: string; ha1: string };
  secret(): { secret: string; secretHash: string; secretTail: string };
  /** A UUID that nobody can guess, for a trust policy to demand. No secret. */
  externalId(): string;
}
