import type { ExpressionBuilder, Insertable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { ProjectRow, ProjectTable, Tables } from './schema.ts';
import { nameMatches, type Visibility, visibleProject } from './visibility.ts';

export type CountedProject = ProjectRow & { clusterCount: number };

export async function insertProject(writer: CatalogWriter, project: Insertable<ProjectTable>): Promise<void> {
  await writer.insertInto('projects').values(project).execute();
}

export async function findProject(reader: CatalogReader, id: string): Promise<CountedProject | undefined> {
  return await counted(reader).where('projects.id', '=', id).executeTakeFirst();
}

export async function findProjectByName(reader: CatalogReader, name: string): Promise<CountedProject | undefined> {
  return await counted(reader).where('projects.name', '=', name).executeTakeFirst();
}

export async function allProjects(reader: CatalogReader): Promise<ProjectRow[]> {
  return await reader.selectFrom('projects').selectAll().orderBy('id').execute();
}

/** Oldest first. */
export async function listProjects(
  reader: CatalogReader,
  query: {
    visibleTo: Visibility | 'everything';
    organizationId?: string | undefined;
    nameFilter?: string | undefined;
    page: PageRequest;
  },
): Promise<Page<CountedProject>> {
  let filtered = reader
    .selectFrom('projects')
    .where((e) => visibleProject(e, query.visibleTo))
    .where((e) => nameMatches('projects.name', query.nameFilter, e));
  if (query.organizationId !== undefined)
    filtered = filtered.where('projects.organizationId', '=', query.organizationId);
  return await readPage(query.page, filtered, (rows) =>
    rows.selectAll('projects').select(clusterCount).orderBy('projects.createdAtMs').orderBy('projects.id'),
  );
}

function counted(reader: CatalogReader) {
  return reader.selectFrom('projects').selectAll('projects').select(clusterCount);
}

function clusterCount(e: ExpressionBuilder<Tables, 'projects'>) {
  return e
    .selectFrom('clusters')
    .whereRef('clusters.projectId', '=', 'projects.id')
    .where('clusters.deletedAtMs', 'is', null)
    .select((c) => c.fn.countAll<number>().as('count'))
    .$asScalar()
    .$notNull()
    .as('clusterCount');
}
