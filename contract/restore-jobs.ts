import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { BsonTimestamp, ClusterName, closed, Links, ObjectId, Paginated, Time, Words } from './primitives.ts';

const PrivateDeliveryUrl = Type.Object(
  { deliveryUrl: Type.Optional(Type.String()), endpointId: Type.Optional(Type.String()) },
  closed,
);

const DeliveryType = Type.Union([Type.Literal('automated'), Type.Literal('download'), Type.Literal('pointInTime')]);

export const RestoreJob = Type.Object(
  {
    cancelled: Type.Boolean(),
    components: Type.Optional(
      Type.Array(
        Type.Object(
          {
            downloadUrl: Type.Optional(Type.String()),
            privateDownloadDeliveryUrls: Type.Optional(Type.Array(PrivateDeliveryUrl)),
            replicaSetName: Type.String(),
          },
          closed,
        ),
      ),
    ),
    deliveryType: DeliveryType,
    deliveryUrl: Type.Array(Type.String()),
    desiredTimestamp: BsonTimestamp,
    expired: Type.Boolean(),
    expiresAt: Type.Optional(Time),
    failed: Type.Boolean(),
    finishedAt: Type.Optional(Time),
    id: ObjectId,
    links: Links,
    oplogInc: Type.Optional(Type.Integer()),
    oplogTs: Type.Optional(Type.Integer()),
    pointInTimeUTCSeconds: Type.Optional(Type.Integer()),
    privateDownloadDeliveryUrls: Type.Optional(Type.Array(PrivateDeliveryUrl)),
    snapshotId: Type.Optional(ObjectId),
    targetClusterName: Type.Optional(ClusterName),
    targetGroupId: Type.Optional(ObjectId),
    timestamp: Type.Optional(Time),
  },
  closed,
);

/**
 * Only the types of what we read: which parts a delivery type needs, and whether an id is one, is the domain's rule,
 * with Atlas's own code for each. Read-only fields that clients echo are not named, so they pass unread.
 */
export const RestoreJobRequest = Type.Object({
  deliveryType: Words,
  snapshotId: Type.Optional(Words),
  targetClusterName: Type.Optional(Words),
  targetGroupId: Type.Optional(Words),
  oplogTs: Type.Optional(Type.Number()),
  oplogInc: Type.Optional(Type.Number()),
  pointInTimeUTCSeconds: Type.Optional(Type.Number()),
});

const restoreJobs = '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/restoreJobs';
const manage = { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER'] } as const;
const recover = {
  scope: 'project',
  anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR', 'GROUP_BACKUP_EXPORT_OPERATOR'],
} as const;

/** Of every way in which a restore is asked for, the legacy one too. */
export const restoreErrors = [
  'SNAPSHOT_NOT_FOUND',
  'MISSING_ATTRIBUTE',
  'UNSUPPORTED_DELIVERY_METHOD',
  'CANNOT_RESTORE_TO_TARGET',
  'CANNOT_START_RESTORE_JOB_FOR_DELETED_SNAPSHOT',
  'RESTORE_INITIATION_FAILED',
  'CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT',
  'CLUSTER_PAUSED_CANNOT_RESTORE',
  'ATLAS_CLUSTER_RESTORE_IN_PROGRESS',
  'INVALID_PIT_RESTORE_TIME',
  'UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME',
  'CANNOT_DOWNLOAD_SNAPSHOT_CONCURRENTLY',
  'TOO_MANY_SNAPSHOT_DOWNLOADS',
] as const;

export const restoreJobOperations = defineOperations({
  listGroupClusterBackupRestoreJobs: {
    ...listing,
    aliases: ['listBackupRestoreJobs'],
    path: restoreJobs,
    access: manage,
    versions: [{ date: '2023-01-01', response: Paginated(RestoreJob) }],
  },
  createGroupClusterBackupRestoreJob: {
    ...reading,
    aliases: ['createBackupRestoreJob'],
    method: 'POST',
    path: restoreJobs,
    access: recover,
    versions: [{ date: '2023-01-01', request: RestoreJobRequest, response: RestoreJob }],
    documents400: true,
    errorCodes: restoreErrors,
  },
  getGroupClusterBackupRestoreJob: {
    ...reading,
    aliases: ['getBackupRestoreJob'],
    path: `${restoreJobs}/{restoreJobId}`,
    access: manage,
    versions: [{ date: '2023-01-01', response: RestoreJob }],
    errorCodes: ['RESTORE_JOB_NOT_FOUND'],
  },
  cancelGroupClusterBackupRestoreJob: {
    ...reading,
    aliases: ['cancelBackupRestoreJob'],
    method: 'DELETE',
    path: `${restoreJobs}/{restoreJobId}`,
    access: recover,
    versions: [{ date: '2023-01-01', response: null }],
    success: 204,
    answers: 'nothing',
    documents400: true,
    errorCodes: ['RESTORE_JOB_NOT_FOUND', 'CANNOT_CANCEL_AUTOMATED_RESTORE'],
  },
});
