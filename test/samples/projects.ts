import type { Domain } from '../../src/domain/domain.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { addsOnly, noBackups } from './bound-project.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { pageOf, projectRow, sampleIds } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const projectsSamples: ResourceSamples = {
  operations: {
    createGroup: {
      who: 'every role',
      body: { name: 'Fresh', orgId: sampleIds.organization },
      comesDownTo: ['projects.create'],
    },
    updateGroup: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: { name: 'Renamed', tags: [{ key: 'team', value: 'shop' }] },
      comesDownTo: ['projects.update'],
    },
    deleteGroup: { who: 'GROUP_OWNER ORG_OWNER', comesDownTo: ['projects.delete'] },
    getGroupSettings: { who: readers },
    updateGroupSettings: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: { isDataExplorerEnabled: true },
      comesDownTo: ['projects.update'],
    },
    listGroupLimits: { who: readers },
    listGroupTeams: { who: readers },
    getGroupIpAddresses: { who: readers },
    getGroupManagedSlowMs: { who: readers },
    enableGroupManagedSlowMs: { who: 'GROUP_OWNER ORG_OWNER', comesDownTo: ['projects.update'] },
    disableGroupManagedSlowMs: { who: 'GROUP_OWNER ORG_OWNER', comesDownTo: ['projects.update'] },
  },
  verdicts: {
    'projects.create': addsOnly,
    'projects.update': noBackups,
    'projects.delete': {
      bound: [
        [
          'CANNOT_CLOSE_GROUP_ACTIVE_BACKUP_COMPLIANCE_POLICY',
          ({ domain, name }) => domain.projects.delete(name.projectId),
        ],
      ],
    },
  },
};

export function projectsNoun({ note, projects, seesProject, named, projectNamed }: SampleParts): Domain['projects'] {
  return {
    async list({ visibleTo, organizationId, nameFilter, page }) {
      const seen = projects.filter(
        (project) =>
          seesProject(visibleTo, project) &&
          (organizationId === undefined || project.organizationId === organizationId),
      );
      return pageOf(seen.filter(named(nameFilter)), page);
    },
    get: async (projectId) => projectNamed(projectId),
    async getByName(name) {
      const found = projects.find((project) => project.name === name);
      if (found === undefined) throw refuse('GROUP_NAME_NOT_FOUND', [name]);
      return found;
    },
    async create({ organizationId, name, ...request }) {
      note('projects.create', { organizationId, name, ...request });
      return projectRow(sampleIds.unknown, organizationId, name, 0);
    },
    async update({ projectId, name, settings = {} }) {
      const found = projectNamed(projectId);
      note('projects.update', { projectId, name, settings });
      return { ...found, name: name ?? found.name, settings };
    },
    async delete(projectId) {
      projectNamed(projectId);
      note('projects.delete', projectId);
    },
  };
}
