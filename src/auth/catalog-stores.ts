import { accessListOf, noteAccessListUse } from '../catalog/access-lists.ts';
import {
  deleteExpiredAccessTokens,
  findAccountOfToken,
  insertAccessToken,
  revokeAccessToken,
} from '../catalog/access-tokens.ts';
import { findApiKeyByPublicKey } from '../catalog/api-keys.ts';
import type { Catalog, CatalogReader } from '../catalog/catalog.ts';
import { decodeOrganizationSettings, findOrganization } from '../catalog/organizations.ts';
import { rolesOfPrincipal } from '../catalog/role-assignments.ts';
import type { PrincipalKind, RoleAssignmentRow } from '../catalog/schema.ts';
import { findServiceAccountByClientId, noteSecretUsed, secretsOfServiceAccount } from '../catalog/service-accounts.ts';
import { isOrganizationRole, isProjectRole, type RoleAssignment } from './roles.ts';
import type { AuthStores } from './stores.ts';

/** The stores over the catalog. Every write is one transaction. */
export function catalogAuthStores(catalog: Catalog): AuthStores {
  return {
    apiKeys: {
      async findByPublicKey(publicKey) {
        const apiKey = await findApiKeyByPublicKey(catalog.reader, publicKey);
        return apiKey === undefined ? null : { apiKey, roles: await rolesOf(catalog.reader, 'apiKey', apiKey.id) };
      },
    },
    serviceAccounts: {
      async findByClientId(clientId) {
        const account = await findServiceAccountByClientId(catalog.reader, clientId);
        if (account === undefined) return null;
        return { account, secrets: await secretsOfServiceAccount(catalog.reader, account.id) };
      },
    },
    accessLists: {
      entriesOf: async (kind, id) => await accessListOf(catalog.reader, { kind, id }),
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
        const account = await findAccountOfToken(catalog.reader, tokenHash, nowMs);
        if (account === undefined) return null;
        return { account, roles: await rolesOf(catalog.reader, 'serviceAccount', account.id) };
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
