import { findOrganization } from '../../catalog/organizations.ts';
import {
  findProjectByName,
  insertProject,
  listProjects,
  type ProjectSettings,
  updateProject,
} from '../../catalog/projects.ts';
import { insertRoleAssignments } from '../../catalog/role-assignments.ts';
import type { DomainContext } from '../context.ts';
import { requireProject } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import { closeProject } from './close-project.ts';
import type { Projects } from './projects.ts';

/** Atlas's rule for project names, and the space that its own names have. */
const PROJECT_NAME = /^[\p{L}\p{N}\-_.(),:&@+' ]{1,64}$/u;

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

    create: async ({ organizationId, name, settings = {}, owner }) => {
      checkName(name);
      const project = { id: ids.next(), organizationId, name, createdAtMs: clock.nowMs() };
      await catalog.transact(async (writer) => {
        if ((await findOrganization(writer, organizationId)) === undefined)
          throw refuse('RESOURCE_NOT_FOUND', [`/orgs/${organizationId}`]);
        if ((await findProjectByName(writer, name)) !== undefined) throw refuse('GROUP_ALREADY_EXISTS', [name]);
        await insertProject(writer, { ...project, settings: JSON.stringify(settings) });
        if (owner !== undefined) {
          const { kind: principalKind, id: principalId } = owner;
          const given = { projectId: project.id, organizationId: null, roleName: 'GROUP_OWNER' };
          await insertRoleAssignments(writer, [{ id: ids.next(), principalKind, principalId, ...given }]);
        }
      });
      return { ...project, settings, clusterCount: 0 };
    },

    update: async ({ projectId, name, settings }) => {
      if (name !== undefined) checkName(name);
      return await catalog.transact(async (writer) => {
        const project = await requireProject(writer, projectId);
        if (name !== undefined && name !== project.name && (await findProjectByName(writer, name)) !== undefined)
          throw refuse('GROUP_ALREADY_EXISTS', [name]);
        const merged = mergedSettings(project.settings, settings ?? {});
        await updateProject(writer, projectId, { settings: merged, ...(name === undefined ? {} : { name }) });
        return { ...project, name: name ?? project.name, settings: merged };
      });
    },

    delete: async (projectId) => {
      await catalog.transact(async (writer) => await closeProject(writer, context, projectId));
    },
  };
}

function mergedSettings(before: ProjectSettings, change: ProjectSettings): ProjectSettings {
  const merged = { ...before, ...change };
  if (before.switches === undefined && change.switches === undefined) return merged;
  return { ...merged, switches: { ...before.switches, ...change.switches } };
}

function checkName(name: string): void {
  if (PROJECT_NAME.test(name)) return;
  const description = "must be 1 to 64 letters, digits, spaces and characters of -_.(),:&@+'";
  throw refuse('VALIDATION_ERROR', [`name ${description}`], [{ field: 'name', description }]);
}
