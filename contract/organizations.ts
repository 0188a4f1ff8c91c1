import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { closed, Links, ObjectId, Paginated, Time, Words } from './primitives.ts';

export const Organization = Type.Object(
  {
    id: ObjectId,
    isDeleted: Type.Boolean(),
    links: Links,
    name: Type.String(),
    skipDefaultAlertsSettings: Type.Boolean(),
  },
  closed,
);

export const Tag = Type.Object(
  { key: Type.String({ maxLength: 255 }), value: Type.String({ maxLength: 255 }) },
  closed,
);

export const Project = Type.Object(
  {
    clusterCount: Type.Integer({ minimum: 0 }),
    created: Time,
    id: ObjectId,
    links: Links,
    name: Type.String(),
    orgId: ObjectId,
    tags: Type.Array(Tag),
    withDefaultAlertsSettings: Type.Boolean(),
  },
  closed,
);

const organizationSettings = {
  apiAccessListRequired: Type.Boolean(),
  genAIFeaturesEnabled: Type.Boolean(),
  maxServiceAccountSecretValidityInHours: Type.Integer(),
  multiFactorAuthRequired: Type.Boolean(),
  restrictEmployeeAccess: Type.Boolean(),
  securityContact: Words,
};

export const OrganizationSettings = Type.Object(
  {
    ...organizationSettings,
    maxServiceAccountSecretValidityInHours: Type.Union([Type.Integer(), Type.Null()]),
    securityContact: Type.Optional(Type.String()),
  },
  closed,
);
export const UpdateOrganizationSettingsRequest = Type.Partial(Type.Object(organizationSettings));

const v2 = '/api/atlas/v2';
const byName = { name: { type: 'string' } } as const;
const readOrganization = { scope: 'organization', anyOf: ['ORG_MEMBER'] } as const;
const readProject = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;

/**
 * People sign in nowhere here: callers are API keys and service accounts, so that these lists are empty. Terraform's
 * data sources ask for them.
 */
const userVersions = [
  { date: '2023-01-01', sunset: '2027-07-01', response: Paginated(Type.Never()) },
  { date: '2025-02-19', response: Paginated(Type.Never()) },
] as const;

export const organizationOperations = defineOperations({
  listOrgs: {
    ...listing,
    aliases: ['listOrganizations'],
    path: `${v2}/orgs`,
    access: { scope: 'caller' },
    versions: [{ date: '2023-01-01', response: Paginated(Organization) }],
    query: byName,
  },
  getOrg: {
    ...reading,
    aliases: ['getOrganization'],
    path: `${v2}/orgs/{orgId}`,
    access: readOrganization,
    versions: [{ date: '2023-01-01', response: Organization }],
  },
  getOrgSettings: {
    ...reading,
    aliases: ['getOrganizationSettings'],
    path: `${v2}/orgs/{orgId}/settings`,
    access: readOrganization,
    versions: [{ date: '2023-01-01', response: OrganizationSettings }],
  },
  updateOrgSettings: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateOrganizationSettings'],
    path: `${v2}/orgs/{orgId}/settings`,
    access: { scope: 'organization', anyOf: ['ORG_OWNER'] },
    versions: [{ date: '2023-01-01', request: UpdateOrganizationSettingsRequest, response: OrganizationSettings }],
    documents400: true,
    errorCodes: ['FEATURE_UNSUPPORTED', 'CHANGE_SHUTS_OUT_CALLER'],
  },
  listOrgUsers: {
    ...listing,
    aliases: ['listOrganizationUsers'],
    path: `${v2}/orgs/{orgId}/users`,
    access: readOrganization,
    versions: userVersions,
    query: { username: { type: 'string' }, orgMembershipStatus: { type: 'string' } },
  },
  listGroupUsers: {
    ...listing,
    aliases: ['listProjectUsers'],
    path: `${v2}/groups/{groupId}/users`,
    access: readProject,
    versions: userVersions,
    query: {
      flattenTeams: { type: 'boolean' },
      includeOrgUsers: { type: 'boolean' },
      orgMembershipStatus: { type: 'string' },
      username: { type: 'string' },
    },
  },
  getOrgGroups: {
    ...listing,
    aliases: ['listOrganizationProjects', 'listOrgGroups'],
    path: `${v2}/orgs/{orgId}/groups`,
    access: readOrganization,
    versions: [{ date: '2023-01-01', response: Paginated(Project) }],
    query: byName,
  },
  listGroups: {
    ...listing,
    aliases: ['listProjects'],
    path: `${v2}/groups`,
    access: { scope: 'caller' },
    versions: [{ date: '2023-01-01', response: Paginated(Project) }],
  },
  getGroup: {
    ...reading,
    aliases: ['getProject'],
    path: `${v2}/groups/{groupId}`,
    access: readProject,
    versions: [{ date: '2023-01-01', response: Project }],
  },
  getGroupByName: {
    ...reading,
    aliases: ['getProjectByName'],
    path: `${v2}/groups/byName/{groupName}`,
    access: { scope: 'caller' },
    versions: [{ date: '2023-01-01', response: Project }],
  },
});
