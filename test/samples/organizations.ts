import type { Domain } from '../../src/domain/domain.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { addsOnly, noBackups } from './bound-project.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { organizationRow, pageOf, sampleIds } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const organizationsSamples: ResourceSamples = {
  operations: {
    listOrgUsers: { who: 'every role' },
    listOrgs: { who: 'every role' },
    getOrg: { who: 'every role' },
    getOrgSettings: { who: 'every role' },
    updateOrgSettings: {
      who: 'ORG_OWNER',
      body: { restrictEmployeeAccess: true },
      comesDownTo: ['organizations.updateSettings'],
    },
    getOrgGroups: { who: 'every role' },
    listGroups: { who: 'every role' },
    getGroup: { who: readers },
    getGroupByName: { who: 'every role' },
    listGroupUsers: { who: readers },
  },
  verdicts: {
    'organizations.create': addsOnly,
    'organizations.updateSettings': noBackups,
  },
};

export function organizationsNoun({ note, organizations, projects, named }: SampleParts): Domain['organizations'] {
  return {
    async list({ visibleTo, nameFilter, page }) {
      const seen = organizations.filter(
        ({ id }) =>
          visibleTo === 'everything' ||
          visibleTo.organizationIds.includes(id) ||
          projects.some((project) => project.organizationId === id && visibleTo.projectIds.includes(project.id)),
      );
      return pageOf(seen.filter(named(nameFilter)), page);
    },
    async get(id) {
      const found = organizations.find((organization) => organization.id === id);
      if (found === undefined) throw refuse('RESOURCE_NOT_FOUND', [`/api/atlas/v2/orgs/${id}`]);
      return found;
    },
    create: async ({ name }) => organizationRow(sampleIds.unknown, name),
    settings: async () => ({}),
    async updateSettings(organizationId, change) {
      note('organizations.updateSettings', { organizationId, change });
      return change;
    },
  };
}
