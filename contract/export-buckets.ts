import { Type } from '@sinclair/typebox';
import { defineOperations, listing } from './operation.ts';
import { CloudProvider, closed, Links, ObjectId, Paginated } from './primitives.ts';

const bucketFields = {
  _id: ObjectId,
  bucketName: Type.String({ minLength: 3, maxLength: 63 }),
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
    serviceUrl: Type.String({ minLength: 33, maxLength: 2048 }),
    tenantId: Type.String(),
  },
  closed,
);

export const GcpExportBucket = Type.Object(
  { ...bucketFields, cloudProvider: Type.Literal('GCP'), roleId: ObjectId },
  closed,
);

export const exportBucketOperations = defineOperations({
  listGroupBackupExportBuckets: {
    ...listing,
    aliases: ['listExportBuckets'],
    path: '/api/atlas/v2/groups/{groupId}/backup/exportBuckets',
    access: { scope: 'project', anyOf: ['GROUP_READ_ONLY'] },
    versions: [
      { date: '2023-01-01', sunset: '2027-07-01', response: Paginated(AwsExportBucket) },
      {
        date: '2024-05-30',
        response: Paginated(Type.Union([AwsExportBucket, AzureExportBucket, GcpExportBucket])),
      },
    ],
  },
});
