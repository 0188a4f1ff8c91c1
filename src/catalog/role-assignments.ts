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

export async function allRoleAssignments(reader: CatalogReader): Promise<RoleAssignmentRow[]> {
  return await reader.selectFrom('roleAssignments').selectAll().orderBy('id').execute();
}
