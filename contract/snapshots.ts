import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { anyCase, CloudProvider, closed, Links, ObjectId, Paginated, Time, Words } from './primitives.ts';

const SnapshotStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('inProgress'),
  Type.Literal('completed'),
  Type.Literal('failed'),
]);

/** "ondemand" is outside the published enumeration and in every recorded answer. */
const FrequencyType = Type.Union([
  Type.Literal('ondemand'),
  Type.Literal('hourly'),
  Type.Literal('daily'),
  Type.Literal('weekly'),
  Type.Literal('monthly'),
  Type.Literal('yearly'),
]);

const snapshotFields = {
  createdAt: Type.Optional(Time),
  description: Type.Optional(Type.String()),
  expiresAt: Type.Optional(Time),
  frequencyType: FrequencyType,
  id: ObjectId,
  links: Links,
  masterKeyUUID: Type.Optional(Type.String()),
  mongodVersion: Type.Optional(Type.String({ pattern: '([\\d]+\\.[\\d]+\\.[\\d]+)' })),
  policyItems: Type.Array(ObjectId),
  snapshotType: Type.Union([Type.Literal('onDemand'), Type.Literal('scheduled'), Type.Literal('fallback')]),
  status: SnapshotStatus,
  storageSizeBytes: Type.Integer({ minimum: 0 }),
  type: Type.Union([Type.Literal('replicaSet'), Type.Literal('shardedCluster')]),
};

export const ReplicaSetSnapshot = Type.Object(
  {
    ...snapshotFields,
    cloudProvider: Type.Optional(CloudProvider),
    copyRegions: Type.Array(Type.String()),
    replicaSetName: Type.String(),
  },
  closed,
);

export const ShardedClusterSnapshot = Type.Object(
  {
    ...snapshotFields,
    configServerType: Type.Optional(Type.Union([Type.Literal('EMBEDDED'), Type.Literal('DEDICATED')])),
    members: Type.Array(
      Type.Object({ cloudProvider: Type.Optional(CloudProvider), id: ObjectId, replicaSetName: Type.String() }, closed),
    ),
    snapshotIds: Type.Array(ObjectId),
  },
  closed,
);

export const OnDemandSnapshotRequest = Type.Object({
  description: Type.Optional(Words),
  retentionInDays: Type.Optional(Type.Integer({ minimum: 1 })),
});

export const SnapshotRetention = Type.Object({
  retentionUnit: Type.Union(
    [Type.Literal('DAYS'), Type.Literal('WEEKS'), Type.Literal('MONTHS'), Type.Literal('YEARS')],
    anyCase,
  ),
  retentionValue: Type.Integer(),
});

const snapshots = '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/snapshots';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const manage = { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER'] } as const;
/** Of every way in which a snapshot is deleted, the legacy one too. */
export const snapshotDeletionErrors = [
  'SNAPSHOT_NOT_FOUND',
  'CANNOT_DELETE_FROM_CLUSTER_SNAPSHOT',
  'CANNOT_DELETE_IN_PROGRESS_SNAPSHOT',
  'CANNOT_DELETE_PROTECTED_SNAPSHOT',
  'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY',
  'CANNOT_DELETE_COPY_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY_ENABLED',
] as const;
const create = { scope: 'project', anyOf: ['GROUP_BACKUP_CREATOR'] } as const;

export const snapshotOperations = defineOperations({
  listGroupClusterBackupSnapshots: {
    ...listing,
    aliases: ['listBackupSnapshots', 'listReplicaSetBackups'],
    path: snapshots,
    access: read,
    versions: [{ date: '2023-01-01', response: Paginated(ReplicaSetSnapshot) }],
    query: {
      pointInTimeUtcSeconds: { type: 'integer', minimum: 0 },
      oplogTs: { type: 'integer', minimum: 0 },
      oplogInc: { type: 'integer', minimum: 0 },
    },
    documents400: true,
  },
  takeGroupClusterBackupSnapshots: {
    ...reading,
    aliases: ['takeSnapshots', 'takeSnapshot'],
    method: 'POST',
    path: snapshots,
    access: create,
    versions: [{ date: '2023-01-01', request: OnDemandSnapshotRequest, response: ReplicaSetSnapshot }],
    documents400: true,
    errorCodes: [
      'UNFINISHED_ON_DEMAND_SNAPSHOT',
      'BACKUP_JOB_NOT_FOUND',
      'CLUSTER_PAUSED_CANNOT_TAKE_SNAPSHOT',
      'BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID',
      'SNAPSHOT_RETENTION_LESS_THAN_BACKUP_COMPLIANCE_POLICY',
    ],
  },
  getGroupClusterBackupSnapshot: {
    ...reading,
    aliases: ['getClusterBackupSnapshot', 'getReplicaSetBackup'],
    path: `${snapshots}/{snapshotId}`,
    access: read,
    versions: [{ date: '2023-01-01', response: ReplicaSetSnapshot }],
    documents400: true,
    errorCodes: ['SNAPSHOT_NOT_FOUND'],
  },
  updateGroupClusterBackupSnapshot: {
    ...reading,
    aliases: ['updateBackupSnapshot', 'updateSnapshotRetention'],
    method: 'PATCH',
    path: `${snapshots}/{snapshotId}`,
    access: manage,
    versions: [{ date: '2023-01-01', request: SnapshotRetention, response: ReplicaSetSnapshot }],
    documents400: true,
    errorCodes: [
      'SNAPSHOT_NOT_FOUND',
      'CANNOT_MODIFY_CLUSTER_SNAPSHOT',
      'CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION',
      'BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID',
      'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY',
    ],
  },
  deleteGroupClusterBackupSnapshot: {
    ...reading,
    aliases: ['deleteClusterBackupSnapshot', 'deleteReplicaSetBackup'],
    method: 'DELETE',
    path: `${snapshots}/{snapshotId}`,
    access: manage,
    versions: [{ date: '2023-01-01', response: null }],
    success: 204,
    answers: 'nothing',
    documents400: true,
    errorCodes: snapshotDeletionErrors,
  },
  deleteGroupClusterBackupSnapshotShardedCluster: {
    ...reading,
    aliases: ['deleteBackupShardedCluster', 'deleteShardedClusterBackup'],
    method: 'DELETE',
    path: `${snapshots}/shardedCluster/{snapshotId}`,
    access: manage,
    versions: [{ date: '2023-01-01', response: null }],
    success: 204,
    answers: 'nothing',
    errorCodes: snapshotDeletionErrors,
  },
  getGroupClusterBackupSnapshotShardedCluster: {
    ...reading,
    aliases: ['getBackupShardedCluster', 'getShardedClusterBackup'],
    path: `${snapshots}/shardedCluster/{snapshotId}`,
    access: read,
    versions: [{ date: '2023-01-01', response: ShardedClusterSnapshot }],
    documents400: true,
    errorCodes: ['SNAPSHOT_NOT_FOUND'],
  },
  listGroupClusterBackupSnapshotShardedClusters: {
    ...listing,
    aliases: ['listBackupShardedClusters', 'listShardedClusterBackups'],
    path: `${snapshots}/shardedClusters`,
    access: read,
    versions: [{ date: '2023-01-01', response: Paginated(ShardedClusterSnapshot) }],
    paging: 'none',
    documents400: true,
  },
});
