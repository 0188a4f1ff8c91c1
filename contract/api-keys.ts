import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { closed, Links, ObjectId, Paginated, Time, Words } from './primitives.ts';

const RoleAssignment = Type.Object(
  { groupId: Type.Optional(ObjectId), orgId: Type.Optional(ObjectId), roleName: Type.String() },
  closed,
);

/** `privateKey` is whole in the answer that made it, and masked for ever after. */
export const ApiKey = Type.Object(
  {
    desc: Type.String(),
    id: ObjectId,
    links: Links,
    privateKey: Type.String(),
    publicKey: Type.String(),
    roles: Type.Array(RoleAssignment),
  },
  closed,
);

const Description = Type.String({ minLength: 1, maxLength: 250 });
const RoleNames = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 100 });

export const CreateApiKeyRequest = Type.Object({ desc: Description, roles: RoleNames });
export const UpdateApiKeyRequest = Type.Object({
  desc: Type.Optional(Description),
  roles: Type.Optional(RoleNames),
});
/** One element in all that was seen; more are taken together. */
export const AssignApiKeyRequest = Type.Array(Type.Object({ roles: RoleNames }), { minItems: 1, maxItems: 100 });

/** An address or a network from which a key may be used, with what came from there. */
export const KeyAccess = Type.Object(
  {
    cidrBlock: Type.String(),
    count: Type.Integer({ minimum: 0 }),
    created: Time,
    ipAddress: Type.Optional(Type.String()),
    lastUsed: Type.Optional(Time),
    lastUsedAddress: Type.Optional(Type.String()),
    links: Links,
  },
  closed,
);

/** Entries of a list, each one of the two. */
export const AddAccessRequest = Type.Array(
  Type.Object({ cidrBlock: Type.Optional(Words), ipAddress: Type.Optional(Words) }),
  { minItems: 1, maxItems: 200 },
);

const v2 = '/api/atlas/v2';
const ofOrganization = `${v2}/orgs/{orgId}/apiKeys` as const;
const ofProject = `${v2}/groups/{groupId}/apiKeys` as const;
const accessList = `${ofOrganization}/{apiUserId}/accessList` as const;
const member = { scope: 'organization', anyOf: ['ORG_MEMBER'] } as const;
const owner = { scope: 'organization', anyOf: ['ORG_OWNER'] } as const;
const projectOwner = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
const date = '2023-01-01';
const gone = { versions: [{ date, response: null }], success: 204, answers: 'nothing' } as const;

export const apiKeyOperations = defineOperations({
  listOrgApiKeys: {
    ...listing,
    aliases: ['listApiKeys'],
    path: ofOrganization,
    access: member,
    versions: [{ date, response: Paginated(ApiKey) }],
  },
  createOrgApiKey: {
    ...reading,
    method: 'POST',
    aliases: ['createApiKey'],
    path: ofOrganization,
    access: owner,
    versions: [{ date, request: CreateApiKeyRequest, response: ApiKey }],
    documents400: true,
  },
  getOrgApiKey: {
    ...reading,
    aliases: ['getApiKey'],
    path: `${ofOrganization}/{apiUserId}`,
    access: member,
    versions: [{ date, response: ApiKey }],
    errorCodes: ['API_KEY_NOT_FOUND'],
  },
  updateOrgApiKey: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateApiKey'],
    path: `${ofOrganization}/{apiUserId}`,
    access: owner,
    versions: [{ date, request: UpdateApiKeyRequest, response: ApiKey }],
    documents400: true,
    errorCodes: ['API_KEY_NOT_FOUND', 'CANNOT_REMOVE_LAST_OWNER'],
  },
  deleteOrgApiKey: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['deleteApiKey'],
    path: `${ofOrganization}/{apiUserId}`,
    access: owner,
    errorCodes: ['API_KEY_NOT_FOUND', 'CANNOT_REMOVE_LAST_OWNER'],
  },
  listOrgApiKeyAccessListEntries: {
    ...listing,
    aliases: ['listApiKeyAccessListsEntries', 'listAccessListEntries'],
    path: accessList,
    access: member,
    versions: [{ date, response: Paginated(KeyAccess) }],
    errorCodes: ['API_KEY_NOT_FOUND'],
  },
  /** Answers the whole list. */
  createOrgApiKeyAccessListEntry: {
    ...listing,
    method: 'POST',
    aliases: ['createApiKeyAccessList', 'createAccessListEntry'],
    path: accessList,
    access: owner,
    versions: [{ date, request: AddAccessRequest, response: Paginated(KeyAccess) }],
    documents400: true,
    errorCodes: ['API_KEY_NOT_FOUND', 'CHANGE_SHUTS_OUT_CALLER'],
  },
  getOrgApiKeyAccessListEntry: {
    ...reading,
    aliases: ['getApiKeyAccessList', 'getAccessListEntry'],
    path: `${accessList}/{ipAddress}`,
    access: member,
    versions: [{ date, response: KeyAccess }],
    errorCodes: ['API_KEY_NOT_FOUND', 'ACCESS_LIST_ENTRY_NOT_FOUND'],
  },
  deleteOrgApiKeyAccessListEntry: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['deleteApiKeyAccessListEntry', 'deleteAccessEntry'],
    path: `${accessList}/{ipAddress}`,
    access: owner,
    errorCodes: ['API_KEY_NOT_FOUND', 'ACCESS_LIST_ENTRY_NOT_FOUND', 'CHANGE_SHUTS_OUT_CALLER'],
  },

  listGroupApiKeys: {
    ...listing,
    aliases: ['listProjectApiKeys'],
    path: ofProject,
    access: projectOwner,
    versions: [{ date, response: Paginated(ApiKey) }],
  },
  createGroupApiKey: {
    ...reading,
    method: 'POST',
    aliases: ['createProjectApiKey'],
    path: ofProject,
    access: projectOwner,
    versions: [{ date, request: CreateApiKeyRequest, response: ApiKey }],
    documents400: true,
  },
  addGroupApiKey: {
    ...reading,
    method: 'POST',
    aliases: ['addProjectApiKey'],
    path: `${ofProject}/{apiUserId}`,
    access: projectOwner,
    versions: [{ date, request: AssignApiKeyRequest, response: ApiKey }],
    documents400: true,
    errorCodes: ['API_KEY_NOT_FOUND'],
  },
  updateGroupApiKeyRoles: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateApiKeyRoles'],
    path: `${ofProject}/{apiUserId}`,
    access: projectOwner,
    versions: [{ date, request: UpdateApiKeyRequest, response: ApiKey }],
    documents400: true,
    errorCodes: ['API_KEY_NOT_FOUND', 'API_KEY_REACHES_BEYOND_PROJECT'],
  },
  removeGroupApiKey: {
    ...reading,
    ...gone,
    method: 'DELETE',
    aliases: ['removeProjectApiKey'],
    path: `${ofProject}/{apiUserId}`,
    access: projectOwner,
    errorCodes: ['API_KEY_NOT_FOUND'],
  },
});
