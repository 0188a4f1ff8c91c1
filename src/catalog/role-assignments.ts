import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { PrincipalKind, RoleAssignmentRow } from './schema.ts';

export async function insertRoleAssignments(
  writer: CatalogWriter,
  assignments: readonly RoleAssignmentRow[],
): Promise<void> {
  if (assignments.length === 0) return;
  await writer
    .insertInto('roleAssignments')
    .values([...assignments])
    .execute();
}

export async function rolesOfPrincipal(
  reader: CatalogReader,
  principalKind: PrincipalKind,
  principalId: string,
): Promise<RoleAssignmentRow[]> {
  return await reader
    .selectFrom('roleAssignments')
    .selectAll()
    .where('principalKind', '=', principalKind)
    .where('principalId', '=', principalId)
    .orderBy('id')
    .execute();
}

/** Of many at once: a page of a list asks one time and not once a row. */
export async function rolesOfPrincipals(
  reader: CatalogReader,
  principalKind: PrincipalKind,
  principalIds: readonly string[],
): Promise<RoleAssignmentRow[]> {
  if (principalIds.length === 0) return [];
  return await reader
    .selectFrom('roleAssignments')
    .selectAll()
    .where('principalKind', '=', principalKind)
    .where('principalId', 'in', principalIds)
    .orderBy('id')
    .execute();
}

export async function allRoleAssignments(reader: CatalogReader): Promise<RoleAssignmentRow[]> {
  return await reader.selectFrom('roleAssignments').selectAll().orderBy('id').execute();
}

/** Roles that the caller has where the filter says; a project's, an organization's own, or all. */
export async function deleteRolesOfPrincipal(
  writer: CatalogWriter,
  principal: { kind: PrincipalKind; id: string },
  within: { projectId: string } | { organizationId: string } | 'everywhere',
): Promise<void> {
  let rows = writer
    .deleteFrom('roleAssignments')
    .where('principalKind', '=', principal.kind)
    .where('principalId', '=', principal.id);
  if (within !== 'everywhere') {
    rows =
      'projectId' in within
        ? rows.where('projectId', '=', within.projectId)
        : rows.where('organizationId', '=', within.organizationId);
  }
  await rows.execute();
}

export async function deleteRoleAssignmentsOfProject(writer: CatalogWriter, projectId: string): Promise<void> {
  await writer.deleteFrom('roleAssignments').where('projectId', '=', projectId).execute();
}

/** Who has the role in the organization. */
export async function principalsWithRole(
  reader: CatalogReader,
  organizationId: string,
  roleName: string,
): Promise<Pick<RoleAssignmentRow, 'principalKind' | 'principalId'>[]> {
  return await reader
    .selectFrom('roleAssignments')
    .select(['principalKind', 'principalId'])
    .where('organizationId', '=', organizationId)
    .where('roleName', '=', roleName)
    .execute();
}
