import type { Domain } from '../../src/domain/domain.ts';
import { below, item, patched, shorter } from './bound-project.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { sampleSchedule } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const schedulesSamples: ResourceSamples = {
  operations: {
    getGroupClusterBackupSchedule: { who: readers },
    updateGroupClusterBackupSchedule: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      body: { referenceHourOfDay: 3, referenceMinuteOfHour: 4 },
      comesDownTo: ['schedules.update'],
    },
    deleteGroupClusterBackupSchedule: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      comesDownTo: ['schedules.delete'],
    },
  },
  verdicts: {
    'schedules.update': {
      bound: [
        [below, (bound) => patched(bound, { policies: [{ policyItems: [item('hourly', 6, 7)] }] })],
        [
          below,
          (bound) => patched(bound, { policies: [{ policyItems: [item('hourly', 8, 7), item('daily', 1, 8)] }] }),
        ],
        [
          below,
          (bound) => patched(bound, { policies: [{ policyItems: [item('hourly', 6, 7), item('daily', 1, 7)] }] }),
        ],
        [below, (bound) => patched(bound, { restoreWindowDays: 4 })],
        [
          shorter,
          async (bound) => {
            const { items } = await bound.domain.schedules.get(bound.name);
            const longer = items.map((each, index) => (index === 0 ? { ...each, retentionValue: 8 } : each));
            const daily = longer.map((each, index) => (index === 1 ? { ...each, retentionValue: 8 } : each));
            await patched(bound, { policies: [{ policyItems: daily }], updateSnapshots: true });
            await patched(bound, { policies: [{ policyItems: items }], updateSnapshots: true });
          },
        ],
        [
          'CANNOT_DELETE_SNAPSHOT_WITH_BACKUP_COMPLIANCE_POLICY',
          async (bound) => {
            const { items } = await bound.domain.schedules.get(bound.name);
            // The hourly item anew, under another id: the policy is met, and the old one's snapshots would go.
            const anew = items.map(({ id, ...rest }) => (rest.frequencyType === 'hourly' ? rest : { id, ...rest }));
            await patched(bound, { policies: [{ policyItems: anew }], deleteSnapshots: true });
          },
        ],
      ],
    },
    'schedules.delete': { bound: [[below, ({ domain, name }) => domain.schedules.delete(name)]] },
  },
};

export function schedulesNoun({ note, clusterNamed }: SampleParts): Domain['schedules'] {
  return {
    async get(query) {
      clusterNamed(query);
      return sampleSchedule;
    },
    async update(request) {
      clusterNamed(request);
      note('schedules.update', request);
      return sampleSchedule;
    },
    async delete(request) {
      clusterNamed(request);
      note('schedules.delete', request);
      return { ...sampleSchedule, items: [], nextSnapshotMs: null, export: null };
    },
  };
}
