import { ProjectSettings, type projectOperations } from '../../../contract/projects.ts';
import { rolesInOrganization } from '../../auth/roles.ts';
import type { HandlersOf } from '../call.ts';
import { HttpRefusal } from '../http-refusals.ts';
import { projectBody, projectSettingsBody } from '../wire/organization.ts';

export const projectHandlers: HandlersOf<typeof projectOperations> = {
  async createGroup({ caller, body, domain, links }) {
    const { id: organizationId } = await domain.organizations.get(body.orgId);
    const roles = rolesInOrganization(caller, organizationId);
    if (roles.size === 0) throw new HttpRefusal('USER_CANNOT_ACCESS_ORG');
    if (!roles.has('ORG_GROUP_CREATOR')) throw new HttpRefusal('NOT_ORG_GROUP_CREATOR');
    const { tags, withDefaultAlertsSettings: withDefaultAlerts } = body;
    const project = await domain.projects.create({
      organizationId,
      name: body.name,
      settings: {
        ...(tags === undefined ? {} : { tags }),
        ...(withDefaultAlerts === undefined ? {} : { withDefaultAlerts }),
      },
      owner: { kind: caller.kind, id: caller.id },
    });
    return projectBody(project, links);
  },

  async updateGroup({ params, body, domain, links }) {
    const { name, tags } = body;
    const project = await domain.projects.update({
      projectId: params.groupId,
      ...(name === undefined ? {} : { name }),
      ...(tags === undefined ? {} : { settings: { tags } }),
    });
    return projectBody(project, links);
  },

  async deleteGroup({ params, domain }) {
    await domain.projects.delete(params.groupId);
    return undefined;
  },

  async getGroupSettings({ project }) {
    return projectSettingsBody(project);
  },

  async updateGroupSettings({ params, body, domain }) {
    const known = Object.keys(ProjectSettings.properties);
    const switches = Object.fromEntries(Object.entries(body).filter(([name]) => known.includes(name)));
    return projectSettingsBody(await domain.projects.update({ projectId: params.groupId, settings: { switches } }));
  },

  async listGroupLimits() {
    return [];
  },

  async listGroupTeams() {
    return { items: [], totalCount: 0 };
  },

  async getGroupIpAddresses({ params }) {
    return { groupId: params.groupId, services: { clusters: [] } };
  },

  async getGroupManagedSlowMs({ project }) {
    return project.settings.managedSlowMs ?? false;
  },

  async enableGroupManagedSlowMs({ params, domain }) {
    await domain.projects.update({ projectId: params.groupId, settings: { managedSlowMs: true } });
    return undefined;
  },

  async disableGroupManagedSlowMs({ params, domain }) {
    await domain.projects.update({ projectId: params.groupId, settings: { managedSlowMs: false } });
    return undefined;
  },
};
