import { accessListOf } from '../../catalog/access-lists.ts';
import { isApiKeyUsable } from '../../catalog/api-keys.ts';
import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import {
  deleteRolesOfPrincipal,
  insertRoleAssignments,
  principalsWithRole,
  rolesOfPrincipal,
  rolesOfPrincipals,
} from '../../catalog/role-assignments.ts';
import type { PrincipalKind, RoleAssignmentRow } from '../../catalog/schema.ts';
import { isServiceAccountUsable } from '../../catalog/service-accounts.ts';
import type { DomainContext } from '../context.ts';
import { refuse } from '../refusals/refusals.ts';
import type { GivenRole, Place } from './credentials.ts';
import { requiresAccessLists } from './still-admitted.ts';

interface Principal {
  kind: PrincipalKind;
  id: string;
}

export async function givenRoles(reader: CatalogReader, { kind, id }: Principal): Promise<GivenRole[]> {
  return (await rolesOfPrincipal(reader, kind, id)).map(givenRole);
}

/** By the principal's id; one without roles is not in it. */
export async function givenRolesOf(
  reader: CatalogReader,
  kind: PrincipalKind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, GivenRole[]>> {
  const rows = Map.groupBy(await rolesOfPrincipals(reader, kind, ids), ({ principalId }) => principalId);
  return new Map([...rows].map(([id, given]) => [id, given.map(givenRole)]));
}

function givenRole({ roleName, organizationId, projectId }: RoleAssignmentRow): GivenRole {
  return { roleName, organizationId, projectId };
}

/**
 * What the place can give: an organization gives ORG_ roles, a project GROUP_ roles. One that this version does not
 * know is kept, and gives no rights.
 */
export function checkRoleNames(place: Place, roleNames: readonly string[]): void {
  const form = 'projectId' in place ? /^GROUP_[A-Z_]{1,60}$/ : /^ORG_[A-Z_]{1,60}$/;
  const wrong = roleNames.find((name) => !form.test(name));
  if (wrong === undefined && roleNames.length > 0) return;
  const description = wrong === undefined ? 'must name at least one role' : `must not name ${wrong} here`;
  throw refuse('VALIDATION_ERROR', [`roles ${description}`], [{ field: 'roles', description }]);
}

/** Replaces the roles in the place. */
export async function writeRoles(
  writer: CatalogWriter,
  { ids }: Pick<DomainContext, 'ids'>,
  principal: Principal,
  place: Place,
  roleNames: readonly string[],
): Promise<void> {
  await deleteRolesOfPrincipal(writer, principal, place);
  const given = 'projectId' in place ? { organizationId: null, ...place } : { projectId: null, ...place };
  await insertRoleAssignments(
    writer,
    [...new Set(roleNames)].map((roleName) => ({
      id: ids.next(),
      principalKind: principal.kind,
      principalId: principal.id,
      roleName,
      ...given,
    })),
  );
}

/**
 * Whether somebody can still call as an owner of the organization: from somewhere, where an access list is asked for.
 */
export async function hasOwner(reader: CatalogReader, organizationId: string, nowMs: number): Promise<boolean> {
  const listed = await requiresAccessLists(reader, organizationId);
  for (const { principalKind, principalId } of await principalsWithRole(reader, organizationId, 'ORG_OWNER')) {
    if (listed && (await accessListOf(reader, { kind: principalKind, id: principalId })).length === 0) continue;
    const usable =
      principalKind === 'apiKey'
        ? await isApiKeyUsable(reader, principalId)
        : await isServiceAccountUsable(reader, principalId, nowMs);
    if (usable) return true;
  }
  return false;
}

/**
 * Runs a change of callers in which the organization must not lose its last owner: there are no users here who could
 * sign in and make another.
 */
export async function keepingAnOwner<T>(
  writer: CatalogWriter,
  { clock }: Pick<DomainContext, 'clock'>,
  organizationId: string,
  change: () => Promise<T>,
): Promise<T> {
  const before = await hasOwner(writer, organizationId, clock.nowMs());
  const result = await change();
  if (before && !(await hasOwner(writer, organizationId, clock.nowMs())))
    throw refuse('CANNOT_REMOVE_LAST_OWNER', [organizationId]);
  return result;
}
