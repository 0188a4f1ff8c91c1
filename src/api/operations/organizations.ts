import type { organizationOperations } from '../../../contract/organizations.ts';
import { rolesInProject, visibleOrganizations, visibleProjects } from '../../auth/roles.ts';
import type { OrganizationSettings } from '../../domain/organizations/organizations.ts';
import { refuse } from '../../domain/refusals/refusals.ts';
import { askingOf, type HandlersOf } from '../call.ts';
import { mapped } from '../listing.ts';
import { organizationBody, organizationSettingsBody, projectBody } from '../wire/organization.ts';

export const organizationHandlers: HandlersOf<typeof organizationOperations> = {
  async listOrgs({ caller, query, page, domain, links }) {
    const found = await domain.organizations.list({
      visibleTo: visibleOrganizations(caller),
      ...(query.name === undefined ? {} : { nameFilter: query.name }),
      page,
    });
    return mapped(found, (organization) => organizationBody(organization, links));
  },

  async getOrg({ params, domain, links }) {
    return organizationBody(await domain.organizations.get(params.orgId), links);
  },

  async getOrgSettings({ params, domain }) {
    return organizationSettingsBody(await domain.organizations.settings(params.orgId));
  },

  async updateOrgSettings({ params, body, domain, ...call }) {
    const { multiFactorAuthRequired, ...change } = body;
    if (multiFactorAuthRequired === true)
      throw refuse('FEATURE_UNSUPPORTED', ['there are no users here whose second factor could be asked for']);
    return organizationSettingsBody(
      await domain.organizations.updateSettings(params.orgId, settingsOf(change), askingOf(call)),
    );
  },

  async listOrgUsers({ params, domain }) {
    await domain.organizations.get(params.orgId);
    return { items: [], totalCount: 0 };
  },

  async listGroupUsers() {
    return { items: [], totalCount: 0 };
  },

  async getOrgGroups({ params, caller, query, page, domain, links }) {
    const found = await domain.projects.list({
      visibleTo: visibleProjects(caller),
      organizationId: params.orgId,
      ...(query.name === undefined ? {} : { nameFilter: query.name }),
      page,
    });
    return mapped(found, (project) => projectBody(project, links));
  },

  async listGroups({ caller, page, domain, links }) {
    const found = await domain.projects.list({ visibleTo: visibleProjects(caller), page });
    return mapped(found, (project) => projectBody(project, links));
  },

  async getGroup({ project, links }) {
    return projectBody(project, links);
  },

  /** A name tells nothing of the project's existence to those who may not see it. */
  async getGroupByName({ params, caller, domain, links }) {
    const project = await domain.projects.getByName(params.groupName);
    const { id: projectId, organizationId } = project;
    if (rolesInProject(caller, { projectId, organizationId }).size === 0) {
      throw refuse('GROUP_NAME_NOT_FOUND', [params.groupName]);
    }
    return projectBody(project, links);
  },
};

/** Only what we know, and what was said. */
function settingsOf(asked: OrganizationSettings): OrganizationSettings {
  const names = [
    'apiAccessListRequired',
    'genAIFeaturesEnabled',
    'maxServiceAccountSecretValidityInHours',
    'restrictEmployeeAccess',
    'securityContact',
  ] as const;
  return Object.fromEntries(names.filter((name) => asked[name] !== undefined).map((name) => [name, asked[name]]));
}
