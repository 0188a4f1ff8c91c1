import type { CatalogReader } from '../../catalog/catalog.ts';
import { allClusters, findCluster } from '../../catalog/clusters.ts';
import { hasUnfinishedTaskWithKey, pinnedSnapshots } from '../../catalog/tasks.ts';
import { must } from '../../lib/assert.ts';
import type { TaskHandler } from '../../tasks/handler.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { Duty } from '../../tasks/timer.ts';
import type { DomainContext } from '../context.ts';
import type { CaptureEngine } from './capture-engine.ts';
import { isCaptured } from './capture-task.ts';
import { capturedReplicaSets, knownSnapshots, uselessSlices } from './captured-replica-sets.ts';

const EVERY_MS = 3_600_000;
const AGAIN_MS = 60_000;

/**
 * Deletes slices that the restore window has passed or that no snapshot precedes; all of them where the cluster is not
 * captured any more, as Atlas drops that history.
 */
export function pruneSlicesHandler(
  context: DomainContext,
  engine: CaptureEngine,
  windowDaysOf: (reader: CatalogReader, clusterId: string) => Promise<number>,
): TaskHandler {
  const { catalog, clock } = context;
  return {
    run: async (work) => {
      const clusterId = work.task.subjectId;
      const cluster = must(await findCluster(catalog.reader, clusterId), 'clusters are kept');
      // A restore that is under way may be about to read any of them.
      if ((await pinnedSnapshots(catalog.reader)).some((pin) => pin.clusterId === clusterId))
        return { againAfterMs: AGAIN_MS };
      const snapshots = await knownSnapshots(catalog.reader, clusterId);
      const restoreWindowDays = await windowDaysOf(catalog.reader, clusterId);
      const useless = await uselessSlices(catalog.reader, clusterId, snapshots, {
        nowMs: clock.nowMs(),
        restoreWindowDays,
      });
      const upTo = isCaptured(cluster) ? useless : null;
      if (isCaptured(cluster) && useless === null) return { done: async () => {} };
      for (const replicaSetName of await capturedReplicaSets(catalog.reader, cluster, snapshots)) {
        const freed = await engine.prune({ clusterId, replicaSetName }, upTo);
        if (freed > 0) context.log.info({ clusterId, replicaSetName, freed }, 'slices that lead nowhere were deleted');
      }
      return { done: async () => {} };
    },
    settle: async () => {},
  };
}

/** Queues the pruning of every cluster that has a history, each hour. */
export function pruneSlicesDuty(context: DomainContext): Duty {
  const { catalog, clock, ids } = context;
  let doneAtMs = Number.NEGATIVE_INFINITY;
  return {
    name: 'prune slices',
    run: async () => {
      if (clock.nowMs() - doneAtMs < EVERY_MS) return;
      doneAtMs = clock.nowMs();
      for (const cluster of await allClusters(catalog.reader)) {
        const key = `slices/${cluster.id}`;
        await catalog.transact(async (writer) => {
          if (await hasUnfinishedTaskWithKey(writer, key)) return;
          await enqueueTask(writer, {
            id: ids.next(),
            kind: 'pruneSlices',
            subjectId: cluster.id,
            exclusiveKey: key,
            nowMs: clock.nowMs(),
          });
        });
      }
    },
    nextDueMs: async () => doneAtMs + EVERY_MS,
  };
}
