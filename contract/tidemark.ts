import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { ClusterName, closed, Links, ObjectId, Paginated, Time } from './primitives.ts';

/** What Atlas has no word for: registering a cluster by connection string, and how long work is getting on. Plain JSON, no version in the media type. */

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
    replicaSetName: Type.Union([Type.String(), Type.Null()]),
  },
  closed,
);

export const RegisterClusterRequest = Type.Object({
  connectionString: Type.String({ minLength: 1 }),
  name: ClusterName,
});

export const TaskProgress = Type.Object(
  {
    attempts: Type.Integer({ minimum: 0 }),
    clusterId: Type.Union([ObjectId, Type.Null()]),
    createdAt: Time,
    finishedAt: Type.Union([Time, Type.Null()]),
    id: ObjectId,
    kind: Type.String(),
    lastError: Type.Union([Type.String(), Type.Null()]),
    links: Links,
    progress: Type.Union([
      Type.Object(
        {
          bytesDone: Type.Number(),
          bytesTotal: Type.Union([Type.Number(), Type.Null()]),
          collectionsDone: Type.Union([Type.Integer(), Type.Null()]),
          collectionsTotal: Type.Union([Type.Integer(), Type.Null()]),
          documentsDone: Type.Number(),
          phase: Type.String(),
          subject: Type.Union([Type.String(), Type.Null()]),
        },
        closed,
      ),
      Type.Null(),
    ]),
    state: Type.String(),
    subjectId: Type.Union([ObjectId, Type.Null()]),
  },
  closed,
);

const v1 = '/api/tidemark/v1/groups/{groupId}';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const own = { scope: 'project', anyOf: ['GROUP_OWNER', 'GROUP_CLUSTER_MANAGER'] } as const;
const plain = { negotiated: false, aliases: [], envelope: false, documents400: true } as const;
const unversioned = '2023-01-01';

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
    errorCodes: ['DUPLICATE_CLUSTER_NAME'],
  },
  removeCluster: {
    ...reading,
    ...plain,
    method: 'DELETE',
    path: `${v1}/clusters/{clusterName}`,
    access: own,
    versions: [{ date: unversioned, response: null }],
    success: 204,
    answers: 'nothing',
  },
  listTasks: {
    ...listing,
    ...plain,
    path: `${v1}/tasks`,
    access: read,
    versions: [{ date: unversioned, response: Paginated(TaskProgress) }],
  },
  getTask: {
    ...reading,
    ...plain,
    path: `${v1}/tasks/{taskId}`,
    access: read,
    versions: [{ date: unversioned, response: TaskProgress }],
  },
});
