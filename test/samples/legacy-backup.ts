import type { Domain } from '../../src/domain/domain.ts';
import type { ClusterName } from '../../src/domain/names.ts';
import { must } from '../../src/lib/assert.ts';
import { below } from './bound-project.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { sampleClusterName, sampleIds, sampleRestoreJobs } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

const target = { targetClusterName: sampleClusterName, targetGroupId: sampleIds.project };
export const legacyBackupSamples: ResourceSamples = {
  operations: {
    listGroupClusterSnapshots: { who: readers },
    getGroupClusterSnapshot: { who: readers },
    updateGroupClusterSnapshot: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: { doNotDelete: true },
      comesDownTo: ['snapshots.updateExpiry'],
    },
    deleteGroupClusterSnapshot: { who: 'GROUP_OWNER ORG_OWNER', comesDownTo: ['snapshots.delete'] },
    listGroupClusterRestoreJobs: { who: readers },
    createGroupClusterRestoreJob: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: {
        snapshotId: sampleIds.snapshot,
        delivery: { methodName: 'AUTOMATED_RESTORE', ...target },
      },
      comesDownTo: ['legacy.restore'],
    },
    getGroupClusterRestoreJob: { who: readers },
    getGroupClusterSnapshotSchedule: { who: readers },
    updateGroupClusterSnapshotSchedule: {
      who: 'GROUP_OWNER ORG_OWNER',
      body: { snapshotIntervalHours: 12 },
      comesDownTo: ['legacy.updateSchedule'],
    },
  },
  verdicts: {
    'legacy.updateSchedule': {
      bound: [{ snapshotIntervalHours: 12 }, { dailySnapshotRetentionDays: 6 }, { dailySnapshotRetentionDays: 0 }].map(
        (changes) => [below, ({ domain, name }) => domain.legacy.updateSchedule({ ...name, changes })],
      ),
    },
    'legacy.restore': { harmless: 'as restoreJobs.create' },
  },
};

export function legacyNoun({ note, clusterNamed }: SampleParts): Domain['legacy'] {
  const settings = {
    snapshotIntervalHours: 6,
    snapshotRetentionDays: 2,
    dailySnapshotRetentionDays: 7,
    weeklySnapshotRetentionWeeks: 4,
    monthlySnapshotRetentionMonths: 12,
    pointInTimeWindowHours: 24,
  };
  const scheduleOf = (name: ClusterName) => ({
    ...settings,
    ...name,
    clusterId: clusterNamed(name).id,
    clusterCheckpointIntervalMin: null,
  });
  return {
    schedule: async (name) => scheduleOf(name),
    async updateSchedule({ changes, clusterCheckpointIntervalMin: _, ...name }) {
      const schedule = scheduleOf(name);
      note('legacy.updateSchedule', { ...name, changes });
      return { ...schedule, ...changes };
    },
    async restore(request) {
      const { projectId, clusterName } = request;
      clusterNamed({ projectId, clusterName });
      note('legacy.restore', request);
      return must(sampleRestoreJobs[1], 'a queued sample');
    },
  };
}
