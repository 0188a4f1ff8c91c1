import { Type } from '@sinclair/typebox';
import { defineOperations, listing, reading } from './operation.ts';
import { CloudProvider, closed, Links, ObjectId, Paginated } from './primitives.ts';

const BucketName = Type.String({ minLength: 3, maxLength: 63 });
const ServiceUrl = Type.String({ minLength: 33, maxLength: 2048 });

const bucketFields = {
  _id: ObjectId,
  bucketName: BucketName,
  links: Type.Optional(Links),
};

/** The identifier is `_id` in every version; a client that finds `id` reads nothing. */
export const AwsExportBucket = Type.Object(
  {
    ...bucketFields,
    cloudProvider: CloudProvider,
    iamRoleId: ObjectId,
    region: Type.Optional(Type.String()),
    requirePrivateNetworking: Type.Boolean(),
  },
  closed,
);

export const AzureExportBucket = Type.Object(
  {
    ...bucketFields,
    cloudProvider: Type.Literal('AZURE'),
    roleId: ObjectId,
    serviceUrl: ServiceUrl,
    tenantId: Type.String(),
  },
  closed,
);

export const GcpExportBucket = Type.Object(
  { ...bucketFields, cloudProvider: Type.Literal('GCP'), roleId: ObjectId },
  closed,
);

const ExportBucket = Type.Union([AwsExportBucket, AzureExportBucket, GcpExportBucket]);

/** 2023-01-01 knows AWS alone. */
const AwsExportBucketRequest = Type.Object({
  bucketName: BucketName,
  cloudProvider: CloudProvider,
  iamRoleId: ObjectId,
  requirePrivateNetworking: Type.Optional(Type.Boolean()),
});

/** The provider decides which of the others must be there: the domain's rule. `tenantId` is deprecated and not read. */
const ExportBucketRequest = Type.Object({
  bucketName: Type.Optional(BucketName),
  cloudProvider: CloudProvider,
  iamRoleId: Type.Optional(ObjectId),
  requirePrivateNetworking: Type.Optional(Type.Boolean()),
  roleId: Type.Optional(ObjectId),
  serviceUrl: Type.Optional(ServiceUrl),
});

const exportBuckets = '/api/atlas/v2/groups/{groupId}/backup/exportBuckets';
const read = { scope: 'project', anyOf: ['GROUP_READ_ONLY'] } as const;
const manage = { scope: 'project', anyOf: ['GROUP_BACKUP_MANAGER'] } as const;
const first = { date: '2023-01-01', sunset: '2027-07-01' } as const;

export const exportBucketOperations = defineOperations({
  listGroupBackupExportBuckets: {
    ...listing,
    aliases: ['listExportBuckets'],
    path: exportBuckets,
    access: read,
    versions: [
      { ...first, response: Paginated(AwsExportBucket) },
      { date: '2024-05-30', response: Paginated(ExportBucket) },
    ],
  },
  createGroupBackupExportBucket: {
    ...reading,
    aliases: ['createExportBucket'],
    method: 'POST',
    path: exportBuckets,
    access: manage,
    versions: [
      { ...first, request: AwsExportBucketRequest, response: AwsExportBucket },
      { date: '2024-05-30', request: ExportBucketRequest, response: ExportBucket },
    ],
    documents400: true,
    errorCodes: [
      'MISSING_ATTRIBUTE',
      'EXPORT_BUCKET_NAME_INVALID',
      'CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND',
      'CANNOT_ASSUME_ROLE',
    ],
  },
  getGroupBackupExportBucket: {
    ...reading,
    aliases: ['getExportBucket'],
    path: `${exportBuckets}/{exportBucketId}`,
    access: read,
    versions: [
      { ...first, response: AwsExportBucket },
      { date: '2024-05-30', response: ExportBucket },
    ],
    pretty: false,
    errorCodes: ['EXPORT_BUCKET_NOT_FOUND'],
  },
  updateGroupBackupExportBucket: {
    ...reading,
    aliases: ['updateBackupExportBucket', 'updateExportBucket'],
    method: 'PATCH',
    path: `${exportBuckets}/{exportBucketId}`,
    access: manage,
    versions: [
      {
        date: '2024-05-30',
        request: Type.Object({ requirePrivateNetworking: Type.Boolean() }),
        response: AwsExportBucket,
      },
    ],
    documents400: true,
    errorCodes: ['EXPORT_BUCKET_NOT_FOUND'],
  },
  deleteGroupBackupExportBucket: {
    ...reading,
    aliases: ['deleteExportBucket'],
    method: 'DELETE',
    path: `${exportBuckets}/{exportBucketId}`,
    access: manage,
    versions: [{ date: '2023-01-01', response: null }],
    success: 204,
    answers: 'nothing',
    pretty: false,
    documents400: true,
    errorCodes: ['EXPORT_BUCKET_NOT_FOUND', 'EXPORT_BUCKET_DELETE_FAILED_BUCKET_IN_USE'],
  },
});
