/**
 * Roles, and what one brings with another. Every project role brings reading; the backup manager is creator, export
 * operator and recovery operator in one; an organization's owner owns its projects. Pure.
 */
export type ProjectRole =
  | 'GROUP_OWNER'
  | 'GROUP_READ_ONLY'
  | 'GROUP_ATLAS_ADMIN'
  | 'GROUP_CLUSTER_MANAGER'
  | 'GROUP_BACKUP_MANAGER'
  | 'GROUP_BACKUP_CREATOR'
  | 'GROUP_BACKUP_EXPORT_OPERATOR'
  | 'GROUP_BACKUP_RECOVERY_OPERATOR'
  | ReadingRole;

/**
 * Roles of Atlas about what is not here (data, search, streams, charts): as there, whoever has one may look at the
 * project.
 */
export type ReadingRole = (typeof readingRoles)[number];

export const readingRoles = [
  'GROUP_DATA_ACCESS_ADMIN',
  'GROUP_DATA_ACCESS_READ_WRITE',
  'GROUP_DATA_ACCESS_READ_ONLY',
  'GROUP_DATABASE_ACCESS_ADMIN',
  'GROUP_SEARCH_INDEX_EDITOR',
  'GROUP_STREAM_PROCESSING_OWNER',
  'GROUP_OBSERVABILITY_VIEWER',
  'GROUP_CHARTS_ADMIN',
] as const;

export type OrganizationRole = 'ORG_OWNER' | 'ORG_GROUP_CREATOR' | 'ORG_READ_ONLY' | 'ORG_MEMBER';

/** A role and where it holds: in one project or in one organization. */
export type RoleAssignment =
  | { role: ProjectRole; projectId: string; organizationId: null }
  | { role: OrganizationRole; organizationId: string; projectId: null };

/**
 * Who is calling: an API key (by digest) or a service account (by access token). `name` is the public key or the client
 * id.
 */
export interface Caller {
  kind: 'apiKey' | 'serviceAccount';
  id: string;
  name: string;
  organizationId: string;
  roles: readonly RoleAssignment[];
}

const backupOperators: readonly ProjectRole[] = [
  'GROUP_BACKUP_CREATOR',
  'GROUP_BACKUP_EXPORT_OPERATOR',
  'GROUP_BACKUP_RECOVERY_OPERATOR',
];

const broughtByProjectRole: Readonly<Partial<Record<ProjectRole, readonly ProjectRole[]>>> = {
  GROUP_OWNER: ['GROUP_ATLAS_ADMIN', 'GROUP_CLUSTER_MANAGER', 'GROUP_BACKUP_MANAGER', ...backupOperators],
  GROUP_ATLAS_ADMIN: ['GROUP_CLUSTER_MANAGER', 'GROUP_BACKUP_MANAGER', ...backupOperators],
  GROUP_BACKUP_MANAGER: backupOperators,
};

const organizationRoleNames: Readonly<Record<OrganizationRole, string>> = {
  ORG_OWNER: 'Organization Owner',
  ORG_GROUP_CREATOR: 'Organization Project Creator',
  ORG_READ_ONLY: 'Organization Read Only',
  ORG_MEMBER: 'Organization Member',
};

const projectRoleNames: Readonly<Record<ProjectRole, string>> = {
  GROUP_OWNER: 'Project Owner',
  GROUP_READ_ONLY: 'Project Read Only',
  GROUP_ATLAS_ADMIN: 'Project Atlas Admin',
  GROUP_CLUSTER_MANAGER: 'Project Cluster Manager',
  GROUP_BACKUP_MANAGER: 'Project Backup Manager',
  GROUP_BACKUP_CREATOR: 'Project Backup Creator',
  GROUP_BACKUP_EXPORT_OPERATOR: 'Project Backup Export Operator',
  GROUP_BACKUP_RECOVERY_OPERATOR: 'Project Backup Recovery Operator',
  GROUP_DATA_ACCESS_ADMIN: 'Project Data Access Admin',
  GROUP_DATA_ACCESS_READ_WRITE: 'Project Data Access Read/Write',
  GROUP_DATA_ACCESS_READ_ONLY: 'Project Data Access Read Only',
  GROUP_DATABASE_ACCESS_ADMIN: 'Project Database Access Admin',
  GROUP_SEARCH_INDEX_EDITOR: 'Project Search Index Editor',
  GROUP_STREAM_PROCESSING_OWNER: 'Project Stream Processing Owner',
  GROUP_OBSERVABILITY_VIEWER: 'Project Observability Viewer',
  GROUP_CHARTS_ADMIN: 'Project Charts Admin',
};

export const projectRoles = Object.keys(projectRoleNames) as readonly ProjectRole[];
export const organizationRoles = Object.keys(organizationRoleNames) as readonly OrganizationRole[];

export function isProjectRole(text: string): text is ProjectRole {
  return Object.hasOwn(projectRoleNames, text);
}

export function isOrganizationRole(text: string): text is OrganizationRole {
  return Object.hasOwn(organizationRoleNames, text);
}

/**
 * The role of a constant (`GROUP_BACKUP_MANAGER`) or of the name that the console and the reference pages show; null
 * for neither.
 */
export function roleNamed(text: string): ProjectRole | OrganizationRole | null {
  if (isProjectRole(text) || isOrganizationRole(text)) return text;
  const wanted = text.trim().toLowerCase();
  for (const [role, name] of [...Object.entries(projectRoleNames), ...Object.entries(organizationRoleNames)]) {
    if (name.toLowerCase() === wanted) return role as ProjectRole | OrganizationRole;
  }
  return null;
}

/**
 * Every role that the caller has in the project, brought ones included. Empty: the project is none of the caller's
 * business.
 */
export function rolesInProject(
  caller: Caller,
  project: { projectId: string; organizationId: string },
): ReadonlySet<ProjectRole> {
  const roles = new Set<ProjectRole>();
  for (const assignment of caller.roles) {
    if (assignment.projectId === project.projectId) addWithBrought(roles, assignment.role);
    else if (assignment.organizationId === project.organizationId) {
      if (assignment.role === 'ORG_OWNER') addWithBrought(roles, 'GROUP_OWNER');
      if (assignment.role === 'ORG_READ_ONLY') addWithBrought(roles, 'GROUP_READ_ONLY');
    }
  }
  return roles;
}

function addWithBrought(roles: Set<ProjectRole>, role: ProjectRole): void {
  roles.add(role);
  roles.add('GROUP_READ_ONLY');
  for (const brought of broughtByProjectRole[role] ?? []) roles.add(brought);
}

/**
 * Every role that the caller has in the organization. A credential is at least a member of the organization that it was
 * made in.
 */
export function rolesInOrganization(caller: Caller, organizationId: string): ReadonlySet<OrganizationRole> {
  const roles = new Set<OrganizationRole>();
  if (caller.organizationId === organizationId) roles.add('ORG_MEMBER');
  for (const assignment of caller.roles) {
    if (assignment.organizationId !== organizationId) continue;
    roles.add(assignment.role);
    roles.add('ORG_MEMBER');
    if (assignment.role === 'ORG_OWNER') for (const role of organizationRoles) roles.add(role);
  }
  return roles;
}

/** What lists may show: everything of an organization named, and single projects beside it. */
export interface Visibility {
  organizationIds: readonly string[];
  projectIds: readonly string[];
}

/** Projects: all of an organization that the caller may read whole, and those that it has a role in. */
export function visibleProjects(caller: Caller): Visibility {
  const organizationIds = new Set<string>();
  const projectIds = new Set<string>();
  for (const { role, organizationId, projectId } of caller.roles) {
    if (projectId !== null) projectIds.add(projectId);
    else if (role === 'ORG_OWNER' || role === 'ORG_READ_ONLY') organizationIds.add(organizationId);
  }
  return { organizationIds: [...organizationIds], projectIds: [...projectIds] };
}

/**
 * Organizations: those that the caller is a member of. Those of its projects are theirs too, which the list works out.
 */
export function visibleOrganizations(caller: Caller): Visibility {
  const organizationIds = new Set([caller.organizationId]);
  for (const { organizationId } of caller.roles) if (organizationId !== null) organizationIds.add(organizationId);
  return { organizationIds: [...organizationIds], projectIds: visibleProjects(caller).projectIds };
}
