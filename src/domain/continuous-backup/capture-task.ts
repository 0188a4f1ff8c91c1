import { type Timestamp64, timestampOf, timestampParts } from '../../bson/timestamp.ts';
import { findCapture, putCapture, type TailerWord } from '../../catalog/captures.ts';
import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { allClusters, findCluster, uriContext } from '../../catalog/clusters.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { hasUnfinishedTaskWithKey } from '../../catalog/tasks.ts';
import type { ClusterTailProgress } from '../../engine/tail/tail-cluster.ts';
import { must } from '../../lib/assert.ts';
import { describeError } from '../../lib/errors.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { Duty } from '../../tasks/timer.ts';
import type { DomainContext } from '../context.ts';
import type { CaptureEngine } from './capture-engine.ts';
import { encodeCapturedReplicaSets } from './captured-replica-sets.ts';

/** One task a cluster, which tails all of its replica sets, beside whatever else runs on it. */
export function captureKey(clusterId: string): string {
  return `capture/${clusterId}`;
}

/** Whether its oplog is to be captured. */
export function isCaptured(cluster: ClusterRow): boolean {
  return (
    cluster.pitEnabled === 1 &&
    cluster.paused === 0 &&
    cluster.backupEnabled === 1 &&
    cluster.deletedAtMs === null &&
    cluster.sealedUri !== null
  );
}

const LOOK_EVERY_MS = 500;

/**
 * Captures a cluster's oplog for as long as its owner wishes. It never is done by itself: it ends when continuous
 * backup is switched off, the cluster is paused or goes, when its lease is lost (another worker has it then), or by a
 * fault that trying again within the engine did not mend; then `captureDuty` queues it anew.
 */
export function tailOplogHandler(context: DomainContext, engine: CaptureEngine): TaskHandler {
  const { catalog, clock } = context;
  return {
    run: async (work) => {
      const clusterId = work.task.subjectId;
      // Once for each connection string that the cluster has while it is captured.
      while (true) {
        const cluster = must(await findCluster(catalog.reader, clusterId), 'clusters are kept');
        if (!isCaptured(cluster)) return { done: async () => {} };
        await tailWhileWanted(context, engine, work, cluster);
      }
    },

    settle: async (writer, task, { reason }) => {
      const known = await findCapture(writer, task.subjectId);
      await putCapture(writer, { ...(known ?? emptyRow(task.subjectId)), updatedAtMs: clock.nowMs(), failure: reason });
    },
  };
}

/** Returns when the cluster is no longer to be captured, or not by this connection string. */
async function tailWhileWanted(
  context: DomainContext,
  engine: CaptureEngine,
  work: TaskWork,
  cluster: ClusterRow,
): Promise<void> {
  const { id: clusterId } = cluster;
  const sealedUri = must(cluster.sealedUri, 'a captured cluster is connected');
  const unwanted = new AbortController();
  const over = new AbortController();
  const wish: { upTo: Timestamp64 | null } = { upTo: null };
  const watching = watchCatalog(context, cluster, { unwanted, wish, over: over.signal });
  const writing: { last: Promise<void> } = { last: Promise.resolve() };
  try {
    await engine.tail({
      clusterId,
      uri: context.secretBox.open(sealedUri, uriContext(clusterId)),
      signal: AbortSignal.any([work.signal, unwanted.signal]),
      wantedUpTo: () => wish.upTo,
      onProgress: (progress) => {
        const row = rowOf(cluster, progress, context.clock.nowMs());
        writing.last = writing.last
          .then(async () => await work.commit(async (writer) => await putCapture(writer, row)))
          // A lease that was lost shows in the signal; anything else is tried again with the next slice.
          .catch((error: unknown) =>
            context.log.warn({ clusterId, reason: describeError(error) }, 'the state of a capture was not noted'),
          );
      },
    });
  } catch (error) {
    if (!unwanted.signal.aborted || work.signal.aborted) throw error;
  } finally {
    over.abort();
    await watching;
    await writing.last;
  }
}

/**
 * Looks at the catalog from time to time: whoever switches continuous backup off, gives another connection string or
 * waits for what is being captured may be another process.
 */
async function watchCatalog(
  { catalog, clock }: DomainContext,
  { id, sealedUri }: ClusterRow,
  { unwanted, wish, over }: { unwanted: AbortController; wish: { upTo: Timestamp64 | null }; over: AbortSignal },
): Promise<void> {
  while (!over.aborted) {
    await clock.sleep(LOOK_EVERY_MS, over).catch(() => undefined);
    const cluster = await findCluster(catalog.reader, id);
    if (cluster === undefined || !isCaptured(cluster) || cluster.sealedUri !== sealedUri) return unwanted.abort();
    const { wantedT: t, wantedI: i } = (await findCapture(catalog.reader, id)) ?? { wantedT: null, wantedI: null };
    wish.upTo = t === null || i === null ? null : timestampOf({ t, i });
  }
}

function rowOf(cluster: ClusterRow, progress: ClusterTailProgress, nowMs: number): TailerWord {
  const captured = progress.captured === null ? null : timestampParts(progress.captured);
  const failed = progress.replicaSets?.find(({ failure }) => failure !== null);
  return {
    clusterId: cluster.id,
    replicaSetName: cluster.replicaSetName,
    host: progress.host,
    capturedT: captured?.t ?? null,
    capturedI: captured?.i ?? null,
    lagSeconds: progress.lagSeconds,
    updatedAtMs: nowMs,
    failure: failed === undefined ? null : `${failed.shardName}: ${failed.failure}`,
    members: progress.replicaSets === null ? null : encodeCapturedReplicaSets(progress.replicaSets),
  };
}

function emptyRow(clusterId: string): TailerWord {
  return {
    clusterId,
    replicaSetName: null,
    host: null,
    capturedT: null,
    capturedI: null,
    lagSeconds: null,
    updatedAtMs: 0,
    failure: null,
    members: null,
  };
}

/** In the transaction that makes a cluster a captured one, and from time to time: true when there was none yet. */
export async function queueTailer(
  writer: CatalogWriter,
  { ids, clock }: Pick<DomainContext, 'ids' | 'clock'>,
  clusterId: string,
): Promise<boolean> {
  if (await hasUnfinishedTaskWithKey(writer, captureKey(clusterId))) return false;
  await enqueueTask(writer, {
    id: ids.next(),
    kind: 'tailOplog',
    subjectId: clusterId,
    exclusiveKey: captureKey(clusterId),
    nowMs: clock.nowMs(),
  });
  return true;
}

/** Sees to it that every cluster that is to be captured has a tailer, whatever became of the last one. */
export function captureDuty(context: DomainContext): Duty {
  const { catalog } = context;
  return {
    name: 'capture oplogs',
    run: async () => {
      for (const cluster of await clustersWithoutTailer(catalog.reader)) {
        await catalog.transact(async (writer) => await queueTailer(writer, context, cluster.id));
      }
    },
    nextDueMs: async () => null,
  };
}

async function clustersWithoutTailer(reader: CatalogReader): Promise<ClusterRow[]> {
  const without: ClusterRow[] = [];
  for (const cluster of await allClusters(reader)) {
    if (isCaptured(cluster) && !(await hasUnfinishedTaskWithKey(reader, captureKey(cluster.id)))) without.push(cluster);
  }
  return without;
}
