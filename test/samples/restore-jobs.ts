import type { Domain } from '../../src/domain/domain.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { must } from '../../src/lib/assert.ts';
import type { ResourceSamples } from './resource-samples.ts';
import { sampleClusterName, sampleIds, sampleRestoreJobs } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const restoreJobsSamples: ResourceSamples = {
  operations: {
    listGroupClusterBackupRestoreJobs: { who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER' },
    createGroupClusterBackupRestoreJob: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_EXPORT_OPERATOR GROUP_BACKUP_RECOVERY_OPERATOR ORG_OWNER',
      body: {
        deliveryType: 'automated',
        snapshotId: sampleIds.snapshot,
        targetClusterName: sampleClusterName,
        targetGroupId: sampleIds.project,
      },
      comesDownTo: ['restoreJobs.create'],
    },
    getGroupClusterBackupRestoreJob: { who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER' },
    cancelGroupClusterBackupRestoreJob: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_EXPORT_OPERATOR GROUP_BACKUP_RECOVERY_OPERATOR ORG_OWNER',
      refuses: '400 CANNOT_CANCEL_AUTOMATED_RESTORE',
      comesDownTo: ['restoreJobs.cancel'],
    },
  },
  verdicts: {
    'restoreJobs.create': { harmless: 'a restore replaces what is in a cluster; its backups stay' },
    'restoreJobs.cancel': { harmless: 'a restore that ends changes no backup' },
    'downloads.open': { harmless: 'a download reads' },
    'downloads.stopAll': { harmless: 'a download reads' },
  },
};

export function restoreJobsNoun({
  note,
  clusterNamed,
  snapshotOf,
  restoreJobOf,
  ofCluster,
}: SampleParts): Domain['restoreJobs'] {
  return {
    list: async (query) => ofCluster(sampleRestoreJobs, query),
    get: async (query) => restoreJobOf(query),
    async create(request) {
      clusterNamed(request);
      if (request.snapshotId === undefined) throw refuse('MISSING_ATTRIBUTE', ['snapshotId']);
      snapshotOf({ ...request, snapshotId: request.snapshotId });
      note('restoreJobs.create', request);
      return must(sampleRestoreJobs[1], 'a queued sample');
    },
    async cancel(request) {
      restoreJobOf(request);
      throw refuse('CANNOT_CANCEL_AUTOMATED_RESTORE', [request.restoreJobId]);
    },
  };
}

export function downloadsNoun(): Domain['downloads'] {
  return {
    open: async () => {
      throw refuse('DOWNLOAD_NOT_FOUND');
    },
    stopAll: () => undefined,
  };
}
