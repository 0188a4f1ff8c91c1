import type { Domain } from '../../src/domain/domain.ts';
import type { ExportBucket, ExportBucketName } from '../../src/domain/exports/export-buckets.ts';
import type { ExportJob } from '../../src/domain/exports/export-jobs.ts';
import type { ClusterName } from '../../src/domain/names.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { must } from '../../src/lib/assert.ts';

/** Buckets and export jobs of the sample domain: fixed rows, found by id and refused like the real ones. */
export interface SampleExports {
  buckets: readonly ExportBucket[];
  jobs: readonly ExportJob[];
  note: (name: string, argument: unknown) => unknown;
  /** Refuses a cluster that is not there. */
  clusterNamed: (name: ClusterName) => object;
}

export function sampleExportBuckets({ buckets, note }: SampleExports): Omit<Domain['exportBuckets'], 'list'> {
  const named = ({ projectId, exportBucketId }: ExportBucketName, cloudProvider?: string) => {
    const found = buckets.find((row) => row.id === exportBucketId && row.projectId === projectId);
    if (found === undefined || (cloudProvider ?? found.cloudProvider) !== found.cloudProvider)
      throw refuse('EXPORT_BUCKET_NOT_FOUND', [exportBucketId, projectId]);
    return found;
  };
  return {
    get: async ({ cloudProvider, ...name }) => named(name, cloudProvider),
    async create(request) {
      note('exportBuckets.create', request);
      return must(
        buckets.find((row) => row.cloudProvider === request.cloudProvider),
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

export function sampleExportJobs({ buckets, jobs, clusterNamed }: SampleExports): Omit<Domain['exportJobs'], 'list'> {
  return {
    async get({ exportJobId, clusterName, projectId }) {
      clusterNamed({ projectId, clusterName });
      const found = jobs.find((job) => job.id === exportJobId && job.clusterName === clusterName);
      if (found === undefined) throw refuse('EXPORT_JOB_NOT_FOUND', [exportJobId, clusterName, projectId]);
      return found;
    },
    async create({ exportBucketId, snapshotId, customData, projectId, clusterName }) {
      clusterNamed({ projectId, clusterName });
      if (!buckets.some((row) => row.id === exportBucketId))
        throw refuse('EXPORT_BUCKET_NOT_FOUND', [exportBucketId, projectId]);
      const [sample] = jobs;
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
