import { listExportBuckets } from '../../catalog/export-buckets.ts';
import { listExportJobs } from '../../catalog/export-jobs.ts';
import { mapPage } from '../../catalog/page.ts';
import type { DomainContext } from '../context.ts';
import type { ExportBuckets, ExportJobs } from '../domain.ts';
import { requireCluster, requireProject } from '../find-resource.ts';

export function createExportBuckets({ catalog }: DomainContext): ExportBuckets {
  return {
    list: async (query) => {
      await requireProject(catalog.reader, query.projectId);
      return mapPage(await listExportBuckets(catalog.reader, query), (row) => {
        const { deletedAtMs: _deleted, requirePrivateNetworking, ...shown } = row;
        return { ...shown, requirePrivateNetworking: requirePrivateNetworking === 1 };
      });
    },
  };
}

export function createExportJobs({ catalog }: DomainContext): ExportJobs {
  return {
    list: async ({ page, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const jobs = await listExportJobs(catalog.reader, { clusterId: cluster.id, page });
      return mapPage(jobs, ({ errorCode, errorMessage, ...job }) => ({
        ...job,
        projectId: cluster.projectId,
        clusterName: cluster.name,
        stateReason: errorCode === null ? null : { errorCode, message: errorMessage ?? '' },
      }));
    },
  };
}
