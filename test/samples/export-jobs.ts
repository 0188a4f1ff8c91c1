import type { Domain } from '../../src/domain/domain.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { must } from '../../src/lib/assert.ts';
import { addsOnly } from './bound-project.ts';
import type { ResourceSamples } from './resource-samples.ts';
import { sampleBuckets, sampleExportJobRows, sampleId, sampleIds } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const exportJobsSamples: ResourceSamples = {
  operations: {
    listGroupClusterBackupExports: { who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER' },
    createGroupClusterBackupExport: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_EXPORT_OPERATOR ORG_OWNER',
      body: {
        snapshotId: sampleIds.snapshot,
        exportBucketId: sampleId('f', 1),
        customData: [{ key: 'why', value: 'audit' }],
      },
      comesDownTo: ['exportJobs.create'],
    },
    getGroupClusterBackupExport: { who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER' },
  },
  verdicts: {
    'exportJobs.create': addsOnly,
  },
};

export function exportJobsNoun({ clusterNamed, ofCluster }: SampleParts): Domain['exportJobs'] {
  return {
    list: async (query) => ofCluster(sampleExportJobRows, query),
    async get({ exportJobId, clusterName, projectId }) {
      clusterNamed({ projectId, clusterName });
      const found = sampleExportJobRows.find((job) => job.id === exportJobId && job.clusterName === clusterName);
      if (found === undefined) throw refuse('EXPORT_JOB_NOT_FOUND', [exportJobId, clusterName, projectId]);
      return found;
    },
    async create({ exportBucketId, snapshotId, customData, projectId, clusterName }) {
      clusterNamed({ projectId, clusterName });
      if (!sampleBuckets.some((row) => row.id === exportBucketId))
        throw refuse('EXPORT_BUCKET_NOT_FOUND', [exportBucketId, projectId]);
      const [sample] = sampleExportJobRows;
      return {
        ...must(sample, 'a sample'),
        exportBucketId,
        snapshotId,
        customData,
        state: 'Queued',
        finishedAtMs: null,
      };
    },
  };
}
