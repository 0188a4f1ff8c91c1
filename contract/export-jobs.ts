import { Type } from '@sinclair/typebox';
import { defineOperations, listing } from './operation.ts';
import { closed, Links, ObjectId, Paginated, Time } from './primitives.ts';

export const ExportJob = Type.Object(
  {
    components: Type.Optional(Type.Array(Type.Object({ exportId: ObjectId, replicaSetName: Type.String() }, closed))),
    createdAt: Time,
    customData: Type.Array(Type.Object({ key: Type.String(), value: Type.String() }, closed)),
    exportBucketId: ObjectId,
    exportStatus: Type.Object({ exportedCollections: Type.Integer(), totalCollections: Type.Integer() }, closed),
    finishedAt: Type.Optional(Time),
    id: ObjectId,
    links: Type.Optional(Links),
    prefix: Type.String(),
    snapshotId: ObjectId,
    state: Type.Union([
      Type.Literal('Cancelled'),
      Type.Literal('Failed'),
      Type.Literal('InProgress'),
      Type.Literal('Queued'),
      Type.Literal('Successful'),
    ]),
    stateReason: Type.Optional(Type.Object({ errorCode: Type.String(), message: Type.String() }, closed)),
  },
  closed,
);

export const exportJobOperations = defineOperations({
  listGroupClusterBackupExports: {
    ...listing,
    aliases: ['listBackupExports', 'listBackupExportJobs'],
    path: '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/exports',
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER', 'GROUP_ATLAS_ADMIN'] },
    versions: [{ date: '2023-01-01', response: Paginated(ExportJob) }],
  },
});
