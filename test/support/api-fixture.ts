import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { createApiServer } from '../../src/api/server.ts';
import { createApiKey } from '../../src/auth/api-keys.ts';
import { createAuthenticator } from '../../src/auth/authenticator.ts';
import { isProjectRole, type OrganizationRole, type ProjectRole, type RoleAssignment } from '../../src/auth/roles.ts';
import { createServiceAccount, hashOfSecret } from '../../src/auth/service-accounts.ts';
import type {
  ApiKeyRecord,
  AuthStores,
  ServiceAccountRecord,
  ServiceAccountSecretRecord,
} from '../../src/auth/stores.ts';
import type { Domain } from '../../src/domain/domain.ts';
import { Cancelled } from '../../src/lib/errors.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { type Logger, silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { SecretBox } from '../../src/lib/secret-box.ts';
import { callerNouns } from './sample-callers.ts';
import { type SampleDomain, sampleDomain, sampleIds, sampleNowMs } from './sample-domain.ts';

/** Credentials in plain maps. */
function memoryAuthStores(): AuthStores {
  const apiKeys = new Map<string, { apiKey: ApiKeyRecord; roles: readonly RoleAssignment[] }>();
  const accounts = new Map<
    string,
    { account: ServiceAccountRecord; secrets: ServiceAccountSecretRecord[]; roles: readonly RoleAssignment[] }
  >();
  const tokens = new Map<string, { serviceAccountId: string; expiresAtMs: number }>();
  return {
    apiKeys: {
      findByPublicKey: async (publicKey) => apiKeys.get(publicKey) ?? null,
      async insert(apiKey, roles) {
        apiKeys.set(apiKey.publicKey, { apiKey, roles });
      },
    },
    serviceAccounts: {
      findByClientId: async (clientId) =>
        [...accounts.values()].find(({ account }) => account.clientId === clientId) ?? null,
      async insert(account, secret, roles) {
        accounts.set(account.serviceAccountId, { account, secrets: [secret], roles });
      },
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
  const tools = { clock, random: systemRandom, ids };
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

  const accountIn = (organizationId: string, roles: readonly RoleAssignment[]) =>
    createServiceAccount(
      { ...tools, store: stores.serviceAccounts },
      { organizationId, name: 'test', description: '', secretExpiresAfterHours: 24, roles: [...roles] },
    );
  const accountWith = (...roles: (ProjectRole | OrganizationRole)[]) =>
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
  const tokenWith: ApiFixture['tokenWith'] = async (...roles) =>
    await tokenOf((await accountWith(...roles)).serviceAccountId);
  const ownerToken = await tokenWith('GROUP_OWNER');

  return {
    server,
    domain,
    calls,
    time,
    organizationToken: await tokenWith('ORG_OWNER'),
    projectToken: ownerToken,
    tokenWith,
    tokenWithRoles: async (roles) => await tokenOf((await accountIn(sampleIds.organization, roles)).serviceAccountId),
    accountWith,
    renewCallers: () => void Object.assign(domain, callerNouns(clock)),
    apiKeyWith: (...roles) =>
      createApiKey(
        { ...tools, store: stores.apiKeys, secretBox },
        { organizationId: sampleIds.organization, description: 'test', roles: roles.map(assignment) },
      ),
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
