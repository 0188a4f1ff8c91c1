import type { Domain } from '../../src/domain/domain.ts';
import { must } from '../../src/lib/assert.ts';
import { shorter } from './bound-project.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { sampleSnapshots } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const snapshotsSamples: ResourceSamples = {
  operations: {
    listGroupClusterBackupSnapshots: { who: readers },
    takeGroupClusterBackupSnapshots: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_CREATOR ORG_OWNER',
      body: { description: 'd', retentionInDays: 3 },
      comesDownTo: ['snapshots.take'],
    },
    getGroupClusterBackupSnapshot: { who: readers },
    updateGroupClusterBackupSnapshot: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      body: { retentionUnit: 'WEEKS', retentionValue: 2 },
      comesDownTo: ['snapshots.updateRetention'],
    },
    deleteGroupClusterBackupSnapshot: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      comesDownTo: ['snapshots.delete'],
    },
    deleteGroupClusterBackupSnapshotShardedCluster: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      comesDownTo: ['snapshots.delete'],
    },
    getGroupClusterBackupSnapshotShardedCluster: { who: readers },
    listGroupClusterBackupSnapshotShardedClusters: { who: readers },
  },
  verdicts: {
    'snapshots.take': {
      bound: [
        [
          'SNAPSHOT_RETENTION_LESS_THAN_BACKUP_COMPLIANCE_POLICY',
          ({ domain, name }) => domain.snapshots.take({ ...name, retentionInDays: 9 }),
        ],
      ],
    },
    'snapshots.updateRetention': {
      bound: (['scheduledId', 'onDemandId'] as const).map((which) => [
        shorter,
        ({ domain, name, ...ids }) =>
          domain.snapshots.updateRetention({
            ...name,
            snapshotId: ids[which],
            retentionUnit: 'DAYS',
            retentionValue: 6,
          }),
      ]),
    },
    'snapshots.updateExpiry': {
      bound: [
        [
          shorter,
          ({ domain, name, scheduledId, world }) =>
            domain.snapshots.updateExpiry({ ...name, snapshotId: scheduledId, expiresAtMs: world.clock.nowMs() + 1 }),
        ],
        [
          shorter,
          async ({ domain, name, scheduledId }) => {
            await domain.snapshots.updateExpiry({ ...name, snapshotId: scheduledId, doNotDelete: true });
            await domain.snapshots.updateExpiry({ ...name, snapshotId: scheduledId, doNotDelete: false });
          },
        ],
      ],
    },
    'snapshots.delete': {
      bound: (['scheduledId', 'onDemandId'] as const).map((which) => [
        'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY',
        ({ domain, name, ...ids }) => domain.snapshots.delete({ ...name, snapshotId: ids[which] }),
      ]),
    },
  },
};

export function snapshotsNoun({ note, clusterNamed, snapshotOf, ofCluster }: SampleParts): Domain['snapshots'] {
  return {
    async list(query) {
      const found = ofCluster(sampleSnapshots, query);
      note('snapshots.list', query);
      return found;
    },
    listSharded: async (query) => {
      clusterNamed(query);
      return [];
    },
    get: async (query) => snapshotOf(query),
    async take(request) {
      clusterNamed(request);
      note('snapshots.take', request);
      return must(sampleSnapshots[1], 'a queued sample');
    },
    async updateRetention(request) {
      const found = snapshotOf(request);
      note('snapshots.updateRetention', request);
      return found;
    },
    async updateExpiry(request) {
      const found = snapshotOf(request);
      note('snapshots.updateExpiry', request);
      return found;
    },
    async delete(request) {
      snapshotOf(request);
      note('snapshots.delete', request);
    },
  };
}
