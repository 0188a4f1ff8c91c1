import type { ExportJobRow } from '../../../src/catalog/schema.ts';
import { asking, type Kit, nowhere, type Provocation, type Provocations } from './provocation.ts';

/** Roles at cloud providers, export buckets, exports and private endpoints. */

async function role({ did }: Kit, authorized = true): Promise<string> {
  const { roleId } = (await did('createGroupCloudProviderAccess')) as unknown as { roleId: string };
  if (authorized) await did('authorizeGroupCloudProviderAccessRole', { params: { roleId } });
  return roleId;
}

export async function bucket(kit: Kit): Promise<{ exportBucketId: string; roleId: string }> {
  const roleId = await role(kit);
  const body = { bucketName: 'exports-1', cloudProvider: 'AWS', iamRoleId: roleId };
  const { _id } = (await kit.did('createGroupBackupExportBucket', { body })) as unknown as { _id: string };
  return { exportBucketId: _id, roleId };
}

const exporting =
  (prepare: (kit: Kit, exportBucketId: string) => Promise<string>): Provocation =>
  async (kit) => {
    const { exportBucketId } = await bucket(kit);
    return await kit.ask({ body: { exportBucketId, snapshotId: await prepare(kit, exportBucketId) } });
  };

/** A job under way, as its row stands. */
async function unfinished(kit: Kit, exportBucketId: string): Promise<string> {
  const snapshotId = await kit.completed();
  const { clusterId } = (await kit.did('getGroupClusterBackupSchedule')) as unknown as { clusterId: string };
  const job: ExportJobRow = {
    id: kit.world.context.ids.next(),
    clusterId,
    snapshotId,
    exportBucketId,
    state: 'InProgress',
    prefix: 'exported_snapshots/x',
    customData: '[]',
    exportedCollections: 0,
    totalCollections: 1,
    createdAtMs: kit.world.clock.nowMs(),
    finishedAtMs: null,
    errorCode: null,
    errorMessage: null,
    leftOut: null,
  };
  await kit.world.catalog.transact(async (writer) => {
    await writer.insertInto('exportJobs').values(job).execute();
  });
  return snapshotId;
}

/** A row without a task, as one is whose task was forgotten. */
const withoutExportTask: Provocation = async (kit) => {
  const { exportBucketId } = await bucket(kit);
  await unfinished(kit, exportBucketId);
  const { results } = (await kit.did('listGroupClusterBackupExports')) as unknown as { results: { id: string }[] };
  return await kit.ask({ params: { exportId: results[0]?.id ?? '' } });
};

export const exportProvocations: Provocations = {
  createGroupCloudProviderAccess: {
    PROVIDER_UNSUPPORTED: asking({ body: { providerName: 'GCP' } }),
    MISSING_ATTRIBUTE: asking({ body: { providerName: 'AZURE' } }),
  },
  deauthorizeGroupCloudProviderAccessRole: {
    CLOUD_PROVIDER_ACCESS_ROLE_IN_USE: async (kit) => {
      const { roleId } = await bucket(kit);
      return await kit.ask({ params: { roleId } });
    },
  },
  createGroupBackupExportBucket: {
    MISSING_ATTRIBUTE: asking({ body: { cloudProvider: 'AWS', bucketName: 'exports-1' } }),
    EXPORT_BUCKET_NAME_INVALID: asking({
      body: { cloudProvider: 'AWS', bucketName: 'Not A Name', iamRoleId: nowhere },
    }),
    CANNOT_ASSUME_ROLE: async (kit) =>
      await kit.ask({
        body: { cloudProvider: 'AWS', bucketName: 'exports-1', iamRoleId: await role(kit, false) },
      }),
  },
  deleteGroupBackupExportBucket: {
    EXPORT_BUCKET_DELETE_FAILED_BUCKET_IN_USE: async (kit) => {
      const { exportBucketId } = await bucket(kit);
      await unfinished(kit, exportBucketId);
      return await kit.ask({ params: { exportBucketId } });
    },
  },
  createGroupClusterBackupExport: {
    MISSING_ATTRIBUTE: asking({ body: { exportBucketId: nowhere } }),
    EXPORT_BUCKET_NOT_FOUND: async (kit) =>
      await kit.ask({ body: { exportBucketId: nowhere, snapshotId: await kit.completed() } }),
    CANNOT_EXPORT_INCOMPLETE_SNAPSHOT: exporting(async (kit) => await kit.running()),
    CANNOT_EXPORT_FALLBACK_SNAPSHOT: exporting(async (kit) => {
      const id = await kit.completed();
      await kit.world.catalog.transact(async (writer) => {
        await writer.updateTable('snapshots').set({ snapshotType: 'fallback' }).where('id', '=', id).execute();
      });
      return id;
    }),
    SNAPSHOT_EXPORT_IN_PROGRESS: exporting(unfinished),
  },
  getExportTask: { TASK_NOT_FOUND: withoutExportTask },
  cancelExportTask: { TASK_NOT_FOUND: withoutExportTask },
  createGroupBackupPrivateEndpoint: {
    MISSING_ATTRIBUTE: asking({ body: { cloudProvider: 'AWS' } }),
    PRIVATE_ENDPOINT_ALREADY_EXISTS: async ({ ask, did }) => {
      await did('createGroupBackupPrivateEndpoint');
      return await ask();
    },
  },
};
