import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import {
  clusterExportingInto,
  findAccessRole,
  findExportBucket,
  insertExportBucket,
  listExportBuckets,
  updateExportBucket,
} from '../../catalog/export-buckets.ts';
import { hasUnfinishedExportInto } from '../../catalog/export-jobs.ts';
import { mapPage } from '../../catalog/page.ts';
import type { CloudProvider, CloudProviderAccessRoleRow, ExportBucketRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import { requireProject } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import { bucketAddress } from './bucket-address.ts';
import type { BucketStores } from './bucket-stores.ts';
import type { ExportBucket, ExportBuckets } from './export-buckets.ts';

/**
 * Where exports go. What is checked when one is added: the name by its provider's rules, the Azure address, that the
 * role is there, of that provider and authorized, and last, by trying, that the bucket can be written. The same bucket
 * may be added again and again, as in Atlas.
 */
export function createExportBuckets(context: DomainContext, bucketStores: BucketStores): ExportBuckets {
  const { catalog, clock, ids } = context;
  return {
    list: async (query) => {
      await requireProject(catalog.reader, query.projectId);
      return mapPage(await listExportBuckets(catalog.reader, query), viewOf);
    },

    get: async (query) => viewOf(await requireExportBucket(catalog.reader, query)),

    create: async (request) => {
      const address = bucketAddress(request);
      const named = { ...request, roleId: address.roleId };
      await requireProject(catalog.reader, request.projectId);
      const role = await requireAccessRole(catalog.reader, named);
      const candidate: ExportBucketRow = {
        ...address,
        id: ids.next(),
        projectId: request.projectId,
        cloudProvider: request.cloudProvider,
        region: null,
        tenantId: role.azureTenantId,
        requirePrivateNetworking: request.requirePrivateNetworking === true ? 1 : 0,
        createdAtMs: clock.nowMs(),
        deletedAtMs: null,
      };
      // Trying takes a moment, so it is not done inside the transaction; what it rests on is looked at again there.
      const region = await regionOfUsable(bucketStores, candidate, role);
      const row = { ...candidate, region };
      await catalog.transact(async (writer) => {
        await requireProject(writer, request.projectId);
        await requireAccessRole(writer, named);
        await insertExportBucket(writer, row);
      });
      return viewOf(row);
    },

    updatePrivateNetworking: async ({ requirePrivateNetworking, ...query }) => {
      const row = await catalog.transact(async (writer) => {
        const bucket = await requireExportBucket(writer, query);
        if (bucket.cloudProvider !== 'AWS') {
          const description = 'can be set for AWS buckets only';
          const field = 'requirePrivateNetworking';
          throw refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
        }
        const change = { requirePrivateNetworking: requirePrivateNetworking ? (1 as const) : (0 as const) };
        await updateExportBucket(writer, bucket.id, change);
        return { ...bucket, ...change };
      });
      return viewOf(row);
    },

    delete: async (query) => {
      await catalog.transact(async (writer) => {
        const bucket = await requireExportBucket(writer, query);
        await refuseWhileInUse(writer, bucket);
        await updateExportBucket(writer, bucket.id, { deletedAtMs: clock.nowMs() });
      });
    },
  };
}

/** Of the project, not deleted, and of the provider where one is asked for. */
export async function requireExportBucket(
  reader: CatalogReader,
  query: { projectId: string; exportBucketId: string; cloudProvider?: CloudProvider },
): Promise<ExportBucketRow> {
  await requireProject(reader, query.projectId);
  const bucket = await findExportBucket(reader, query.exportBucketId);
  const found =
    bucket !== undefined &&
    bucket.projectId === query.projectId &&
    bucket.deletedAtMs === null &&
    (query.cloudProvider === undefined || query.cloudProvider === bucket.cloudProvider);
  if (!found) throw refuse('EXPORT_BUCKET_NOT_FOUND', [query.exportBucketId, query.projectId]);
  return bucket;
}

async function requireAccessRole(
  reader: CatalogReader,
  query: { projectId: string; cloudProvider: CloudProvider; roleId: string },
): Promise<CloudProviderAccessRoleRow> {
  const { projectId, cloudProvider, roleId } = query;
  const role = await findAccessRole(reader, roleId);
  if (
    role === undefined ||
    role.projectId !== projectId ||
    role.cloudProvider !== cloudProvider ||
    role.deletedAtMs !== null
  )
    throw refuse('CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND', [cloudProvider, roleId, projectId]);
  // Only AWS has a second step, in which the owner of the account names the role to assume.
  if (cloudProvider === 'AWS' && role.assumedRoleArn === null)
    throw refuse('CANNOT_ASSUME_ROLE', [roleId, 'it is not authorized yet']);
  return role;
}

/** AWS's region of a bucket that can be written, null for the others; refuses one that cannot. */
async function regionOfUsable(
  bucketStores: BucketStores,
  bucket: ExportBucketRow,
  role: CloudProviderAccessRoleRow,
): Promise<string | null> {
  const found = await bucketStores.check(bucket, role);
  if (!('problem' in found)) return bucket.cloudProvider === 'AWS' ? found.region : null;
  const { bucketName } = bucket;
  const { problem, reason } = found;
  switch (problem) {
    case 'noBucket':
      throw refuse('EXPORT_BUCKET_NAME_INVALID', [bucketName, `there is no such bucket (${reason})`]);
    case 'role':
      throw refuse('CANNOT_ASSUME_ROLE', [role.id, reason]);
    case 'refused':
      throw refuse('EXPORT_BUCKET_VALIDATION_FAILED', [bucketName, role.id, reason]);
    case 'unreachable':
      throw refuse('EXPORT_BUCKET_CONNECTION_FAILED', [bucketName, reason]);
  }
}

async function refuseWhileInUse(writer: CatalogWriter, bucket: ExportBucketRow): Promise<void> {
  if (await hasUnfinishedExportInto(writer, bucket.id))
    throw refuse('EXPORT_BUCKET_DELETE_FAILED_BUCKET_IN_USE', [bucket.id, 'an export job is writing into it']);
  const clusterName = await clusterExportingInto(writer, bucket.id);
  if (clusterName !== null)
    throw refuse('EXPORT_BUCKET_DELETE_FAILED_BUCKET_IN_USE', [
      bucket.id,
      `the schedule of cluster ${clusterName} exports into it`,
    ]);
}

function viewOf({ deletedAtMs: _deleted, requirePrivateNetworking, ...shown }: ExportBucketRow): ExportBucket {
  return { ...shown, requirePrivateNetworking: requirePrivateNetworking === 1 };
}
