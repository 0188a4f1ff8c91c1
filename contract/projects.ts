import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { Project, Tag } from './organizations.ts';
import { closed, ObjectId, Paginated } from './primitives.ts';

export const CreateProjectRequest = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 64 }),
  orgId: ObjectId,
  tags: Type.Optional(Type.Array(Tag)),
  withDefaultAlertsSettings: Type.Optional(Type.Boolean()),
});

export const UpdateProjectRequest = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  tags: Type.Optional(Type.Array(Tag)),
});

/**
 * Switches of Atlas's own tools. They are kept for whoever manages projects with Terraform, and switch nothing here.
 */
const switches = {
  isClusterAiAssistantEnabled: Type.Boolean(),
  isCollectDatabaseSpecificsStatisticsEnabled: Type.Boolean(),
  isDataExplorerEnabled: Type.Boolean(),
  isDataExplorerGenAIFeaturesEnabled: Type.Boolean(),
  isDataExplorerGenAISampleDocumentPassingEnabled: Type.Boolean(),
  isDataValidationEnabled: Type.Boolean(),
  isExtendedStorageSizesEnabled: Type.Boolean(),
  isNativeRerankingEnabled: Type.Boolean(),
  isPerformanceAdvisorEnabled: Type.Boolean(),
  isRealtimePerformancePanelEnabled: Type.Boolean(),
  isSchemaAdvisorEnabled: Type.Boolean(),
};

export const ProjectSettings = Type.Object(switches, closed);
export const UpdateProjectSettingsRequest = Type.Partial(Type.Object(switches));

export const ProjectIpAddresses = Type.Object(
  { groupId: ObjectId, services: Type.Object({ clusters: Type.Array(Type.Never()) }, closed) },
  closed,
);

const groups = '/api/atlas/v2/groups';
const group = `${groups}/{groupId}`;
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const own = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
const date = '2023-01-01';

export const projectOperations = defineOperations({
  /** Whoever may create projects in the organization that the body names. */
  createGroup: {
    ...reading,
    method: 'POST',
    aliases: ['createProject'],
    path: groups,
    access: { scope: 'caller' },
    versions: [{ date, request: CreateProjectRequest, response: Project }],
    query: { projectOwnerId: { type: 'string' } },
    success: 201,
    documents400: true,
    errorCodes: ['NOT_ORG_GROUP_CREATOR', 'GROUP_ALREADY_EXISTS'],
    location: true,
  },
  updateGroup: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateProject'],
    path: group,
    access: own,
    versions: [{ date, request: UpdateProjectRequest, response: Project }],
    documents400: true,
    errorCodes: ['GROUP_ALREADY_EXISTS'],
  },
  deleteGroup: {
    ...reading,
    method: 'DELETE',
    aliases: ['deleteProject'],
    path: group,
    access: own,
    versions: [{ date, response: null }],
    success: 204,
    answers: 'nothing',
    errorCodes: [
      'CANNOT_CLOSE_GROUP_ACTIVE_ATLAS_CLUSTERS',
      'CANNOT_CLOSE_GROUP_ACTIVE_BACKUPS',
      'CANNOT_CLOSE_GROUP_ACTIVE_BACKUP_COMPLIANCE_POLICY',
    ],
  },
  getGroupSettings: {
    ...reading,
    aliases: ['getProjectSettings'],
    path: `${group}/settings`,
    access: read,
    versions: [{ date, response: ProjectSettings }],
    location: true,
  },
  updateGroupSettings: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateProjectSettings'],
    path: `${group}/settings`,
    access: own,
    versions: [{ date, request: UpdateProjectSettingsRequest, response: ProjectSettings }],
    location: true,
  },
  /** A bare array. Nothing is rationed here, so it is empty. */
  listGroupLimits: {
    ...reading,
    aliases: ['listProjectLimits'],
    path: `${group}/limits`,
    access: read,
    versions: [{ date, response: Type.Array(Type.Never()) }],
  },
  /** Teams are of users; callers here are API keys and service accounts. */
  listGroupTeams: {
    ...listing,
    aliases: ['listProjectTeams'],
    path: `${group}/teams`,
    access: read,
    versions: [{ date, response: Paginated(Type.Never()) }],
  },
  /** The addresses of servers that somebody else runs are known by the names in their connection strings only. */
  getGroupIpAddresses: {
    ...reading,
    aliases: ['listGroupIpAddresses', 'returnAllIPAddresses', 'returnAllIpAddresses'],
    path: `${group}/ipAddresses`,
    access: read,
    versions: [{ date, response: ProjectIpAddresses }],
  },
  /** A bare truth value. */
  getGroupManagedSlowMs: {
    ...reading,
    aliases: ['getManagedSlowMs'],
    path: `${group}/managedSlowMs`,
    access: read,
    versions: [{ date, response: Type.Boolean() }],
  },
  enableGroupManagedSlowMs: {
    ...reading,
    method: 'POST',
    aliases: ['enableSlowOperationThresholding', 'enableManagedSlowMs'],
    path: `${group}/managedSlowMs/enable`,
    access: own,
    versions: [{ date, response: null }],
    success: 204,
    answers: 'nothing',
  },
  disableGroupManagedSlowMs: {
    ...reading,
    method: 'DELETE',
    aliases: ['disableSlowOperationThresholding', 'disableManagedSlowMs'],
    path: `${group}/managedSlowMs/disable`,
    access: own,
    versions: [{ date, response: null }],
    success: 204,
    answers: 'nothing',
  },
});
