import { deleteAccessListOf } from '../../catalog/access-lists.ts';
import {
  findApiKey,
  findApiKeyByPublicKey,
  ha1Context,
  insertApiKey,
  listApiKeys,
  updateApiKey,
} from '../../catalog/api-keys.ts';
import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { mapPage } from '../../catalog/page.ts';
import { deleteRolesOfPrincipal } from '../../catalog/role-assignments.ts';
import type { ApiKeyRow } from '../../catalog/schema.ts';
import { Bug } from '../../lib/assert.ts';
import type { DomainContext } from '../context.ts';
import { requireOrganization, requireProject } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import type { ApiKey, ApiKeys, CredentialMint, GivenRole, Place } from './credentials.ts';
import { checkRoleNames, givenRoles, givenRolesOf, keepingAnOwner, writeRoles } from './given-roles.ts';

const MINT_ATTEMPTS_MAX = 8;

export function createApiKeys(context: DomainContext, mint: CredentialMint): ApiKeys {
  const { catalog } = context;

  return {
    list: async ({ place, page }) => {
      const found = await listApiKeys(catalog.reader, { place, page });
      const ids = found.items.map(({ id }) => id);
      const roles = await givenRolesOf(catalog.reader, 'apiKey', ids);
      return mapPage(found, (row) => shownKey(row, roles.get(row.id) ?? []));
    },

    get: async ({ place, apiKeyId }) =>
      await viewOf(catalog.reader, await requireApiKey(catalog.reader, place, apiKeyId)),

    create: async ({ place, description, roleNames }) => {
      checkRoleNames(place, roleNames);
      return await catalog.transact(async (writer) => {
        const organizationId = await organizationOf(writer, place);
        const { row, privateKey } = await newApiKey(writer, context, mint, { organizationId, description });
        await writeRoles(writer, context, { kind: 'apiKey', id: row.id }, place, roleNames);
        return { ...(await viewOf(writer, row)), privateKey };
      });
    },

    update: async ({ place, apiKeyId, description, roleNames }) => {
      if (roleNames !== undefined) checkRoleNames(place, roleNames);
      return await catalog.transact(async (writer) => {
        const row = await requireApiKey(writer, place, apiKeyId);
        if (description !== undefined && description !== row.description)
          await refuseReachingFurther(writer, row, place);
        return await keepingAnOwner(writer, context, row.organizationId, async () => {
          if (description !== undefined) await updateApiKey(writer, row.id, { description });
          if (roleNames !== undefined) {
            await writeRoles(writer, context, { kind: 'apiKey', id: row.id }, place, roleNames);
          }
          return await viewOf(writer, { ...row, description: description ?? row.description });
        });
      });
    },

    assign: async ({ projectId, apiKeyId, roleNames }) => {
      checkRoleNames({ projectId }, roleNames);
      return await catalog.transact(async (writer) => {
        const { organizationId } = await requireProject(writer, projectId);
        const row = await requireApiKey(writer, { organizationId }, apiKeyId);
        await writeRoles(writer, context, { kind: 'apiKey', id: row.id }, { projectId }, roleNames);
        return await viewOf(writer, row);
      });
    },

    remove: async ({ place, apiKeyId }) => {
      await catalog.transact(async (writer) => {
        const row = await requireApiKey(writer, place, apiKeyId);
        const principal = { kind: 'apiKey', id: row.id } as const;
        if ('projectId' in place) return await deleteRolesOfPrincipal(writer, principal, place);
        await keepingAnOwner(writer, context, row.organizationId, async () => {
          await deleteRolesOfPrincipal(writer, principal, 'everywhere');
          await deleteAccessListOf(writer, principal);
          await updateApiKey(writer, row.id, { deletedAtMs: context.clock.nowMs() });
        });
      });
    },
  };
}

/** The organization that what is made in the place belongs to. */
export async function organizationOf(reader: CatalogReader, place: Place): Promise<string> {
  if ('projectId' in place) return (await requireProject(reader, place.projectId)).organizationId;
  return (await requireOrganization(reader, place.organizationId)).id;
}

async function newApiKey(
  writer: CatalogWriter,
  { ids, clock, secretBox }: DomainContext,
  mint: CredentialMint,
  request: { organizationId: string; description: string },
): Promise<{ row: ApiKeyRow; privateKey: string }> {
  for (let attempt = 0; attempt < MINT_ATTEMPTS_MAX; attempt++) {
    const { publicKey, privateKey, ha1 } = mint.apiKey();
    if ((await findApiKeyByPublicKey(writer, publicKey)) !== undefined) continue;
    const id = ids.next();
    const row: ApiKeyRow = {
      ...request,
      id,
      publicKey,
      sealedHa1: secretBox.seal(ha1, ha1Context(id)),
      privateKeyTail: privateKey.slice(-12),
      createdAtMs: clock.nowMs(),
      deletedAtMs: null,
    };
    await insertApiKey(writer, row);
    return { row, privateKey };
  }
  throw new Bug('the source of randomness repeats itself: no unused public key was found');
}

async function requireApiKey(reader: CatalogReader, place: Place, apiKeyId: string): Promise<ApiKeyRow> {
  const row = await findApiKey(reader, place, apiKeyId);
  if (row === undefined) throw refuse('API_KEY_NOT_FOUND', [apiKeyId]);
  return row;
}

/**
 * A key with rights elsewhere is described by those who gave it these: a project's owner could name an organization
 * owner's key as something else.
 */
async function refuseReachingFurther(reader: CatalogReader, { id }: ApiKeyRow, place: Place): Promise<void> {
  if (!('projectId' in place)) return;
  const roles = await givenRoles(reader, { kind: 'apiKey', id });
  if (roles.every(({ projectId }) => projectId === place.projectId)) return;
  throw refuse('API_KEY_REACHES_BEYOND_PROJECT', [id, place.projectId]);
}

async function viewOf(reader: CatalogReader, row: ApiKeyRow): Promise<ApiKey> {
  return shownKey(row, await givenRoles(reader, { kind: 'apiKey', id: row.id }));
}

function shownKey(row: ApiKeyRow, roles: GivenRole[]): ApiKey {
  const { id, organizationId, publicKey, description, privateKeyTail } = row;
  return { id, organizationId, publicKey, description, privateKeyTail, roles };
}
