import { Type } from '@sinclair/typebox';
import { clusterRemovalErrors } from './clusters.ts';
import { defineOperations, listing, reading } from './operation.ts';
import { ClusterName, closed, Links, ObjectId, Paginated, Time } from './primitives.ts';

/**
 * What Atlas has no word for: registering a cluster by connection string, and how work is getting on. Plain JSON, no
 * version in the media type.
 */

export const RegisteredCluster = Type.Object(
  {
    connectionString: Type.String(),
    createdAt: Time,
    featureCompatibilityVersion: Type.Union([Type.String(), Type.Null()]),
    groupId: ObjectId,
    id: ObjectId,
    links: Links,
    mongodVersion: Type.Union([Type.String(), Type.Null()]),
    name: ClusterName,
    /** Options of the connection string that Tidemark sets itself: in the answer to the request that gave it. */
    overriddenOptions: Type.Optional(Type.Array(Type.String())),
    /** What its user may not do and snapshots need, as tried: in the answer to the request that gave it. */
    missingPrivileges: Type.Optional(Type.Array(Type.String())),
    members: Type.Array(
      Type.Object(
        { hidden: Type.Boolean(), host: Type.String(), priority: Type.Number(), state: Type.String() },
        closed,
      ),
    ),
    /** When the facts above were read from the cluster, and why the last try failed where it did. */
    probedAt: Type.Union([Time, Type.Null()]),
    probeFailure: Type.Union([Type.String(), Type.Null()]),
    replicaSetName: Type.Union([Type.String(), Type.Null()]),
    type: Type.Union([Type.Literal('replicaSet'), Type.Literal('shardedCluster')]),
  },
  closed,
);

/** A certificate, or several, or one with its private key. */
const Pem = Type.String({ minLength: 1, maxLength: 65_536, pattern: '^\\s*-----BEGIN [A-Z0-9 ]+-----' });

const connection = {
  connectionString: Type.String({ minLength: 1, maxLength: 8_192 }),
  /** Name of an identity of the operator's file: this service signs in as that. */
  identity: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  /** Authorities that the servers' certificates are held against. */
  tlsCa: Type.Optional(Pem),
  /** Certificate and private key that the servers are shown. */
  tlsCertificateKey: Type.Optional(Pem),
  tlsCertificateKeyPassword: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
};

export const RegisterClusterRequest = Type.Object({ ...connection, name: ClusterName });
export const ReconnectClusterRequest = Type.Object(connection);

/** What work that ended well could not carry over, by name: the first hundred, and how many there are. */
export const LeftOutSummary = Type.Object(
  {
    count: Type.Integer({ minimum: 1 }),
    named: Type.Array(
      Type.Object(
        { kind: Type.String(), name: Type.String(), namespace: Type.String(), problem: Type.String() },
        closed,
      ),
    ),
  },
  closed,
);

export const TaskProgress = Type.Object(
  {
    attempts: Type.Integer({ minimum: 0 }),
    attemptsMax: Type.Integer({ minimum: 1 }),
    cancelRequested: Type.Boolean(),
    createdAt: Time,
    failureReason: Type.Union([Type.String(), Type.Null()]),
    finishedAt: Type.Union([Time, Type.Null()]),
    id: ObjectId,
    kind: Type.String(),
    /** Of restore jobs; null where nothing is missing. */
    leftOut: Type.Union([LeftOutSummary, Type.Null()]),
    links: Links,
    progress: Type.Union([
      Type.Object(
        {
          bytesDone: Type.Number(),
          bytesTotal: Type.Union([Type.Number(), Type.Null()]),
          collectionsDone: Type.Union([Type.Integer(), Type.Null()]),
          collectionsTotal: Type.Union([Type.Integer(), Type.Null()]),
          documentsDone: Type.Number(),
          namespace: Type.Union([Type.String(), Type.Null()]),
          phase: Type.String(),
        },
        closed,
      ),
      Type.Null(),
    ]),
    startedAt: Type.Union([Time, Type.Null()]),
    state: Type.Union([
      Type.Literal('queued'),
      Type.Literal('running'),
      Type.Literal('succeeded'),
      Type.Literal('failed'),
      Type.Literal('cancelled'),
    ]),
    subjectId: ObjectId,
  },
  closed,
);

const EntryTime = Type.Object({ date: Time, increment: Type.Integer({ minimum: 0 }) }, closed);

export const ContinuousBackup = Type.Object(
  {
    /** The last captured entry; of a sharded cluster what every replica set is captured up to. */
    captured: Type.Union([EntryTime, Type.Null()]),
    enabled: Type.Boolean(),
    failureReason: Type.Union([Type.String(), Type.Null()]),
    gaps: Type.Array(
      Type.Object(
        {
          at: Type.String(),
          cause: Type.String(),
          from: EntryTime,
          /** Of a sharded cluster. */
          shardName: Type.Union([Type.String(), Type.Null()]),
        },
        closed,
      ),
    ),
    lagSeconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    /** The replica sets of a sharded cluster, the config servers last; none of a replica set. */
    members: Type.Array(
      Type.Object(
        {
          captured: Type.Union([EntryTime, Type.Null()]),
          configServer: Type.Boolean(),
          failureReason: Type.Union([Type.String(), Type.Null()]),
          lagSeconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
          replicaSetName: Type.String(),
          shardName: Type.String(),
          sourceHost: Type.Union([Type.String(), Type.Null()]),
          storageSizeBytes: Type.Integer({ minimum: 0 }),
          updatedAt: Time,
        },
        closed,
      ),
    ),
    /** What can be restored, ends included. */
    restorable: Type.Array(Type.Object({ from: EntryTime, to: EntryTime }, closed)),
    sourceHost: Type.Union([Type.String(), Type.Null()]),
    storageSizeBytes: Type.Integer({ minimum: 0 }),
    updatedAt: Type.Union([Time, Type.Null()]),
  },
  closed,
);

const v1 = '/api/tidemark/v1/groups/{groupId}';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const own = { scope: 'project', anyOf: ['GROUP_OWNER', 'GROUP_CLUSTER_MANAGER'] } as const;
const plain = { negotiated: false, aliases: [], envelope: false, documents400: true } as const;
const unversioned = '2023-01-01';
const snapshotTask = `${v1}/clusters/{clusterName}/snapshots/{snapshotId}/task`;
const exportTask = `${v1}/clusters/{clusterName}/exports/{exportId}/task`;
const collectionRestoreTask = `${v1}/clusters/{clusterName}/collectionRestoreJobs/{jobId}/task`;
const restoreJobTask = `${v1}/clusters/{clusterName}/restoreJobs/{restoreJobId}/task`;

export const tidemarkOperations = defineOperations({
  listRegisteredClusters: {
    ...listing,
    ...plain,
    path: `${v1}/clusters`,
    access: read,
    versions: [{ date: unversioned, response: Paginated(RegisteredCluster) }],
  },
  registerCluster: {
    ...reading,
    ...plain,
    method: 'POST',
    path: `${v1}/clusters`,
    access: own,
    versions: [{ date: unversioned, request: RegisterClusterRequest, response: RegisteredCluster }],
    success: 201,
    errorCodes: ['DUPLICATE_CLUSTER_NAME', 'INVALID_CLUSTER_URI', 'CLUSTER_UNREACHABLE', 'CLUSTER_UNSUITABLE'],
  },
  /** A new connection string of the same cluster. */
  reconnectCluster: {
    ...reading,
    ...plain,
    method: 'PATCH',
    path: `${v1}/clusters/{clusterName}`,
    access: own,
    versions: [{ date: unversioned, request: ReconnectClusterRequest, response: RegisteredCluster }],
    errorCodes: [
      'INVALID_CLUSTER_URI',
      'CLUSTER_UNREACHABLE',
      'CLUSTER_UNSUITABLE',
      'CLUSTER_NOT_THE_SAME',
      'CLUSTER_CHANGED_MEANWHILE',
    ],
  },
  removeCluster: {
    ...reading,
    ...plain,
    method: 'DELETE',
    path: `${v1}/clusters/{clusterName}`,
    access: own,
    query: { deleteSnapshots: { type: 'boolean' } },
    versions: [{ date: unversioned, response: null }],
    success: 204,
    answers: 'nothing',
    errorCodes: clusterRemovalErrors,
  },
  getContinuousBackup: {
    ...reading,
    ...plain,
    path: `${v1}/clusters/{clusterName}/continuousBackup`,
    access: read,
    versions: [{ date: unversioned, response: ContinuousBackup }],
  },
  getSnapshotTask: {
    ...reading,
    ...plain,
    path: snapshotTask,
    access: read,
    versions: [{ date: unversioned, response: TaskProgress }],
    errorCodes: ['SNAPSHOT_NOT_FOUND', 'TASK_NOT_FOUND'],
  },
  cancelSnapshotTask: {
    ...reading,
    ...plain,
    method: 'DELETE',
    path: snapshotTask,
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER'] },
    versions: [{ date: unversioned, response: TaskProgress }],
    errorCodes: ['SNAPSHOT_NOT_FOUND', 'TASK_NOT_FOUND', 'CANNOT_DISABLE_CLOUD_BACKUP_WITH_BACKUP_COMPLIANCE_POLICY'],
  },
  getRestoreJobTask: {
    ...reading,
    ...plain,
    path: restoreJobTask,
    access: read,
    versions: [{ date: unversioned, response: TaskProgress }],
    errorCodes: ['RESTORE_JOB_NOT_FOUND', 'TASK_NOT_FOUND'],
  },
  cancelRestoreJobTask: {
    ...reading,
    ...plain,
    method: 'DELETE',
    path: restoreJobTask,
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR'] },
    versions: [{ date: unversioned, response: TaskProgress }],
    errorCodes: ['RESTORE_JOB_NOT_FOUND', 'TASK_NOT_FOUND'],
  },
  getCollectionRestoreTask: {
    ...reading,
    ...plain,
    path: collectionRestoreTask,
    access: read,
    versions: [{ date: unversioned, response: TaskProgress }],
    errorCodes: ['COLLECTION_RESTORE_JOB_NOT_FOUND', 'TASK_NOT_FOUND'],
  },
  cancelCollectionRestoreTask: {
    ...reading,
    ...plain,
    method: 'DELETE',
    path: collectionRestoreTask,
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR'] },
    versions: [{ date: unversioned, response: TaskProgress }],
    errorCodes: ['COLLECTION_RESTORE_JOB_NOT_FOUND', 'TASK_NOT_FOUND'],
  },
  getExportTask: {
    ...reading,
    ...plain,
    path: exportTask,
    access: read,
    versions: [{ date: unversioned, response: TaskProgress }],
    errorCodes: ['EXPORT_JOB_NOT_FOUND', 'TASK_NOT_FOUND'],
  },
  cancelExportTask: {
    ...reading,
    ...plain,
    method: 'DELETE',
    path: exportTask,
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_EXPORT_OPERATOR'] },
    versions: [{ date: unversioned, response: TaskProgress }],
    errorCodes: ['EXPORT_JOB_NOT_FOUND', 'TASK_NOT_FOUND'],
  },
});
