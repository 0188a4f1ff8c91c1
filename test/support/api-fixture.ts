import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { createApiServer } from '../../src/api/server.ts';
import { createAuthenticator } from '../../src/auth/authenticator.ts';
import { createCredentialMint, hashOfSecret } from '../../src/auth/credential-mint.ts';
import { isProjectRole, type OrganizationRole, type ProjectRole, type RoleAssignment } from '../../src/auth/roles.ts';
import type { AuthStores } from '../../src/auth/stores.ts';
import { ha1Context } from '../../src/catalog/api-keys.ts';
import type { ApiKeyRow, ServiceAccountRow, ServiceAccountSecretRow } from '../../src/catalog/schema.ts';
import type { Domain } from '../../src/domain/domain.ts';
import { Cancelled } from '../../src/lib/errors.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { type Logger, silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { SecretBox } from '../../src/lib/secret-box.ts';
import { sampleIds, sampleNowMs } from '../samples/rows.ts';
import { type SampleDomain, sampleDomain } from '../samples/sample-domain.ts';
import { callerNouns } from './sample-callers.ts';

interface MemoryAuthStores extends AuthStores {
  putKey(apiKey: ApiKeyRow, roles: readonly RoleAssignment[]): void;
  putAccount(account: ServiceAccountRow, secret: ServiceAccountSecretRow, roles: readonly RoleAssignment[]): void;
}

/** Credentials in plain maps. */
function memoryAuthStores(): MemoryAuthStores {
  const apiKeys = new Map<string, { apiKey: ApiKeyRow; roles: readonly RoleAssignment[] }>();
  const accounts = new Map<
    string,
    { account: ServiceAccountRow; secrets: ServiceAccountSecretRow[]; roles: readonly RoleAssignment[] }
  >();
  const tokens = new Map<string, { serviceAccountId: string; expiresAtMs: number }>();
  return {
    putKey: (apiKey, roles) => void apiKeys.set(apiKey.publicKey, { apiKey, roles }),
    putAccount: (account, secret, roles) => void accounts.set(account.id, { account, secrets: [secret], roles }),
    apiKeys: {
      findByPublicKey: async (publicKey) => apiKeys.get(publicKey) ?? null,
    },
    serviceAccounts: {
      findByClientId: async (clientId) =>
        [...accounts.values()].find(({ account }) => account.clientId === clientId) ?? null,
    },
    accessLists: { entriesOf: async () => [], isRequired: async () => false, noteUse: async () => undefined },
    accessTokens: {
      async insert(token) {
        tokens.set(token.tokenHash, token);
      },
      async findLive(tokenHash, nowMs) {
        const token = tokens.get(tokenHash);
        if (token === undefined || token.expiresAtMs <= nowMs) return null;
        return accounts.get(token.serviceAccountId) ?? null;
      },
      async revoke(tokenHash, serviceAccountId) {
        if (tokens.get(tokenHash)?.serviceAccountId === serviceAccountId) tokens.delete(tokenHash);
      },
    },
  };
}

export interface ApiFixture extends SampleDomain {
  server: FastifyInstance;
  time: { ms: number };
  /** Of an account that owns the sample organization. */
  organizationToken: string;
  /** Of the project's owner. */
  projectToken: string;
  /** An access token whose account has these roles, in the sample project or its organization. */
  tokenWith(...roles: (ProjectRole | OrganizationRole)[]): Promise<string>;
  tokenWithRoles(roles: readonly RoleAssignment[]): Promise<string>;
  apiKeyWith(...roles: (ProjectRole | OrganizationRole)[]): Promise<{ publicKey: string; privateKey: string }>;
  accountWith(...roles: (ProjectRole | OrganizationRole)[]): Promise<{ clientId: string; secret: string }>;
  /**
   * Callers, access lists and roles at cloud providers are the samples again, whatever was changed or deleted; the rest
   * of the sample domain keeps no changes.
   */
  renewCallers(): void;
  /** One call as the project's owner, unless `token` says otherwise; `version` null sends no Accept header. */
  call(
    method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'OPTIONS',
    url: string,
    options?: {
      token?: string | null;
      version?: string | null;
      body?: unknown;
      headers?: Record<string, string>;
    },
  ): Promise<LightMyRequestResponse>;
}

export function assignment(role: ProjectRole | OrganizationRole): RoleAssignment {
  return isProjectRole(role)
    ? { role, projectId: sampleIds.project, organizationId: null }
    : { role, organizationId: sampleIds.organization, projectId: null };
}

/** Time does not pass by itself. */
function sleepUntilTold(_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Cancelled()), { once: true });
  });
}

/** The API over the sample domain, with a clock that stands still until it is moved. */
export async function apiFixture(
  options: {
    domain?: Partial<Domain>;
    publicUrl?: string;
    log?: Logger;
    rateLimit?: { limit: number; windowMs: number };
    timeLimits?: { headersMs: number; requestMs: number };
    tls?: { cert: Buffer; key: Buffer };
  } = {},
): Promise<ApiFixture> {
  const time = { ms: sampleNowMs };
  const clock = { nowMs: () => time.ms, monotonicMs: () => time.ms, sleep: sleepUntilTold };
  const ids = createIdSource(clock, systemRandom);
  const stores = memoryAuthStores();
  const secretBox = new SecretBox(systemRandom.bytes(32), systemRandom);
  const mint = createCredentialMint(systemRandom);
  const { domain, calls } = sampleDomain({ ...callerNouns(clock), ...options.domain });
  const { domain: _, ...serverOptions } = options;
  const server = createApiServer({
    domain,
    authenticator: createAuthenticator({ stores, clock, random: systemRandom, secretBox }),
    clock,
    log: silentLogger,
    version: '0.0.0-test',
    listenNames: ['backup.example'],
    ...serverOptions,
  });

  const accountIn = (organizationId: string, roles: readonly RoleAssignment[]) => {
    const id = ids.next();
    const clientId = `mdb_sa_id_${id}`;
    const times = { createdAtMs: time.ms, deletedAtMs: null };
    const { secret, ...kept } = mint.secret();
    const expiresAtMs = time.ms + 24 * 3_600_000;
    stores.putAccount(
      { id, organizationId, clientId, name: 'test', description: '', ...times },
      { id: ids.next(), serviceAccountId: id, ...kept, createdAtMs: time.ms, expiresAtMs, lastUsedAtMs: null },
      roles,
    );
    return { id, clientId, secret };
  };
  const accountWith = async (...roles: (ProjectRole | OrganizationRole)[]) =>
    accountIn(roles.length === 0 ? sampleIds.foreignOrganization : sampleIds.organization, roles.map(assignment));
  const tokenOf = async (serviceAccountId: string): Promise<string> => {
    const token = `token-${serviceAccountId}`;
    const expiresAtMs = time.ms + 365 * 24 * 3_600_000;
    await stores.accessTokens.insert(
      { tokenHash: hashOfSecret(token), serviceAccountId, issuedAtMs: time.ms, expiresAtMs },
      '',
    );
    return token;
  };
  const tokenWith: ApiFixture['tokenWith'] = async (...roles) => await tokenOf((await accountWith(...roles)).id);
  const ownerToken = await tokenWith('GROUP_OWNER');

  return {
    server,
    domain,
    calls,
    time,
    organizationToken: await tokenWith('ORG_OWNER'),
    projectToken: ownerToken,
    tokenWith,
    tokenWithRoles: async (roles) => await tokenOf(accountIn(sampleIds.organization, roles).id),
    accountWith,
    renewCallers: () => void Object.assign(domain, callerNouns(clock)),
    apiKeyWith: async (...roles) => {
      const id = ids.next();
      const { publicKey, privateKey, ha1 } = mint.apiKey();
      const sealedHa1 = secretBox.seal(ha1, ha1Context(id));
      const shown = {
        organizationId: sampleIds.organization,
        description: 'test',
        privateKeyTail: privateKey.slice(-12),
      };
      const times = { createdAtMs: time.ms, deletedAtMs: null };
      stores.putKey({ id, publicKey, sealedHa1, ...shown, ...times }, roles.map(assignment));
      return { publicKey, privateKey };
    },
    async call(method, url, { token = ownerToken, version = '2025-03-12', body, headers = {} } = {}) {
      const hasBody = body !== undefined;
      return await server.inject({
        method,
        url,
        headers: {
          host: 'backup.example:8080',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(version === null ? {} : { accept: `application/vnd.atlas.${version}+json` }),
          ...(hasBody ? { 'content-type': `application/vnd.atlas.${version ?? '2023-01-01'}+json` } : {}),
          ...headers,
        },
        ...(hasBody ? { payload: typeof body === 'string' ? body : JSON.stringify(body) } : {}),
      });
    },
  };
}
