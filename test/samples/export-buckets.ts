import type { Domain } from '../../src/domain/domain.ts';
import type { ExportBucketName } from '../../src/domain/exports/export-buckets.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { must } from '../../src/lib/assert.ts';
import { addsOnly, noBackups } from './bound-project.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { pageOf, sampleBuckets, sampleIds } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const exportBucketsSamples: ResourceSamples = {
  operations: {
    listGroupBackupExportBuckets: { who: readers },
    createGroupBackupExportBucket: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      body: { bucketName: 'exports-1', cloudProvider: 'AWS', iamRoleId: sampleIds.unknown },
      comesDownTo: ['exportBuckets.create'],
    },
    getGroupBackupExportBucket: { who: readers },
    updateGroupBackupExportBucket: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      body: { requirePrivateNetworking: true },
      comesDownTo: ['exportBuckets.updatePrivateNetworking'],
    },
    deleteGroupBackupExportBucket: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      comesDownTo: ['exportBuckets.delete'],
    },
  },
  verdicts: {
    'exportBuckets.create': addsOnly,
    'exportBuckets.updatePrivateNetworking': noBackups,
    'exportBuckets.delete': { harmless: 'refused while a schedule exports to it; exports are no backups' },
  },
};

export function exportBucketsNoun({ note }: SampleParts): Domain['exportBuckets'] {
  const named = ({ projectId, exportBucketId }: ExportBucketName, cloudProvider?: string) => {
    const found = sampleBuckets.find((row) => row.id === exportBucketId && row.projectId === projectId);
    if (found === undefined || (cloudProvider ?? found.cloudProvider) !== found.cloudProvider)
      throw refuse('EXPORT_BUCKET_NOT_FOUND', [exportBucketId, projectId]);
    return found;
  };
  return {
    list: async ({ projectId, cloudProvider, page }) =>
      pageOf(
        sampleBuckets.filter(
          (bucket) =>
            bucket.projectId === projectId && (cloudProvider ?? bucket.cloudProvider) === bucket.cloudProvider,
        ),
        page,
      ),
    get: async ({ cloudProvider, ...name }) => named(name, cloudProvider),
    async create(request) {
      note('exportBuckets.create', request);
      return must(
        sampleBuckets.find((row) => row.cloudProvider === request.cloudProvider),
        'a sample of each provider',
      );
    },
    async updatePrivateNetworking({ requirePrivateNetworking, ...name }) {
      const found = named(name);
      note('exportBuckets.updatePrivateNetworking', { ...name, requirePrivateNetworking });
      return { ...found, requirePrivateNetworking };
    },
    async delete(name) {
      named(name);
      note('exportBuckets.delete', name);
    },
  };
}
