import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { ClusterName, closed, Links, ObjectId, Paginated, Time, Words } from './primitives.ts';

const HardwareSpec = Type.Object(
  { diskSizeGB: Type.Optional(Type.Number()), instanceSize: Type.String(), nodeCount: Type.Integer({ minimum: 0 }) },
  closed,
);

const RegionConfig = Type.Object(
  {
    electableSpecs: HardwareSpec,
    priority: Type.Integer(),
    providerName: Type.Literal('TENANT'),
    readOnlySpecs: HardwareSpec,
    regionName: Type.String(),
  },
  closed,
);

const replicationSpecFields = {
  id: ObjectId,
  regionConfigs: Type.Array(RegionConfig),
  zoneName: Type.String(),
};

/**
 * What self-run clusters have of an Atlas cluster. Provider, region and size are there because Terraform's data sources
 * read them (`api/wire/cluster.ts`).
 */
const clusterFields = {
  backupEnabled: Type.Boolean(),
  clusterType: Type.Union([Type.Literal('REPLICASET'), Type.Literal('SHARDED')]),
  connectionStrings: Type.Object({ standard: Type.Optional(Type.String()) }, closed),
  createDate: Time,
  featureCompatibilityVersion: Type.Optional(Type.String()),
  groupId: ObjectId,
  id: ObjectId,
  labels: Type.Array(Type.Never()),
  links: Links,
  mongoDBMajorVersion: Type.Optional(Type.String()),
  mongoDBVersion: Type.Optional(Type.String()),
  name: ClusterName,
  paused: Type.Boolean(),
  pitEnabled: Type.Boolean(),
  retainBackups: Type.Boolean(),
  stateName: Type.Union([Type.Literal('IDLE'), Type.Literal('UPDATING'), Type.Literal('REPAIRING')]),
  tags: Type.Array(Type.Never()),
  terminationProtectionEnabled: Type.Boolean(),
};

/** 2023-02-01: shards are counted in `numShards`, the disk size is the cluster's. */
export const AdvancedCluster = Type.Object(
  {
    ...clusterFields,
    diskSizeGB: Type.Optional(Type.Number()),
    replicationSpecs: Type.Array(Type.Object({ ...replicationSpecFields, numShards: Type.Integer() }, closed)),
  },
  closed,
);

/** 2024-08-05: one replicationSpecs entry a shard, with its zone. */
export const Cluster20240805 = Type.Object(
  {
    ...clusterFields,
    replicationSpecs: Type.Array(Type.Object({ ...replicationSpecFields, zoneId: ObjectId }, closed)),
  },
  closed,
);

/**
 * What a request may say of a cluster. Only the first five can be changed; the others are facts of servers that
 * somebody else runs, which may be repeated and not changed. There are more of those than are named here
 * (`replicationSpecs` first of all): any form is let through and compared with what is shown (`api/cluster-facts.ts`).
 */
export const ClusterRequest = Type.Object({
  backupEnabled: Type.Optional(Type.Boolean()),
  paused: Type.Optional(Type.Boolean()),
  pitEnabled: Type.Optional(Type.Boolean()),
  retainBackups: Type.Optional(Type.Boolean()),
  terminationProtectionEnabled: Type.Optional(Type.Boolean()),
  clusterType: Type.Optional(Words),
  mongoDBMajorVersion: Type.Optional(Words),
  name: Type.Optional(Words),
});

export const ClusterStatus = Type.Object(
  { changeStatus: Type.Union([Type.Literal('PENDING'), Type.Literal('APPLIED')]) },
  closed,
);

const processArgsFields = {
  defaultWriteConcern: Type.Optional(Type.String()),
  javascriptEnabled: Type.Optional(Type.Boolean()),
  noTableScan: Type.Optional(Type.Boolean()),
  oplogMinRetentionHours: Type.Optional(Type.Number()),
  oplogSizeMB: Type.Optional(Type.Number()),
  transactionLifetimeLimitSeconds: Type.Optional(Type.Number()),
};

/** 2023-01-01 knows the default read concern too. */
export const ProcessArgs = Type.Object(
  { ...processArgsFields, defaultReadConcern: Type.Optional(Type.String()) },
  closed,
);
export const ProcessArgs20240805 = Type.Object(processArgsFields, closed);
/** Any setting that the API has, to be compared with what the servers have. */
export const ProcessArgsRequest = Type.Record(Type.String(), Type.Unknown());

const clusters = '/api/atlas/v2/groups/{groupId}/clusters';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const manage = { scope: 'project', anyOf: ['GROUP_CLUSTER_MANAGER'] } as const;
const processArgs = `${clusters}/{clusterName}/processArgs`;

/** Of both ways in which a cluster goes. */
export const clusterRemovalErrors = [
  'CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED',
  'CLUSTER_BUSY',
  'CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY',
] as const;

export const clusterOperations = defineOperations({
  listGroupClusters: {
    ...listing,
    aliases: ['listClusters'],
    path: clusters,
    access: read,
    versions: [
      { date: '2023-02-01', response: Paginated(AdvancedCluster) },
      { date: '2024-08-05', response: Paginated(Cluster20240805) },
    ],
  },
  getGroupCluster: {
    ...reading,
    aliases: ['getCluster'],
    path: `${clusters}/{clusterName}`,
    access: read,
    versions: [
      { date: '2023-02-01', response: AdvancedCluster },
      { date: '2024-08-05', response: Cluster20240805 },
    ],
  },
  /** Refuses: a cluster is registered by its connection string, which no Atlas operation has a word for. */
  createGroupCluster: {
    ...reading,
    method: 'POST',
    aliases: ['createCluster'],
    path: clusters,
    access: manage,
    versions: [
      { date: '2023-02-01', request: ClusterRequest, response: AdvancedCluster },
      { date: '2024-08-05', request: ClusterRequest, response: Cluster20240805 },
      { date: '2024-10-23', request: ClusterRequest, response: Cluster20240805 },
    ],
    success: 201,
    documents400: true,
    errorCodes: ['FEATURE_UNSUPPORTED'],
  },
  /** The Atlas CLI asks for a cluster's state with a PATCH that has no body. */
  updateGroupCluster: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateCluster'],
    path: `${clusters}/{clusterName}`,
    access: manage,
    versions: [
      { date: '2023-02-01', request: ClusterRequest, response: AdvancedCluster },
      { date: '2024-08-05', request: ClusterRequest, response: Cluster20240805 },
      { date: '2024-10-23', request: ClusterRequest, response: Cluster20240805 },
    ],
    bodyOptional: true,
    documents400: true,
    errorCodes: [
      'FEATURE_UNSUPPORTED',
      'CANNOT_UPDATE_PAUSED_CLUSTER',
      'CLUSTER_BUSY',
      'CLUSTER_RESTORE_IN_PROGRESS_CANNOT_UPDATE',
      'CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY',
      'CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY',
    ],
  },
  deleteGroupCluster: {
    ...reading,
    method: 'DELETE',
    aliases: ['deleteCluster'],
    path: `${clusters}/{clusterName}`,
    access: manage,
    versions: [{ date: '2023-02-01', response: Type.Object({}, closed) }],
    query: { retainBackups: { type: 'boolean' } },
    success: 202,
    documents400: true,
    errorCodes: clusterRemovalErrors,
  },
  getGroupClusterStatus: {
    ...reading,
    aliases: ['getClusterStatus'],
    path: `${clusters}/{clusterName}/status`,
    access: read,
    versions: [{ date: '2023-01-01', response: ClusterStatus }],
  },
  getGroupClusterProcessArgs: {
    ...reading,
    aliases: ['getClusterAdvancedConfiguration', 'getProcessArgs'],
    path: processArgs,
    access: read,
    versions: [
      { date: '2023-01-01', response: ProcessArgs },
      { date: '2024-08-05', response: ProcessArgs20240805 },
    ],
    errorCodes: ['CLUSTER_UNREACHABLE', 'CLUSTER_UNSUITABLE'],
  },
  updateGroupClusterProcessArgs: {
    ...reading,
    method: 'PATCH',
    aliases: ['updateClusterAdvancedConfiguration', 'updateProcessArgs'],
    path: processArgs,
    access: manage,
    versions: [
      { date: '2023-01-01', request: ProcessArgsRequest, response: ProcessArgs },
      { date: '2024-08-05', request: ProcessArgsRequest, response: ProcessArgs20240805 },
    ],
    documents400: true,
    errorCodes: ['FEATURE_UNSUPPORTED', 'CLUSTER_UNREACHABLE', 'CLUSTER_UNSUITABLE'],
  },
  /** Network containers belong to a cloud's peering; servers that somebody else runs have none. */
  listGroupContainers: {
    ...listing,
    aliases: ['listPeeringContainerByCloudProvider', 'listContainers'],
    path: '/api/atlas/v2/groups/{groupId}/containers',
    access: read,
    versions: [{ date: '2023-01-01', response: Paginated(Type.Never()) }],
    query: { providerName: { type: 'string' } },
  },
});
