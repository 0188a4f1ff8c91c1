import type { CatalogReader } from '../../catalog/catalog.ts';
import { allClusters, findCluster } from '../../catalog/clusters.ts';
import type { SnapshotRow } from '../../catalog/schema.ts';
import { snapshotsOfCluster } from '../../catalog/snapshots.ts';
import { hasUnfinishedTaskWithKey, pinnedSnapshots } from '../../catalog/tasks.ts';
import { must } from '../../lib/assert.ts';
import { timestampOf } from '../../lib/timestamp.ts';
import type { TaskHandler } from '../../tasks/handler.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { Duty } from '../../tasks/timer.ts';
import type { DomainContext } from '../context.ts';
import type { CaptureEngine } from './capture-engine.ts';
import { isCaptured } from './capture-task.ts';
import { type KnownSnapshot, uselessUpTo } from './point-in-time.ts';

const EVERY_MS = 3_600_000;
const AGAIN_MS = 60_000;
const ATTEMPTS_MAX = 20;

/** The snapshots of a cluster that a restore can begin with. */
export async function knownSnapshots(reader: CatalogReader, clusterId: string): Promise<KnownSnapshot[]> {
  return (await snapshotsOfCluster(reader, clusterId)).filter(isUsable).map(({ id, clusterTimeT, clusterTimeI }) => ({
    id,
    ts: timestampOf({
      t: must(clusterTimeT, 'a completed snapshot has its T'),
      i: must(clusterTimeI, 'a completed snapshot has its T'),
    }),
  }));
}

function isUsable(row: SnapshotRow): boolean {
  return row.status === 'completed' && row.deletedAtMs === null && row.clusterTimeT !== null;
}

/** Deletes slices that the restore window has passed or that no snapshot precedes; all of them where the cluster is not captured any more, as Atlas drops that history. */
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
      if (cluster.replicaSetName !== null) {
        const source = { clusterId, replicaSetName: cluster.replicaSetName };
        const snapshots = await knownSnapshots(catalog.reader, clusterId);
        const restoreWindowDays = await windowDaysOf(catalog.reader, clusterId);
        const upTo = uselessUpTo(snapshots, { nowMs: clock.nowMs(), restoreWindowDays });
        const freed = !isCaptured(cluster)
          ? await engine.prune(source, null)
          : upTo === null
            ? 0
            : await engine.prune(source, upTo);
        if (freed > 0) context.log.info({ clusterId, freed }, 'slices that lead nowhere were deleted');
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
            attemptsMax: ATTEMPTS_MAX,
            nowMs: clock.nowMs(),
          });
        });
      }
      context.wakeWorker();
    },
    nextDueMs: async () => doneAtMs + EVERY_MS,
  };
}
