import { findOrganization } from '../../catalog/organizations.ts';
import { findProjectByName, insertProject, listProjects } from '../../catalog/projects.ts';
import type { DomainContext } from '../context.ts';
import type { Projects } from '../domain.ts';
import { requireProject } from '../find-resource.ts';
import { refuse } from '../refusals.ts';
import { queueCatalogCopy } from '../repositories/catalog-copy-task.ts';

export function createProjects(context: DomainContext): Projects {
  const { catalog, clock, ids } = context;
  return {
    list: async (query) => await listProjects(catalog.reader, query),

    get: async (projectId) => await requireProject(catalog.reader, projectId),

    getByName: async (name) => {
      const project = await findProjectByName(catalog.reader, name);
      if (project === undefined) throw refuse('GROUP_NAME_NOT_FOUND', [name]);
      return project;
    },

    create: async ({ organizationId, name }) => {
      const project = { id: ids.next(), organizationId, name, createdAtMs: clock.nowMs() };
      await catalog.transact(async (writer) => {
        if ((await findOrganization(writer, organizationId)) === undefined)
          throw refuse('RESOURCE_NOT_FOUND', [`/orgs/${organizationId}`]);
        if ((await findProjectByName(writer, name)) !== undefined) throw refuse('GROUP_ALREADY_EXISTS', [name]);
        await insertProject(writer, project);
        await queueCatalogCopy(writer, context);
      });
      context.wakeWorker();
      return { ...project, clusterCount: 0 };
    },
  };
}
