import { accessListOf, noteAccessListUse } from '../catalog/access-lists.ts';
import {
  deleteExpiredAccessTokens,
  findAccountOfToken,
  insertAccessToken,
  revokeAccessToken,
} from '../catalog/access-tokens.ts';
import { findApiKeyByPublicKey, insertApiKey } from '../catalog/api-keys.ts';
import type { Catalog, CatalogReader } from '../catalog/catalog.ts';
import { decodeOrganizationSettings, findOrganization } from '../catalog/organizations.ts';
import { insertRoleAssignments, rolesOfPrincipal } from '../catalog/role-assignments.ts';
import type { PrincipalKind, RoleAssignmentRow } from '../catalog/schema.ts';
import {
  findServiceAccountByClientId,
  insertServiceAccount,
  insertServiceAccountSecret,
  noteSecretUsed,
  secretsOfServiceAccount,
} from '../catalog/service-accounts.ts';
import type { IdSource } from '../lib/ids.ts';
import { isOrganizationRole, isProjectRole, type RoleAssignment } from './roles.ts';
import type { AuthStores } from './stores.ts';

/** The stores over the catalog. Every write is one transaction. */
export function catalogAuthStores(catalog: Catalog, ids: IdSource): AuthStores {
  return {
    apiKeys: {
      async findByPublicKey(publicKey) {
        const row = await findApiKeyByPublicKey(catalog.reader, publicKey);
        if (row === undefined) return null;
        const { id, deletedAtMs: _, ...rest } = row;
        return { apiKey: { apiKeyId: id, ...rest }, roles: await rolesOf(catalog.reader, 'apiKey', id) };
      },
      async insert({ apiKeyId, ...rest }, roles) {
        await catalog.transact(async (writer) => {
          await insertApiKey(writer, { id: apiKeyId, ...rest, deletedAtMs: null });
          await insertRoleAssignments(writer, rowsOf(ids, 'apiKey', apiKeyId, roles));
        });
      },
    },
    serviceAccounts: {
      async findByClientId(clientId) {
        const row = await findServiceAccountByClientId(catalog.reader, clientId);
        if (row === undefined) return null;
        const { id, deletedAtMs: _, ...rest } = row;
        const secrets = await secretsOfServiceAccount(catalog.reader, id);
        return {
          account: { serviceAccountId: id, ...rest },
          secrets: secrets.map(({ id: secretId, lastUsedAtMs: _lastUsed, ...secret }) => ({ secretId, ...secret })),
        };
      },
      async insert({ serviceAccountId, ...account }, { secretId, ...secret }, roles) {
        await catalog.transact(async (writer) => {
          await insertServiceAccount(writer, { id: serviceAccountId, ...account, deletedAtMs: null });
          await insertServiceAccountSecret(writer, { id: secretId, ...secret, lastUsedAtMs: null });
          await insertRoleAssignments(writer, rowsOf(ids, 'serviceAccount', serviceAccountId, roles));
        });
      },
    },
    accessLists: {
      async entriesOf(kind, id) {
        const rows = await accessListOf(catalog.reader, { kind, id });
        return rows.map(({ id: entryId, cidrBlock }) => ({ entryId, cidrBlock }));
      },
      async isRequired(organizationId) {
        const organization = await findOrganization(catalog.reader, organizationId);
        if (organization === undefined) return true;
        return decodeOrganizationSettings(organization.settings).apiAccessListRequired ?? false;
      },
      async noteUse(entryId, use) {
        await catalog.transact(async (writer) => await noteAccessListUse(writer, entryId, use));
      },
    },
    accessTokens: {
      async insert(token, secretId) {
        await catalog.transact(async (writer) => {
          await deleteExpiredAccessTokens(writer, token.issuedAtMs);
          await insertAccessToken(writer, { ...token, secretId, revokedAtMs: null });
          await noteSecretUsed(writer, secretId, token.issuedAtMs);
        });
      },
      async findLive(tokenHash, nowMs) {
        const row = await findAccountOfToken(catalog.reader, tokenHash, nowMs);
        if (row === undefined) return null;
        const { id, deletedAtMs: _, ...rest } = row;
        return {
          account: { serviceAccountId: id, ...rest },
          roles: await rolesOf(catalog.reader, 'serviceAccount', id),
        };
      },
      async revoke(tokenHash, serviceAccountId, revokedAtMs) {
        await catalog.transact(
          async (writer) => await revokeAccessToken(writer, { tokenHash, serviceAccountId, revokedAtMs }),
        );
      },
    },
  };
}

async function rolesOf(reader: CatalogReader, kind: PrincipalKind, principalId: string): Promise<RoleAssignment[]> {
  const rows = await rolesOfPrincipal(reader, kind, principalId);
  return rows.map(assignmentOf).filter((assignment) => assignment !== null);
}

/** Null for a role that this version does not know, which then gives no rights. */
function assignmentOf({ roleName, projectId, organizationId }: RoleAssignmentRow): RoleAssignment | null {
  if (projectId !== null && isProjectRole(roleName)) return { role: roleName, projectId, organizationId: null };
  if (organizationId !== null && isOrganizationRole(roleName)) {
    return { role: roleName, organizationId, projectId: null };
  }
  return null;
}

function rowsOf(
  ids: IdSource,
  principalKind: PrincipalKind,
  principalId: string,
  roles: readonly RoleAssignment[],
): RoleAssignmentRow[] {
  return roles.map(({ role, organizationId, projectId }) => ({
    id: ids.next(),
    principalKind,
    principalId,
    organizationId,
    projectId,
    roleName: role,
  }));
}
