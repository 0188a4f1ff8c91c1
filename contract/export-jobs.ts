import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { closed, Links, ObjectId, Paginated, Time, Words } from './primitives.ts';

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

/** Which snapshot and which bucket is the domain's rule. `customData` travels into the export's `.complete` object. */
const ExportJobRequest = Type.Object({
  customData: Type.Optional(Type.Array(Type.Object({ key: Type.Optional(Words), value: Type.Optional(Words) }))),
  exportBucketId: ObjectId,
  snapshotId: ObjectId,
});

const exportJobs = '/api/atlas/v2/groups/{groupId}/clusters/{clusterName}/backup/exports';
const manage = { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER', 'GROUP_ATLAS_ADMIN'] } as const;

export const exportJobOperations = defineOperations({
  listGroupClusterBackupExports: {
    ...listing,
    aliases: ['listBackupExports', 'listBackupExportJobs'],
    path: exportJobs,
    access: manage,
    versions: [{ date: '2023-01-01', response: Paginated(ExportJob) }],
  },
  createGroupClusterBackupExport: {
    ...reading,
    aliases: ['createBackupExport', 'createBackupExportJob'],
    method: 'POST',
    path: exportJobs,
    access: { scope: 'project', anyOf: ['GROUP_BACKUP_EXPORT_OPERATOR'] },
    versions: [{ date: '2023-01-01', request: ExportJobRequest, response: ExportJob }],
    pretty: false,
    documents400: true,
    errorCodes: [
      'MISSING_ATTRIBUTE',
      'SNAPSHOT_NOT_FOUND',
      'EXPORT_BUCKET_NOT_FOUND',
      'CANNOT_EXPORT_INCOMPLETE_SNAPSHOT',
      'CANNOT_EXPORT_FALLBACK_SNAPSHOT',
      'SNAPSHOT_EXPORT_IN_PROGRESS',
    ],
  },
  getGroupClusterBackupExport: {
    ...reading,
    aliases: ['getBackupExport', 'getBackupExportJob'],
    path: `${exportJobs}/{exportId}`,
    access: manage,
    versions: [{ date: '2023-01-01', response: ExportJob }],
    pretty: false,
    errorCodes: ['EXPORT_JOB_NOT_FOUND'],
  },
});
