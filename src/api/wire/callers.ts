import type { ApiKey as ApiKeyBody, KeyAccess } from '../../../contract/api-keys.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { ProjectAccess } from '../../../contract/project-access-lists.ts';
import type {
  AccountAccess,
  AccountSecret as AccountSecretBody,
  ServiceAccount as ServiceAccountBody,
} from '../../../contract/service-accounts.ts';
import type {
  AccessListEntry,
  AccountSecret,
  ApiKey,
  GivenRole,
  ServiceAccount,
} from '../../domain/credentials/credentials.ts';
import { must } from '../../lib/assert.ts';
import { isoSeconds } from '../../lib/clock.ts';
import type { LinkBuilder } from '../links.ts';
import { isoOrNull, timeIfKnown } from './times.ts';

function roleBody({ roleName, organizationId, projectId }: GivenRole) {
  return projectId === null
    ? { orgId: must(organizationId, 'a role holds somewhere'), roleName }
    : { groupId: projectId, roleName };
}

/** `privateKey` only where it was made in this request. */
export function apiKeyBody(apiKey: ApiKey, links: LinkBuilder, privateKey?: string): ShapeOf<typeof ApiKeyBody> {
  return {
    desc: apiKey.description,
    id: apiKey.id,
    links: [links.self(`/orgs/${apiKey.organizationId}/apiKeys/${apiKey.id}`)],
    privateKey: privateKey ?? `********-****-****-${apiKey.privateKeyTail}`,
    publicKey: apiKey.publicKey,
    roles: apiKey.roles.map(roleBody),
  };
}

const address = (entry: AccessListEntry) => (entry.address === null ? {} : { ipAddress: entry.address });

export function keyAccessBody(entry: AccessListEntry, path: string, links: LinkBuilder): ShapeOf<typeof KeyAccess> {
  return {
    ...address(entry),
    cidrBlock: entry.cidrBlock,
    count: entry.requests,
    created: isoSeconds(entry.createdAtMs),
    ...timeIfKnown('lastUsed', entry.lastUsedAtMs),
    ...(entry.lastUsedAddress === null ? {} : { lastUsedAddress: entry.lastUsedAddress }),
    links: [links.self(`${path}/${encodeURIComponent(entry.address ?? entry.cidrBlock)}`)],
  };
}

export function accountAccessBody(entry: AccessListEntry): ShapeOf<typeof AccountAccess> {
  return {
    ...address(entry),
    cidrBlock: entry.cidrBlock,
    createdAt: isoSeconds(entry.createdAtMs),
    lastUsedAddress: entry.lastUsedAddress,
    lastUsedAt: isoOrNull(entry.lastUsedAtMs),
    requestCount: entry.requests,
  };
}

export function projectAccessBody(
  entry: AccessListEntry,
  projectId: string,
  links: LinkBuilder,
): ShapeOf<typeof ProjectAccess> {
  const name = encodeURIComponent(entry.address ?? entry.cidrBlock);
  return {
    ...address(entry),
    cidrBlock: entry.cidrBlock,
    ...(entry.comment === null ? {} : { comment: entry.comment }),
    ...timeIfKnown('deleteAfterDate', entry.deleteAfterMs),
    groupId: projectId,
    links: [links.self(`/groups/${projectId}/accessList/${name}`)],
  };
}

const neverMs = Date.UTC(9999, 11, 31);

export function accountSecretBody(secret: AccountSecret, plain?: string): ShapeOf<typeof AccountSecretBody> {
  return {
    createdAt: isoSeconds(secret.createdAtMs),
    // Clients decode a time or fail: one that does not expire does so at the end of the calendar.
    expiresAt: isoSeconds(secret.expiresAtMs ?? neverMs),
    id: secret.id,
    lastUsedAt: isoOrNull(secret.lastUsedAtMs),
    maskedSecretValue: `mdb_sa_sk_********${secret.tail}`,
    ...(plain === undefined ? {} : { secret: plain }),
  };
}

/** With the roles that it has in the place. `plain` belongs to its newest secret. */
export function serviceAccountBody(
  account: ServiceAccount,
  place: { organizationId: string } | { projectId: string },
  plain?: string,
): ShapeOf<typeof ServiceAccountBody> {
  const here = account.roles.filter((role) =>
    'projectId' in place ? role.projectId === place.projectId : role.organizationId === place.organizationId,
  );
  const newest = account.secrets.at(-1);
  return {
    clientId: account.clientId,
    createdAt: isoSeconds(account.createdAtMs),
    description: account.description,
    name: account.name,
    roles: here.map(({ roleName }) => roleName),
    systemManaged: false,
    secrets: account.secrets.map((secret) => accountSecretBody(secret, secret === newest ? plain : undefined)),
  };
}
