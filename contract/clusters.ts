import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { ClusterName, closed, Links, ObjectId, Paginated, Time } from './primitives.ts';

const HardwareSpec = Type.Object(
  { diskSizeGB: Type.Optional(Type.Number()), nodeCount: Type.Integer({ minimum: 0 }) },
  closed,
);

const RegionConfig = Type.Object(
  { electableSpecs: HardwareSpec, priority: Type.Integer(), readOnlySpecs: HardwareSpec },
  closed,
);

const replicationSpecFields = {
  id: ObjectId,
  regionConfigs: Type.Array(RegionConfig),
  zoneName: Type.String(),
};

/** What self-run clusters have of an Atlas cluster: sizes, regions and providers of a cloud are not theirs and stay absent. */
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

const clusters = '/api/atlas/v2/groups/{groupId}/clusters';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;

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
    errorCodes: ['CANNOT_USE_FLEX_CLUSTER_IN_CLUSTER_API'],
  },
});
