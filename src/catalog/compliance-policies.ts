import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { CompliancePolicyItemRow, CompliancePolicyRow } from './schema.ts';

export interface StoredCompliancePolicy {
  row: CompliancePolicyRow;
  /** In the order in which they were sent. */
  items: CompliancePolicyItemRow[];
}

export async function findCompliancePolicy(
  reader: CatalogReader,
  projectId: string,
): Promise<StoredCompliancePolicy | undefined> {
  const row = await reader
    .selectFrom('compliancePolicies')
    .selectAll()
    .where('projectId', '=', projectId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const items = await reader
    .selectFrom('compliancePolicyItems')
    .selectAll()
    .where('projectId', '=', projectId)
    .orderBy('position')
    .execute();
  return { row, items };
}

export async function writeCompliancePolicy(
  writer: CatalogWriter,
  { row, items }: { row: CompliancePolicyRow; items: readonly CompliancePolicyItemRow[] },
): Promise<void> {
  await deleteCompliancePolicy(writer, row.projectId);
  await writer.insertInto('compliancePolicies').values(row).execute();
  if (items.length > 0)
    await writer
      .insertInto('compliancePolicyItems')
      .values([...items])
      .execute();
}

export async function deleteCompliancePolicy(writer: CatalogWriter, projectId: string): Promise<void> {
  await writer.deleteFrom('compliancePolicyItems').where('projectId', '=', projectId).execute();
  await writer.deleteFrom('compliancePolicies').where('projectId', '=', projectId).execute();
}

export async function allCompliancePolicies(reader: CatalogReader): Promise<StoredCompliancePolicy[]> {
  const rows = await reader.selectFrom('compliancePolicies').selectAll().orderBy('projectId').execute();
  const items = await reader.selectFrom('compliancePolicyItems').selectAll().orderBy('position').execute();
  return rows.map((row) => ({ row, items: items.filter((item) => item.projectId === row.projectId) }));
}
