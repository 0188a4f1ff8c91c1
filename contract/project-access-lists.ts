import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { closed, Links, ObjectId, Paginated, Time, Words } from './primitives.ts';

/**
 * Addresses from which a project's deployments may be reached: in Atlas connections to its clusters, never the API (API
 * keys and service accounts have lists of their own, which are enforced). Nothing here stands between anybody and a
 * cluster that somebody else runs, so the list is kept and shown for those who manage it with Terraform, and guards
 * nothing.
 */
export const ProjectAccess = Type.Object(
  {
    cidrBlock: Type.String(),
    comment: Type.Optional(Type.String()),
    deleteAfterDate: Type.Optional(Time),
    groupId: ObjectId,
    ipAddress: Type.Optional(Type.String()),
    links: Links,
  },
  closed,
);

export const AddProjectAccessRequest = Type.Array(
  Type.Object({
    awsSecurityGroup: Type.Optional(Words),
    cidrBlock: Type.Optional(Words),
    comment: Type.Optional(Type.String({ maxLength: 80 })),
    deleteAfterDate: Type.Optional(Words),
    ipAddress: Type.Optional(Words),
  }),
  { minItems: 1, maxItems: 200 },
);

/** The field is spelled so. Never ACTIVE, which is said of an entry that the clusters keep to. */
export const ProjectAccessStatus = Type.Object({ STATUS: Type.Literal('PENDING') }, closed);

const accessList = '/api/atlas/v2/groups/{groupId}/accessList';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const own = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
const date = '2023-01-01';

export const projectAccessListOperations = defineOperations({
  listGroupAccessListEntries: {
    ...listing,
    aliases: ['listProjectIpAccessLists', 'listAccessListEntry'],
    path: accessList,
    access: read,
    versions: [{ date, response: Paginated(ProjectAccess) }],
  },
  createGroupAccessListEntry: {
    ...listing,
    method: 'POST',
    aliases: ['createProjectIpAccessList'],
    path: accessList,
    access: own,
    versions: [{ date, request: AddProjectAccessRequest, response: Paginated(ProjectAccess) }],
    success: 201,
    documents400: true,
    errorCodes: ['FEATURE_UNSUPPORTED'],
  },
  getGroupAccessListEntry: {
    ...reading,
    aliases: ['getProjectIpList', 'getProjectIpAccessList'],
    path: `${accessList}/{entryValue}`,
    access: read,
    versions: [{ date, response: ProjectAccess }],
    errorCodes: ['ACCESS_LIST_ENTRY_NOT_FOUND'],
  },
  deleteGroupAccessListEntry: {
    ...reading,
    method: 'DELETE',
    aliases: ['deleteProjectIpAccessList'],
    path: `${accessList}/{entryValue}`,
    access: own,
    versions: [{ date, response: null }],
    success: 204,
    answers: 'nothing',
    errorCodes: ['ACCESS_LIST_ENTRY_NOT_FOUND'],
  },
  getGroupAccessListStatus: {
    ...reading,
    aliases: ['getProjectIpAccessListStatus', 'getAccessListStatus'],
    path: `${accessList}/{entryValue}/status`,
    access: read,
    versions: [{ date, response: ProjectAccessStatus }],
    errorCodes: ['ACCESS_LIST_ENTRY_NOT_FOUND'],
  },
});
