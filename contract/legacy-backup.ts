import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { BsonTimestamp, ClusterName, closed, Links, ObjectId, Paginated, Time, Words } from './primitives.ts';
import { restoreErrors } from './restore-jobs.ts';
import { snapshotDeletionErrors } from './snapshots.ts';

/**
 * The operations of legacy backup, which Atlas closed in 2020 and clients still call. They show the same snapshots and
 * restore jobs in an older vocabulary.
 */

export const LegacySnapshot = Type.Object(
  {
    clusterId: ObjectId,
    clusterName: Type.Union([ClusterName, Type.Null()]),
    complete: Type.Boolean(),
    created: BsonTimestamp,
    doNotDelete: Type.Boolean(),
    expires: Type.Optional(Time),
    groupId: ObjectId,
    id: ObjectId,
    incremental: Type.Boolean(),
    lastOplogAppliedTimestamp: BsonTimestamp,
    links: Links,
    parts: Type.Array(
      Type.Object(
        {
          clusterId: ObjectId,
          completedTime: Type.Optional(Time),
          dataSizeBytes: Type.Optional(Type.Integer()),
          encryptionEnabled: Type.Boolean(),
          fcv: Type.Optional(Type.String()),
          fileSizeBytes: Type.Optional(Type.Integer()),
          mongodVersion: Type.Optional(Type.String()),
          replicaSetName: Type.Optional(Type.String()),
          storageSizeBytes: Type.Optional(Type.Integer()),
          typeName: Type.Union([Type.Literal('REPLICA_SET'), Type.Literal('CONFIG_SERVER_REPLICA_SET')]),
        },
        closed,
      ),
    ),
  },
  closed,
);

const LegacySnapshotRequest = Type.Object({
  doNotDelete: Type.Optional(Type.Boolean()),
  expires: Type.Optional(Words),
});

const DeliveryMethod = Type.Union([
  Type.Literal('CLIENT_PIT_HTTP'),
  Type.Literal('QUERY'),
  Type.Literal('AUTOMATED_RESTORE'),
  Type.Literal('HTTP'),
  Type.Literal('THIRD_PARTY_COPY'),
  Type.Literal('CLIENT_PIT_SCP'),
  Type.Literal('SCP'),
]);

export const LegacyRestoreJob = Type.Object(
  {
    clusterId: ObjectId,
    clusterName: ClusterName,
    created: Time,
    delivery: Type.Object(
      {
        methodName: DeliveryMethod,
        statusName: Type.Union([
          Type.Literal('NOT_STARTED'),
          Type.Literal('IN_PROGRESS'),
          Type.Literal('READY'),
          Type.Literal('FAILED'),
          Type.Literal('INTERRUPTED'),
          Type.Literal('EXPIRED'),
          Type.Literal('MAX_DOWNLOADS_EXCEEDED'),
        ]),
        expirationHours: Type.Optional(Type.Integer({ minimum: 1 })),
        expires: Type.Optional(Time),
        maxDownloads: Type.Optional(Type.Integer({ minimum: 1 })),
        url: Type.Optional(Type.String()),
        urlV2: Type.Optional(Type.String()),
        targetClusterId: Type.Optional(ObjectId),
        targetClusterName: Type.Optional(ClusterName),
        targetGroupId: Type.Optional(ObjectId),
      },
      closed,
    ),
    encryptionEnabled: Type.Boolean(),
    groupId: ObjectId,
    hashes: Type.Array(
      Type.Object({ fileName: Type.String(), hash: Type.String(), typeName: Type.Literal('SHA1') }, closed),
    ),
    id: ObjectId,
    links: Links,
    snapshotId: Type.Optional(ObjectId),
    statusName: Type.Union([
      Type.Literal('IN_PROGRESS'),
      Type.Literal('BROKEN'),
      Type.Literal('KILLED'),
      Type.Literal('FINISHED'),
    ]),
    timestamp: BsonTimestamp,
  },
  closed,
);

/** What of it is named, and that only one thing is, is the domain's rule. */
const LegacyRestoreRequest = Type.Object({
  checkpointId: Type.Optional(ObjectId),
  delivery: Type.Object({
    methodName: DeliveryMethod,
    targetClusterId: Type.Optional(ObjectId),
    targetClusterName: Type.Optional(ClusterName),
    targetGroupId: Type.Optional(ObjectId),
  }),
  oplogInc: Type.Optional(Type.Integer({ minimum: 1 })),
  oplogTs: Type.Optional(Words),
  pointInTimeUTCMillis: Type.Optional(Type.Integer({ minimum: 1_199_145_600_000 })),
  snapshotId: Type.Optional(ObjectId),
});

const oneOf = (...values: number[]) => Type.Union(values.map((value) => Type.Literal(value)));

const scheduleFields = {
  dailySnapshotRetentionDays: oneOf(0, 3, 4, 5, 6, 7, 15, 30, 60, 90, 120, 180, 360),
  monthlySnapshotRetentionMonths: oneOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 24, 36),
  pointInTimeWindowHours: Type.Integer({ minimum: 0 }),
  snapshotIntervalHours: oneOf(6, 8, 12, 24),
  snapshotRetentionDays: oneOf(2, 3, 4, 5),
  weeklySnapshotRetentionWeeks: oneOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 52),
};

/**
 * `clusterCheckpointIntervalMin` is left out where there is none: a client that sends back what it read of a replica
 * set sends nothing that is refused.
 */
export const LegacySchedule = Type.Object(
  {
    ...scheduleFields,
    clusterCheckpointIntervalMin: Type.Optional(oneOf(15, 30, 60)),
    clusterId: ObjectId,
    groupId: ObjectId,
    links: Links,
  },
  closed,
);

/** Which intervals there are is the domain's rule, since Atlas has a code of its own for the others. */
const LegacyScheduleRequest = Type.Partial(
  Type.Object({ ...scheduleFields, clusterCheckpointIntervalMin: Type.Integer() }),
);

const cluster = '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}' as const;
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const own = { scope: 'project', anyOf: ['GROUP_OWNER'] } as const;
/**
 * Closed to new clusters on this day; nothing superseded it, so that no later version of the same operation says so.
 */
const legacy = { date: '2023-01-01', deprecated: '2020-03-23' } as const;

export const legacyBackupOperations = defineOperations({
  listGroupClusterSnapshots: {
    ...listing,
    aliases: ['listClusterSnapshots', 'listLegacySnapshots'],
    path: `${cluster}/snapshots`,
    access: read,
    query: { completed: { type: 'string', values: ['all', 'true', 'false'] } },
    versions: [{ ...legacy, response: Paginated(LegacySnapshot) }],
  },
  getGroupClusterSnapshot: {
    ...reading,
    aliases: ['getClusterSnapshot', 'getLegacySnapshot'],
    path: `${cluster}/snapshots/{snapshotId}`,
    access: read,
    versions: [{ ...legacy, response: LegacySnapshot }],
    errorCodes: ['SNAPSHOT_NOT_FOUND'],
  },
  updateGroupClusterSnapshot: {
    ...reading,
    aliases: ['updateClusterSnapshot', 'updateLegacySnapshotRetention'],
    method: 'PATCH',
    path: `${cluster}/snapshots/{snapshotId}`,
    access: own,
    versions: [{ ...legacy, request: LegacySnapshotRequest, response: LegacySnapshot }],
    errorCodes: [
      'SNAPSHOT_NOT_FOUND',
      'CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION',
      'CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY',
    ],
  },
  deleteGroupClusterSnapshot: {
    ...reading,
    aliases: ['deleteClusterSnapshot', 'deleteLegacySnapshot'],
    method: 'DELETE',
    path: `${cluster}/snapshots/{snapshotId}`,
    access: own,
    versions: [{ ...legacy, response: null }],
    success: 204,
    answers: 'nothing',
    documents400: true,
    errorCodes: snapshotDeletionErrors,
  },
  listGroupClusterRestoreJobs: {
    ...listing,
    aliases: ['listClusterRestoreJobs', 'listLegacyBackupRestoreJobs'],
    path: `${cluster}/restoreJobs`,
    access: read,
    query: { batchId: { type: 'string', pattern: '^[a-f0-9]{24}$' } },
    versions: [{ ...legacy, response: Paginated(LegacyRestoreJob) }],
  },
  /** Answers with a list: one job a shard, so for a replica set one. */
  createGroupClusterRestoreJob: {
    ...listing,
    aliases: ['createClusterRestoreJob', 'createLegacyBackupRestoreJob'],
    method: 'POST',
    path: `${cluster}/restoreJobs`,
    access: own,
    versions: [{ ...legacy, request: LegacyRestoreRequest, response: Paginated(LegacyRestoreJob) }],
    paging: 'none',
    documents400: true,
    errorCodes: [
      ...restoreErrors,
      'CHECKPOINT_NOT_FOUND',
      'CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS',
      'FRACTIONAL_TIMESTAMP',
    ],
  },
  getGroupClusterRestoreJob: {
    ...reading,
    aliases: ['getClusterRestoreJob', 'getLegacyBackupRestoreJob'],
    path: `${cluster}/restoreJobs/{jobId}`,
    access: read,
    versions: [{ ...legacy, response: LegacyRestoreJob }],
    documents400: true,
    errorCodes: ['RESTORE_JOB_NOT_FOUND'],
  },
  getGroupClusterSnapshotSchedule: {
    ...reading,
    aliases: ['getClusterSnapshotSchedule', 'getLegacySnapshotSchedule'],
    path: `${cluster}/snapshotSchedule`,
    access: read,
    versions: [{ ...legacy, response: LegacySchedule }],
    errorCodes: ['BACKUP_CONFIG_NOT_FOUND'],
  },
  updateGroupClusterSnapshotSchedule: {
    ...reading,
    aliases: ['updateClusterSnapshotSchedule', 'updateLegacySnapshotSchedule'],
    method: 'PATCH',
    path: `${cluster}/snapshotSchedule`,
    access: own,
    versions: [{ ...legacy, request: LegacyScheduleRequest, response: LegacySchedule }],
    documents400: true,
    errorCodes: [
      'BACKUP_CONFIG_NOT_FOUND',
      'CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET',
      'CHECKPOINTS_ONLY_ON_CONTINOUS_BACKUP',
      'INVALID_BACKUP_POLICY',
      'INVALID_CLUSTER_CHECKPOINT_INTERVAL',
      'BACKUP_POLICIES_NOT_MEETING_BACKUP_COMPLIANCE_POLICY_REQUIREMENTS',
    ],
  },
});
