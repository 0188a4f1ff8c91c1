import type { Domain } from '../../src/domain/domain.ts';
import { refuse } from '../../src/domain/refusals/refusals.ts';
import { must } from '../../src/lib/assert.ts';
import { queueScheduled, stops } from './bound-project.ts';
import { type ResourceSamples, readers } from './resource-samples.ts';
import { pageOf, sampleTasks } from './rows.ts';
import type { SampleParts } from './sample-parts.ts';

export const tidemarkSamples: ResourceSamples = {
  operations: {
    listRegisteredClusters: { who: readers },
    registerCluster: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_CLUSTER_MANAGER ORG_OWNER',
      body: { name: 'fresh', connectionString: 'mongodb://db/' },
      comesDownTo: ['clusters.register'],
    },
    reconnectCluster: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_CLUSTER_MANAGER ORG_OWNER',
      body: { connectionString: 'mongodb://db2/' },
      comesDownTo: ['clusters.reconnect'],
    },
    removeCluster: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_CLUSTER_MANAGER ORG_OWNER',
      comesDownTo: ['clusters.remove'],
    },
    getContinuousBackup: { who: readers },
    getSnapshotTask: { who: readers },
    cancelSnapshotTask: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER ORG_OWNER',
      comesDownTo: ['tasks.cancel'],
    },
    getRestoreJobTask: { who: readers },
    cancelRestoreJobTask: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_RECOVERY_OPERATOR ORG_OWNER',
      comesDownTo: ['tasks.cancel'],
    },
    getCollectionRestoreTask: { who: readers },
    cancelCollectionRestoreTask: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_RECOVERY_OPERATOR ORG_OWNER',
      comesDownTo: ['tasks.cancel'],
    },
    getExportTask: { who: readers },
    cancelExportTask: {
      who: 'GROUP_OWNER GROUP_ATLAS_ADMIN GROUP_BACKUP_MANAGER GROUP_BACKUP_EXPORT_OPERATOR ORG_OWNER',
      comesDownTo: ['tasks.cancel'],
    },
  },
  verdicts: {
    'tasks.cancel': {
      bound: [
        [
          stops,
          async (bound) => {
            await queueScheduled(bound);
            const { domain } = bound;
            const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
            const waiting = (await domain.tasks.list({ unfinished: true, page })).items;
            await domain.tasks.cancel(waiting.find((task) => task.kind === 'takeSnapshot')?.id ?? 'none');
          },
        ],
      ],
    },
  },
};

export function continuousBackupNoun({ clusterNamed }: SampleParts): Domain['continuousBackup'] {
  return {
    async status(cluster) {
      clusterNamed(cluster);
      const ts = 1_790_000_000n << 32n;
      return {
        enabled: true,
        captured: ts,
        lagSeconds: 1,
        host: 'localhost:27017',
        updatedAtMs: 1_790_000_001_000,
        failure: null,
        ranges: [{ from: ts - (100n << 32n), to: ts }],
        gaps: [
          {
            from: ts - (200n << 32n),
            cause: 'the oplog was overtaken',
            at: '2026-09-21T00:00:00.000Z',
            shardName: 's0',
          },
        ],
        storedBytes: 1_000,
        replicaSets: [
          {
            shardName: 's0',
            configServer: false,
            replicaSetName: 'rs0',
            captured: ts,
            lagSeconds: 1,
            host: 'localhost:27017',
            updatedAtMs: 1_790_000_001_000,
            failure: null,
            storedBytes: 1_000,
          },
        ],
      };
    },
  };
}

export function tasksNoun({ note }: SampleParts): Domain['tasks'] {
  return {
    list: async ({ page }) => pageOf(sampleTasks, page),
    async get(taskId) {
      const found = sampleTasks.find(({ id }) => id === taskId);
      if (found === undefined) throw refuse('TASK_NOT_FOUND', [taskId]);
      return found;
    },
    ofSubject: async (subjectId) => sampleTasks.find((task) => task.subjectId === subjectId) ?? null,
    async cancel(taskId) {
      note('tasks.cancel', taskId);
      const task = must(
        sampleTasks.find(({ id }) => id === taskId),
        'a sample task',
      );
      return { ...task, cancelRequested: true };
    },
  };
}
