import type { Operation } from '../../contract/operation.ts';
import { type Caller, rolesInOrganization, rolesInProject } from '../auth/roles.ts';
import type { Domain } from '../domain/domain.ts';
import type { Project } from '../domain/projects/projects.ts';
import { HttpRefusal } from './http-refusals.ts';

/**
 * May the caller do this here? Loads the project that the path names, since its organization decides too, and gives it
 * back. A project that is not there is 404; one that is none of the caller's business and one where a role is missing
 * are both 401, with different codes, as the real service answers.
 */
export async function authorize(
  operation: Operation,
  caller: Caller,
  params: Readonly<Record<string, string>>,
  domain: Domain,
): Promise<Project | null> {
  const { access } = operation;
  if (access.scope === 'project') {
    const project = await domain.projects.get(params.groupId ?? '');
    const roles = rolesInProject(caller, { projectId: project.id, organizationId: project.organizationId });
    if (roles.size === 0) throw new HttpRefusal('USER_CANNOT_ACCESS_GROUP');
    if (!access.anyOf.some((role) => roles.has(role))) throw new HttpRefusal('USER_UNAUTHORIZED');
    return project;
  }
  if (access.scope === 'organization') {
    const organization = await domain.organizations.get(params.orgId ?? '');
    const roles = rolesInOrganization(caller, organization.id);
    if (roles.size === 0) throw new HttpRefusal('USER_CANNOT_ACCESS_ORG');
    if (!access.anyOf.some((role) => roles.has(role))) throw new HttpRefusal('USER_UNAUTHORIZED');
  }
  return null;
}
