import type { Organization as OrganizationBody, Project as ProjectBody } from '../../../contract/organizations.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { Organization, Project } from '../../domain/domain.ts';
import { isoSeconds } from '../../lib/clock.ts';
import type { LinkBuilder } from '../links.ts';

export function organizationBody(organization: Organization, links: LinkBuilder): ShapeOf<typeof OrganizationBody> {
  return {
    id: organization.id,
    isDeleted: false,
    links: [links.self(`/orgs/${organization.id}`), links.to('groups', `/orgs/${organization.id}/groups`)],
    name: organization.name,
    skipDefaultAlertsSettings: false,
  };
}

export function projectBody(project: Project, links: LinkBuilder): ShapeOf<typeof ProjectBody> {
  return {
    clusterCount: project.clusterCount,
    created: isoSeconds(project.createdAtMs),
    id: project.id,
    links: [links.self(`/groups/${project.id}`), links.to('clusters', `/groups/${project.id}/clusters`)],
    name: project.name,
    orgId: project.organizationId,
    tags: [],
    withDefaultAlertsSettings: false,
  };
}
