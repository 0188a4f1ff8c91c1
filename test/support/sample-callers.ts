import { createCredentialMint } from '../../src/auth/credential-mint.ts';
import { insertAccessListEntry } from '../../src/catalog/access-lists.ts';
import { insertApiKey } from '../../src/catalog/api-keys.ts';
import { insertCloudProviderAccessRole } from '../../src/catalog/cloud-provider-access-roles.ts';
import { insertOrganization } from '../../src/catalog/organizations.ts';
import { insertProject } from '../../src/catalog/projects.ts';
import { insertRoleAssignments } from '../../src/catalog/role-assignments.ts';
import { insertServiceAccount, insertServiceAccountSecret } from '../../src/catalog/service-accounts.ts';
import { createCloudProviderAccess } from '../../src/domain/cloud-provider-access/cloud-provider-access.ts';
import { createAccessLists } from '../../src/domain/credentials/access-lists.ts';
import { createApiKeys } from '../../src/domain/credentials/api-keys.ts';
import { createServiceAccounts } from '../../src/domain/credentials/service-accounts.ts';
import type { Domain } from '../../src/domain/domain.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { SecretBox } from '../../src/lib/secret-box.ts';
import { sampleIds } from '../samples/rows.ts';
import { openMemoryCatalog } from './memory-catalog.ts';

/**
 * Callers and roles at cloud providers of the sample organization: no samples but the real rules, over a catalog in
 * memory.
 */
export type CallerNouns = Pick<Domain, 'apiKeys' | 'serviceAccounts' | 'accessLists' | 'cloudProviderAccess'>;

const apiUserId = '0000000000000000000a7001';
const accountId = '0000000000000000000a8001';
const secretId = '0000000000000000000a9001';
const roleId = '0000000000000000000aa001';
const address = '203.0.113.7';

export const callerParameters = {
  apiUserId,
  clientId: `mdb_sa_id_${accountId}`,
  entryValue: address,
  ipAddress: address,
  roleId,
  secretId,
} as const;

/** Over a catalog that is made when the first of them is asked: most tests ask none. */
export function callerNouns(clock: Clock): CallerNouns {
  let nouns: Promise<CallerNouns> | undefined;
  const load = () => (nouns ??= openCallerNouns(clock));
  return {
    apiKeys: whenAsked(async () => (await load()).apiKeys),
    serviceAccounts: whenAsked(async () => (await load()).serviceAccounts),
    accessLists: whenAsked(async () => (await load()).accessLists),
    cloudProviderAccess: whenAsked(async () => (await load()).cloudProviderAccess),
  };
}

/** Stands for a noun, all of whose properties are asynchronous functions. */
function whenAsked<Noun extends object>(load: () => Promise<Noun>): Noun {
  const ask =
    (name: string | symbol) =>
    async (...given: unknown[]): Promise<unknown> => {
      const noun = await load();
      const work = Reflect.get(noun, name) as (...given: unknown[]) => unknown;
      return work.apply(noun, given);
    };
  return new Proxy({}, { get: (_, name) => ask(name) }) as Noun;
}

async function openCallerNouns(clock: Clock): Promise<CallerNouns> {
  const catalog = await openMemoryCatalog(clock);
  const nowMs = clock.nowMs();
  await catalog.transact(async (writer) => {
    for (const [id, name] of [
      [sampleIds.organization, 'Acme'],
      [sampleIds.foreignOrganization, 'Others'],
    ] as const)
      await insertOrganization(writer, { id, name, createdAtMs: nowMs });
    for (const [id, organizationId] of [
      [sampleIds.project, sampleIds.organization],
      [sampleIds.siblingProject, sampleIds.organization],
      [sampleIds.foreignProject, sampleIds.foreignOrganization],
    ] as const)
      await insertProject(writer, { id, organizationId, name: id, createdAtMs: nowMs });
    const common = { organizationId: sampleIds.organization, description: 'sample', createdAtMs: nowMs };
    await insertApiKey(writer, {
      ...common,
      id: apiUserId,
      publicKey: 'abcdefgh',
      sealedHa1: '',
      privateKeyTail: 'abcdef012345',
      deletedAtMs: null,
    });
    await insertServiceAccount(writer, {
      ...common,
      id: accountId,
      clientId: callerParameters.clientId,
      name: 'sample',
      deletedAtMs: null,
    });
    await insertServiceAccountSecret(writer, {
      id: secretId,
      serviceAccountId: accountId,
      secretHash: '',
      secretTail: 'wxyz',
      createdAtMs: nowMs,
      expiresAtMs: nowMs + 3_600_000,
      lastUsedAtMs: nowMs,
    });
    for (const [principalKind, principalId] of [
      ['apiKey', apiUserId],
      ['serviceAccount', accountId],
    ] as const) {
      const role = { principalKind, principalId, organizationId: null, projectId: sampleIds.project };
      await insertRoleAssignments(writer, [{ ...role, id: `${principalId}r`, roleName: 'GROUP_READ_ONLY' }]);
    }
    for (const [ownerKind, ownerId] of [
      ['apiKey', apiUserId],
      ['serviceAccount', accountId],
      ['project', sampleIds.project],
    ] as const)
      await insertAccessListEntry(writer, {
        id: `${ownerId}e`,
        ownerKind,
        ownerId,
        cidrBlock: `${address}/32`,
        singleAddress: 1,
        comment: null,
        deleteAfterMs: null,
        requests: 3,
        lastUsedAtMs: nowMs,
        lastUsedAddress: address,
        createdAtMs: nowMs,
      });
    await insertCloudProviderAccessRole(writer, {
      id: roleId,
      projectId: sampleIds.project,
      cloudProvider: 'AWS',
      externalId: '6d6f0f3e-0000-4000-8000-000000000000',
      assumedRoleArn: null,
      azureAppId: null,
      azureTenantId: null,
      azureServicePrincipalId: null,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      authorizedAtMs: null,
      deletedAtMs: null,
    });
  });
  const context = {
    catalog,
    clock,
    ids: createIdSource(clock, systemRandom),
    secretBox: new SecretBox(systemRandom.bytes(32), systemRandom),
    log: silentLogger,
  };
  const credentialMint = createCredentialMint(systemRandom);
  const identities = { awsPrincipalArn: 'arn:aws:iam::123456789012:user/tidemark', gcpServiceAccount: null };
  return {
    apiKeys: createApiKeys(context, credentialMint),
    serviceAccounts: createServiceAccounts(context, credentialMint),
    accessLists: createAccessLists(context),
    cloudProviderAccess: createCloudProviderAccess(context, { identities, credentialMint }),
  };
}
