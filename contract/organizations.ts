import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { closed, Links, ObjectId, Paginated, Time } from './primitives.ts';

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

export const Tag = Type.Object({ key: Type.String(), value: Type.String() }, closed);

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
  securityContact: Type.String(),
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
