import type { AwsExportBucket, AzureExportBucket, GcpExportBucket } from '../../../contract/export-buckets.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { ExportBucket } from '../../domain/exports/export-buckets.ts';
import { unreachable } from '../../lib/assert.ts';

type Body = ShapeOf<typeof AwsExportBucket> | ShapeOf<typeof AzureExportBucket> | ShapeOf<typeof GcpExportBucket>;

/**
 * An export bucket, under `_id`. The shape follows the provider; the version decides only which providers a list holds.
 * The region is shown wherever buckets are asked for, as the reference page of the list has it, and not by the answer
 * that creates one: then it is not known yet.
 */
export function exportBucketBody(bucket: ExportBucket, show: { region: boolean } = { region: false }): Body {
  const common = { _id: bucket.id, bucketName: bucket.bucketName };
  switch (bucket.cloudProvider) {
    case 'AWS':
      return {
        ...common,
        cloudProvider: 'AWS',
        iamRoleId: bucket.roleId,
        ...(show.region && bucket.region !== null ? { region: bucket.region } : {}),
        requirePrivateNetworking: bucket.requirePrivateNetworking,
      };
    case 'AZURE':
      return {
        ...common,
        cloudProvider: 'AZURE',
        roleId: bucket.roleId,
        serviceUrl: bucket.serviceUrl ?? '',
        tenantId: bucket.tenantId ?? '',
      };
    case 'GCP':
      return { ...common, cloudProvider: 'GCP', roleId: bucket.roleId };
    default:
      return unreachable(bucket.cloudProvider);
  }
}
