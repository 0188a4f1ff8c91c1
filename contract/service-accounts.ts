import { Type } from '@sinclair/typebox';
import { AddAccessRequest } from './api-keys.ts';
import { defineOperations, listing, reading } from './operation.ts';
import { closed, ObjectId, Paginated, Time } from './primitives.ts';

/** `secret` is there in the answer that made it and never again. */
export const AccountSecret = Type.Object(
  {
    createdAt: Time,
    expiresAt: Time,
    id: ObjectId,
    lastUsedAt: Type.Union([Time, Type.Null()]),
    maskedSecretValue: Type.String(),
    secret: Type.Optional(Type.String()),
  },
  closed,
);

/** `roles` are those of the place from which it is looked at: the organization's, or one project's. */
export const ServiceAccount = Type.Object(
  {
    clientId: Type.String({ pattern: '^mdb_sa_id_[a-f0-9]{24}$' }),
    createdAt: Time,
    description: Type.String(),
    name: Type.String(),
    roles: Type.Array(Type.String()),
    secrets: Type.Array(AccountSecret),
    /** True for accounts that Atlas makes for its own features: none here. */
    systemManaged: Type.Literal(false),
  },
  closed,
);

const Name = Type.String({ minLength: 1, maxLength: 64 });
const Description = Type.String({ minLength: 1, maxLength: 250 });
const RoleNames = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 100 });
const Hours = Type.Integer({ minimum: 0 });

export const CreateServiceAccountRequest = Type.Object({
  description: Description,
  name: Name,
  roles: RoleNames,
  secretExpiresAfterHours: Hours,
});
export const UpdateServiceAccountRequest = Type.Object({
  description: Type.Optional(Description),
  name: Type.Optional(Name),
  roles: Type.Optional(RoleNames),
});
export const CreateSecretRequest = Type.Object({ secretExpiresAfterHours: Hours });
export const InviteRequest = Type.Object({ roles: RoleNames });

export const AccountAccess = Type.Object(
  {
    cidrBlock: Type.String(),
    createdAt: Time,
    ipAddress: Type.Optional(Type.String()),
    lastUsedAddress: Type.Union([Type.String(), Type.Null()]),
    lastUsedAt: Type.Union([Time, Type.Null()]),
    requestCount: Type.Integer({ minimum: 0 }),
  },
  closed,
);

export const AccountProject = Type.Object({ groupId: ObjectId }, closed);

const v2 = '/api/atlas/v2';
const ofOrganization = `${v2}/orgs/{orgId}/serviceAccounts` as const;
const ofProject = `${v2}/groups/{groupId}/serviceAccounts` as const;
const member = { scope: 'organization', anyOf: ['ORG_MEMBER'] } as const;
const owner = { scope: 'organization', anyOf: ['ORG_OWNER'] } as const;
const projectOwner = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
const date = '2024-08-05';
const gone = { versions: [{ date, response: null }], success: 204, answers: 'nothing' } as const;
const notFound = 'SERVICE_ACCOUNT_NOT_FOUND';
const beyond = 'SERVICE_ACCOUNT_REACHES_BEYOND_PROJECT';
const shutsOut = 'CHANGE_SHUTS_OUT_CALLER';

export const serviceAccountOperations = defineOperations({
  listOrgServiceAccounts: {
    ...listing,
    aliases: ['listServiceAccounts'],
    path: ofOrganization,
    access: member,
    versions: [{ date, response: Paginated(ServiceAccount) }],
  },
  createOrgServiceAccount: {
    ...reading,
    method: 'POST',
    aliases: ['createServiceAccount'],
    path: ofOrganization,
    access: owner,
    versions: [{ date, request: CreateServiceAccountRequest, response: ServiceAccount }],
    success: 201,
    documents400: true,
  },
  getOrgServiceAccount: {
    ...reading,
    aliases: ['getServiceAccount'],
    path: `${ofOrganization}/{clientId}`,
    access: member,
    versions: [{ date, response: ServiceAccount }],
    errorCodes: [notFound],
  },
  updateOrgServiceAccount: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateServiceAccount'],
    path: `${ofOrganization}/{clientId}`,
    access: owner,
    versions: [{ date, request: UpdateServiceAccountRequest, response: ServiceAccount }],
    documents400: true,
    errorCodes: [notFound, 'CANNOT_REMOVE_LAST_OWNER'],
  },
  deleteOrgServiceAccount: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['deleteServiceAccount'],
    path: `${ofOrganization}/{clientId}`,
    access: owner,
    errorCodes: [notFound, 'CANNOT_REMOVE_LAST_OWNER'],
  },
  createOrgServiceAccountSecret: {
    ...reading,
    method: 'POST',
    aliases: ['createServiceAccountSecret'],
    path: `${ofOrganization}/{clientId}/secrets`,
    access: owner,
    versions: [{ date, request: CreateSecretRequest, response: AccountSecret }],
    success: 201,
    documents400: true,
    errorCodes: [notFound, 'SERVICE_ACCOUNT_SECRET_LIMIT_REACHED'],
  },
  deleteOrgServiceAccountSecret: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['deleteServiceAccountSecret'],
    path: `${ofOrganization}/{clientId}/secrets/{secretId}`,
    access: owner,
    errorCodes: [notFound, 'SERVICE_ACCOUNT_SECRET_NOT_FOUND', 'CANNOT_REMOVE_LAST_OWNER'],
  },
  listOrgServiceAccountAccessList: {
    ...listing,
    aliases: ['listServiceAccountAccessList', 'listOrgAccessList'],
    path: `${ofOrganization}/{clientId}/accessList`,
    access: member,
    versions: [{ date, response: Paginated(AccountAccess) }],
    errorCodes: [notFound],
  },
  createOrgServiceAccountAccessList: {
    ...listing,
    method: 'POST',
    aliases: ['createServiceAccountAccessList', 'createOrgAccessList'],
    path: `${ofOrganization}/{clientId}/accessList`,
    access: owner,
    versions: [{ date, request: AddAccessRequest, response: Paginated(AccountAccess) }],
    documents400: true,
    errorCodes: [notFound, shutsOut],
  },
  deleteOrgServiceAccountAccessListEntry: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['deleteServiceAccountAccessListEntry', 'deleteOrgAccessEntry'],
    path: `${ofOrganization}/{clientId}/accessList/{ipAddress}`,
    access: owner,
    errorCodes: [notFound, 'ACCESS_LIST_ENTRY_NOT_FOUND', shutsOut],
  },
  getOrgServiceAccountGroups: {
    ...listing,
    aliases: ['listServiceAccountProjects', 'listOrgServiceAccountGroups'],
    path: `${ofOrganization}/{clientId}/groups`,
    access: member,
    versions: [{ date, response: Paginated(AccountProject) }],
    errorCodes: [notFound],
  },

  listGroupServiceAccounts: {
    ...listing,
    aliases: ['listProjectServiceAccounts'],
    path: ofProject,
    access: projectOwner,
    versions: [{ date, response: Paginated(ServiceAccount) }],
  },
  createGroupServiceAccount: {
    ...reading,
    method: 'POST',
    aliases: ['createProjectServiceAccount'],
    path: ofProject,
    access: projectOwner,
    versions: [{ date, request: CreateServiceAccountRequest, response: ServiceAccount }],
    success: 201,
    documents400: true,
  },
  getGroupServiceAccount: {
    ...reading,
    aliases: ['getProjectServiceAccount'],
    path: `${ofProject}/{clientId}`,
    access: projectOwner,
    versions: [{ date, response: ServiceAccount }],
    errorCodes: [notFound],
  },
  updateGroupServiceAccount: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateProjectServiceAccount'],
    path: `${ofProject}/{clientId}`,
    access: projectOwner,
    versions: [{ date, request: UpdateServiceAccountRequest, response: ServiceAccount }],
    documents400: true,
    errorCodes: [notFound, beyond],
  },
  /** Takes its roles in the project away; the account itself is its organization's. */
  deleteGroupServiceAccount: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['deleteProjectServiceAccount'],
    path: `${ofProject}/{clientId}`,
    access: projectOwner,
    errorCodes: [notFound],
  },
  inviteGroupServiceAccount: {
    ...reading,
    method: 'POST',
    aliases: ['addProjectServiceAccount'],
    path: `${ofProject}/{clientId}:invite`,
    access: projectOwner,
    versions: [{ date, request: InviteRequest, response: ServiceAccount }],
    documents400: true,
    errorCodes: [notFound, beyond],
  },
  createGroupServiceAccountSecret: {
    ...reading,
    method: 'POST',
    aliases: ['createProjectServiceAccountSecret'],
    path: `${ofProject}/{clientId}/secrets`,
    access: projectOwner,
    versions: [{ date, request: CreateSecretRequest, response: AccountSecret }],
    success: 201,
    documents400: true,
    errorCodes: [notFound, beyond, 'SERVICE_ACCOUNT_SECRET_LIMIT_REACHED'],
  },
  deleteGroupServiceAccountSecret: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['deleteProjectServiceAccountSecret'],
    path: `${ofProject}/{clientId}/secrets/{secretId}`,
    access: projectOwner,
    errorCodes: [notFound, beyond, 'SERVICE_ACCOUNT_SECRET_NOT_FOUND'],
  },
  listGroupServiceAccountAccessList: {
    ...listing,
    aliases: ['listProjectServiceAccountAccessList', 'listAccessList'],
    path: `${ofProject}/{clientId}/accessList`,
    access: projectOwner,
    versions: [{ date, response: Paginated(AccountAccess) }],
    errorCodes: [notFound],
  },
  createGroupServiceAccountAccessList: {
    ...listing,
    method: 'POST',
    aliases: ['createProjectServiceAccountAccessList', 'createAccessList'],
    path: `${ofProject}/{clientId}/accessList`,
    access: projectOwner,
    versions: [{ date, request: AddAccessRequest, response: Paginated(AccountAccess) }],
    documents400: true,
    errorCodes: [notFound, beyond, shutsOut],
  },
  deleteGroupServiceAccountAccessListEntry: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['deleteProjectServiceAccountAccessListEntry', 'deleteGroupAccessEntry'],
    path: `${ofProject}/{clientId}/accessList/{ipAddress}`,
    access: projectOwner,
    errorCodes: [notFound, beyond, 'ACCESS_LIST_ENTRY_NOT_FOUND', shutsOut],
  },
});
