import { deleteAccessListOf } from '../../catalog/access-lists.ts';
import { deleteTokensOfAccount } from '../../catalog/access-tokens.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import { mapPage } from '../../catalog/page.ts';
import { deleteRolesOfPrincipal } from '../../catalog/role-assignments.ts';
import type { ServiceAccountRow, ServiceAccountSecretRow } from '../../catalog/schema.ts';
import {
  insertServiceAccount,
  listServiceAccounts,
  secretsOfServiceAccount,
  secretsOfServiceAccounts,
  updateServiceAccount,
} from '../../catalog/service-accounts.ts';
import type { DomainContext } from '../context.ts';
import { requireProject } from '../find-resource.ts';
import {
  type Changing,
  createAccountSecrets,
  newSecret,
  refuseAnothersOwn,
  refuseReachingFurther,
  requireAccount,
  secretView,
} from './account-secrets.ts';
import { organizationOf } from './api-keys.ts';
import type { CredentialMint, GivenRole, ServiceAccount, ServiceAccounts } from './credentials.ts';
import { checkRoleNames, givenRoles, givenRolesOf, keepingAnOwner, writeRoles } from './given-roles.ts';

export function createServiceAccounts(context: DomainContext, mint: CredentialMint): ServiceAccounts {
  const { catalog, clock, ids } = context;

  const changing: Changing = async (work) => await catalog.transact(work);

  return {
    list: async ({ place, page }) => {
      const found = await listServiceAccounts(catalog.reader, { place, page });
      const accountIds = found.items.map(({ id }) => id);
      const roles = await givenRolesOf(catalog.reader, 'serviceAccount', accountIds);
      const secrets = Map.groupBy(
        await secretsOfServiceAccounts(catalog.reader, accountIds),
        ({ serviceAccountId }) => serviceAccountId,
      );
      return mapPage(found, (row) => shownAccount(row, roles.get(row.id) ?? [], secrets.get(row.id) ?? []));
    },

    get: async ({ place, clientId }) =>
      await viewOf(catalog.reader, await requireAccount(catalog.reader, place, clientId)),

    forChange: async ({ place, clientId }) => {
      const row = await requireAccount(catalog.reader, place, clientId);
      await refuseReachingFurther(catalog.reader, row, place);
      return await viewOf(catalog.reader, row);
    },

    create: async ({ place, name, description, roleNames, secretExpiresAfterHours }) => {
      checkRoleNames(place, roleNames);
      return await changing(async (writer) => {
        const id = ids.next();
        const organizationId = await organizationOf(writer, place);
        const clientId = `mdb_sa_id_${id}`;
        const row = { id, organizationId, clientId, name, description, createdAtMs: clock.nowMs(), deletedAtMs: null };
        await insertServiceAccount(writer, row);
        const { secret } = await newSecret(writer, context, mint, { account: row, hours: secretExpiresAfterHours });
        await writeRoles(writer, context, { kind: 'serviceAccount', id }, place, roleNames);
        return { ...(await viewOf(writer, row)), secret };
      });
    },

    update: async ({ place, clientId, name, description, roleNames }) => {
      if (roleNames !== undefined) checkRoleNames(place, roleNames);
      return await changing(async (writer) => {
        const row = await requireAccount(writer, place, clientId);
        const changes = {
          ...(name === undefined ? {} : { name }),
          ...(description === undefined ? {} : { description }),
        };
        if (Object.keys(changes).length > 0) {
          await refuseReachingFurther(writer, row, place);
          await updateServiceAccount(writer, row.id, changes);
        }
        return await keepingAnOwner(writer, context, row.organizationId, async () => {
          if (roleNames !== undefined)
            await writeRoles(writer, context, { kind: 'serviceAccount', id: row.id }, place, roleNames);
          return await viewOf(writer, { ...row, ...changes });
        });
      });
    },

    assign: async ({ projectId, clientId, roleNames }) => {
      checkRoleNames({ projectId }, roleNames);
      return await changing(async (writer) => {
        const { organizationId } = await requireProject(writer, projectId);
        const row = await requireAccount(writer, { organizationId }, clientId);
        await refuseAnothersOwn(writer, row, projectId);
        await writeRoles(writer, context, { kind: 'serviceAccount', id: row.id }, { projectId }, roleNames);
        return await viewOf(writer, row);
      });
    },

    remove: async ({ place, clientId }) => {
      await changing(async (writer) => {
        const row = await requireAccount(writer, place, clientId);
        const principal = { kind: 'serviceAccount', id: row.id } as const;
        if ('projectId' in place) return await deleteRolesOfPrincipal(writer, principal, place);
        await keepingAnOwner(writer, context, row.organizationId, async () => {
          await deleteRolesOfPrincipal(writer, principal, 'everywhere');
          await deleteAccessListOf(writer, principal);
          await deleteTokensOfAccount(writer, row.id);
          await updateServiceAccount(writer, row.id, { deletedAtMs: clock.nowMs() });
        });
      });
    },

    ...createAccountSecrets(context, mint, changing),
  };
}

async function viewOf(reader: CatalogReader, row: ServiceAccountRow): Promise<ServiceAccount> {
  const secrets = await secretsOfServiceAccount(reader, row.id);
  return shownAccount(row, await givenRoles(reader, { kind: 'serviceAccount', id: row.id }), secrets);
}

function shownAccount(
  { deletedAtMs: _, ...shown }: ServiceAccountRow,
  roles: GivenRole[],
  secrets: readonly ServiceAccountSecretRow[],
): ServiceAccount {
  return { ...shown, roles, secrets: secrets.map(secretView) };
}
