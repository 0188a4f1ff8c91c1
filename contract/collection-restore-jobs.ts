import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { ClusterName, closed, ObjectId, Paginated, Time, Words } from './primitives.ts';

const Namespace = Type.Object({ sourceNamespace: Words, targetNamespace: Type.Optional(Words) }, closed);
const IndexStrategy = Type.Union([Type.Literal('ALL'), Type.Literal('NONE'), Type.Literal('ALL_EXCEPT_TTL')]);
const WriteStrategy = Type.Union([Type.Literal('CREATE_NEW'), Type.Literal('OVERWRITE_EXISTING')]);
const IndexState = Type.Union([
  Type.Literal('NOT_STARTED'),
  Type.Literal('IN_PROGRESS'),
  Type.Literal('SUCCESSFUL'),
  Type.Literal('FAILED'),
  Type.Literal('NOT_RESTORED'),
]);
export const collectionStates = [
  'NOT_STARTED',
  'IN_PROGRESS',
  'FINALIZING',
  'NOT_FOUND',
  'UNSUPPORTED',
  'SUCCESSFUL',
  'ROLLBACK',
  'NOT_RESTORED',
  'FAILED',
  'INDEX_BUILD_FAILED',
] as const;
const count = Type.Integer({ minimum: 0 });

export const CollectionRestoreJob = Type.Object(
  {
    collectionSuffix: Type.Optional(Type.String()),
    collections: Type.Optional(Type.Array(Namespace)),
    createdAt: Time,
    databaseSuffix: Type.Optional(Type.String()),
    databases: Type.Optional(Type.Array(Namespace)),
    errorMessage: Type.Optional(Type.String()),
    finishedAt: Type.Optional(Time),
    id: ObjectId,
    indexStatus: Type.Optional(Type.Object({ failedCollectionCount: count, state: IndexState }, closed)),
    indexStrategy: IndexStrategy,
    oplogInc: Type.Optional(Type.Integer()),
    oplogTs: Type.Optional(Type.Integer()),
    pointInTimeUtcSeconds: Type.Optional(Type.Integer()),
    restoredDocuments: count,
    snapshotId: Type.Optional(ObjectId),
    state: Type.Union([
      Type.Literal('INITIALIZING'),
      Type.Literal('IN_PROGRESS'),
      Type.Literal('FINALIZING'),
      Type.Literal('SUCCESSFUL'),
      Type.Literal('CANCELED'),
      Type.Literal('FAILED'),
    ]),
    targetClusterName: ClusterName,
    targetGroupId: ObjectId,
    totalDocuments: count,
    writeStrategy: WriteStrategy,
  },
  closed,
);

export const RestoredCollection = Type.Object(
  {
    effectiveTargetNamespace: Type.Optional(Type.String()),
    indexStatus: Type.Optional(Type.Object({ errorMessage: Type.Optional(Type.String()), state: IndexState }, closed)),
    restoredDocuments: count,
    sourceNamespace: Type.String(),
    state: Type.Union(collectionStates.map((state) => Type.Literal(state))),
    targetNamespace: Type.Optional(Type.String()),
    totalDocuments: count,
  },
  closed,
);

/** From where, which names, and whether they fit together is the domain's rule. */
const CollectionRestoreRequest = Type.Object({
  collectionSuffix: Type.Optional(Words),
  collections: Type.Optional(Type.Array(Type.Object(Namespace.properties))),
  databaseSuffix: Type.Optional(Words),
  databases: Type.Optional(Type.Array(Type.Object(Namespace.properties))),
  indexStrategy: IndexStrategy,
  oplogInc: Type.Optional(Type.Integer({ minimum: 1 })),
  oplogTs: Type.Optional(Type.Integer({ minimum: 1_199_145_600 })),
  pointInTimeUtcSeconds: Type.Optional(Type.Integer({ minimum: 1_199_145_600 })),
  snapshotId: Type.Optional(ObjectId),
  targetClusterName: ClusterName,
  targetGroupId: ObjectId,
  writeStrategy: WriteStrategy,
});

const jobs = '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/collectionRestoreJobs' as const;
const manage = { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER'] } as const;
const date = '2025-03-12';
const missing = ['COLLECTION_RESTORE_JOB_NOT_FOUND'] as const;

export const collectionRestoreJobOperations = defineOperations({
  listGroupClusterCollectionRestoreJobs: {
    ...listing,
    aliases: ['listCollectionRestoreJobs'],
    path: jobs,
    access: manage,
    versions: [{ date, response: Paginated(CollectionRestoreJob) }],
    paging: 'uncounted',
    documents400: true,
  },
  createGroupClusterCollectionRestoreJob: {
    ...reading,
    aliases: ['createCollectionRestoreJob'],
    method: 'POST',
    path: jobs,
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_RECOVERY_OPERATOR'] },
    versions: [{ date, request: CollectionRestoreRequest, response: CollectionRestoreJob }],
    success: 201,
    documents400: true,
    errorCodes: [
      'MISSING_ATTRIBUTE',
      'SNAPSHOT_NOT_FOUND',
      'CANNOT_START_RESTORE_JOB_FOR_INCOMPLETE_CLUSTER_SNAPSHOT',
      'CANNOT_RESTORE_TO_TARGET',
      'CLUSTER_PAUSED_CANNOT_RESTORE',
      'ATLAS_CLUSTER_RESTORE_IN_PROGRESS',
      'INVALID_PIT_RESTORE_TIME',
      'UNABLE_T0_FIND_SNAPSHOT_PRIOR_TO_PIT_RESTORE_OPTIME',
      'FEATURE_UNSUPPORTED',
    ],
  },
  getGroupClusterCollectionRestoreJob: {
    ...reading,
    aliases: ['getCollectionRestoreJob'],
    path: `${jobs}/{jobId}`,
    access: manage,
    versions: [{ date, response: CollectionRestoreJob }],
    documents400: true,
    errorCodes: missing,
  },
  listGroupClusterCollectionRestoreJobCollections: {
    ...listing,
    aliases: ['listRestoreJobCollections'],
    path: `${jobs}/{jobId}/collections`,
    access: manage,
    query: {
      state: { type: 'string', values: collectionStates },
      sourceNamespace: { type: 'string' },
      targetNamespace: { type: 'string' },
    },
    versions: [{ date, response: Paginated(RestoredCollection) }],
    paging: 'uncounted',
    documents400: true,
    errorCodes: missing,
  },
  getGroupClusterCollectionRestoreJobCollection: {
    ...reading,
    aliases: ['getRestoreJobCollection'],
    path: `${jobs}/{jobId}/collections/{sourceNamespace}`,
    access: manage,
    versions: [{ date, response: RestoredCollection }],
    documents400: true,
    errorCodes: [...missing, 'RESOURCE_NOT_FOUND'],
  },
});
