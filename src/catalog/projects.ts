import type { ExpressionBuilder, Insertable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { mapPage, type Page, type PageRequest, readPage } from './page.ts';
import type { ProjectRow, ProjectTable, Tables } from './schema.ts';
import { nameMatches, type Visibility, visibleProject } from './visibility.ts';

/** A label that people give to a project. */
export interface Tag {
  key: string;
  value: string;
}

/** What was decided about a project; what was never decided is absent. */
export interface ProjectSettings {
  tags?: Tag[];
  withDefaultAlerts?: boolean;
  managedSlowMs?: boolean;
  /** By the names that the API gives them. */
  switches?: Record<string, boolean>;
}

export type CountedProject = Omit<ProjectRow, 'settings'> & { settings: ProjectSettings; clusterCount: number };

type CountedRow = ProjectRow & { clusterCount: number };

function decoded({ settings, ...project }: CountedRow): CountedProject {
  return { ...project, settings: JSON.parse(settings) as ProjectSettings };
}

export async function insertProject(writer: CatalogWriter, project: Insertable<ProjectTable>): Promise<void> {
  await writer.insertInto('projects').values(project).execute();
}

/** One that was not deleted. */
export async function findProject(reader: CatalogReader, id: string): Promise<CountedProject | undefined> {
  const found = await counted(reader).where('projects.id', '=', id).executeTakeFirst();
  return found === undefined ? undefined : decoded(found);
}

/** One that was not deleted. */
export async function findProjectByName(reader: CatalogReader, name: string): Promise<CountedProject | undefined> {
  const found = await counted(reader).where('projects.name', '=', name).executeTakeFirst();
  return found === undefined ? undefined : decoded(found);
}

export async function updateProject(
  writer: CatalogWriter,
  id: string,
  changes: { name?: string; settings?: ProjectSettings },
): Promise<void> {
  const { settings, ...rest } = changes;
  const columns = { ...rest, ...(settings === undefined ? {} : { settings: JSON.stringify(settings) }) };
  await writer.updateTable('projects').set(columns).where('id', '=', id).execute();
}

/** Gives the name back: names are unique also among the deleted, and no project may have a name with this mark. */
export async function markProjectDeleted(
  writer: CatalogWriter,
  { id, name }: { id: string; name: string },
  deletedAtMs: number,
): Promise<void> {
  const changes = { name: `${name} #${id}`, deletedAtMs };
  await writer.updateTable('projects').set(changes).where('id', '=', id).execute();
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
    .where('projects.deletedAtMs', 'is', null)
    .where((e) => visibleProject(e, query.visibleTo))
    .where((e) => nameMatches('projects.name', query.nameFilter, e));
  if (query.organizationId !== undefined)
    filtered = filtered.where('projects.organizationId', '=', query.organizationId);
  const page = await readPage(query.page, filtered, (rows) =>
    rows.selectAll('projects').select(clusterCount).orderBy('projects.createdAtMs').orderBy('projects.id'),
  );
  return mapPage(page, decoded);
}

function counted(reader: CatalogReader) {
  return reader
    .selectFrom('projects')
    .selectAll('projects')
    .select(clusterCount)
    .where('projects.deletedAtMs', 'is', null);
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
