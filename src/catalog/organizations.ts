import type { Insertable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { OrganizationRow, OrganizationTable } from './schema.ts';
import { nameMatches, type Visibility, visibleOrganization } from './visibility.ts';

/** What was decided about an organization; what was never decided is absent. */
export interface OrganizationSettings {
  /** API keys and service accounts may be used only from addresses on their access list. */
  apiAccessListRequired?: boolean;
  genAIFeaturesEnabled?: boolean;
  maxServiceAccountSecretValidityInHours?: number;
  restrictEmployeeAccess?: boolean;
  securityContact?: string;
}

export function decodeOrganizationSettings(settings: string): OrganizationSettings {
  return JSON.parse(settings) as OrganizationSettings;
}

export async function updateOrganizationSettings(
  writer: CatalogWriter,
  id: string,
  settings: OrganizationSettings,
): Promise<void> {
  await writer
    .updateTable('organizations')
    .set({ settings: JSON.stringify(settings) })
    .where('id', '=', id)
    .execute();
}

export async function insertOrganization(
  writer: CatalogWriter,
  organization: Insertable<OrganizationTable>,
): Promise<void> {
  await writer.insertInto('organizations').values(organization).execute();
}

export async function findOrganization(reader: CatalogReader, id: string): Promise<OrganizationRow | undefined> {
  return await reader.selectFrom('organizations').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function allOrganizations(reader: CatalogReader): Promise<OrganizationRow[]> {
  return await reader.selectFrom('organizations').selectAll().orderBy('id').execute();
}

/** Oldest first, as an account's own list is read. */
export async function listOrganizations(
  reader: CatalogReader,
  query: { visibleTo: Visibility | 'everything'; nameFilter?: string | undefined; page: PageRequest },
): Promise<Page<OrganizationRow>> {
  const filtered = reader
    .selectFrom('organizations')
    .where((e) => visibleOrganization(e, query.visibleTo))
    .where((e) => nameMatches('organizations.name', query.nameFilter, e));
  return await readPage(query.page, filtered, (rows) => rows.selectAll().orderBy('createdAtMs').orderBy('id'));
}
