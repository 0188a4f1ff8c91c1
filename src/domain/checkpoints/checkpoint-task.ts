import { type Timestamp64, timestampParts } from '../../bson/timestamp.ts';
import type { CatalogWriter } from '../../catalog/catalog.ts';
import {
  type CheckpointRecord,
  findCheckpoint,
  insertCheckpoint,
  replaceCheckpointParts,
  updateCheckpoint,
} from '../../catalog/checkpoints.ts';
import { findCluster, uriContext } from '../../catalog/clusters.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { hasUnfinishedTaskWithKey } from '../../catalog/tasks.ts';
import { must } from '../../lib/assert.ts';
import { isoSeconds } from '../../lib/clock.ts';
import { Fault } from '../../lib/errors.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import { balancerRecord, giveBackBalancer } from '../snapshots/balancer-holds.ts';
import type { SnapshotEngine } from '../snapshots/snapshot-engine.ts';
import type { CheckpointCapture } from './checkpoint-capture.ts';
import type { CheckpointEngine } from './checkpoint-engine.ts';
import { partsOf, replicaSetsOf, timeOf, tokensOf } from './checkpoint-parts.ts';
import { nextCheckpointState } from './checkpoint-state.ts';
import { CHECKPOINT_LATE_MS } from './checkpoint-times.ts';

/**
 * For all tokens to be in the repository. A slice is at most 10 s old when it is sealed; the rest is for a store that
 * is slow.
 */
const FIND_MS_MAX = 300_000;

export interface TakeCheckpointPorts {
  engine: CheckpointEngine;
  snapshotEngine: Pick<SnapshotEngine, 'startBalancer'>;
  capture: CheckpointCapture;
}

/**
 * One checkpoint of a cluster at a time, beside whatever else works on it: a snapshot of hours is no reason to have
 * none.
 */
export function checkpointKey(clusterId: string): string {
  return `checkpoint/${clusterId}`;
}

/** In the transaction that finds it due. False while the one before it is under way. */
export async function queueCheckpoint(
  writer: CatalogWriter,
  { ids, clock }: Pick<DomainContext, 'ids' | 'clock'>,
  clusterId: string,
): Promise<boolean> {
  if (await hasUnfinishedTaskWithKey(writer, checkpointKey(clusterId))) return false;
  const checkpoint = { id: ids.next(), clusterId, state: 'queued', startedAtMs: clock.nowMs() } as const;
  await insertCheckpoint(writer, { ...checkpoint, restorable: 0, completedAtMs: null, timestampMs: null }, []);
  await enqueueTask(writer, {
    id: ids.next(),
    kind: 'takeCheckpoint',
    subjectId: checkpoint.id,
    exclusiveKey: checkpointKey(clusterId),
    nowMs: clock.nowMs(),
  });
  return true;
}

export function takeCheckpointHandler(context: DomainContext, ports: TakeCheckpointPorts): TaskHandler {
  return {
    run: async (work) => {
      const id = work.task.subjectId;
      const { cluster, found } = await work.commit(async (writer) => await begin(writer, id));
      // Whatever comes of it: first what an attempt that was cut off left standing.
      await giveBackBalancer(context, ports.snapshotEngine, cluster, work.task.id);
      if (found.state === 'inProgress') await writeTokens(context, ports.engine, work, found, cluster);
      const written = must(await findCheckpoint(context.catalog.reader, id), 'a checkpoint under way stays');
      const at = must(timeOf(written), 'its tokens are written');
      const missing = await findTokens(ports, work, written, at);
      const reason = missing[0] ?? (await ports.capture.restorability(cluster))(written);
      return {
        done: async (writer) =>
          await updateCheckpoint(writer, id, {
            state: nextCheckpointState(written.state, 'complete'),
            completedAtMs: context.clock.nowMs(),
            restorable: reason === null ? 1 : 0,
            reason,
          }),
      };
    },

    settle: async (writer, task, { reason }) => {
      const row = must(await findCheckpoint(writer, task.subjectId), 'a checkpoint under way stays');
      await updateCheckpoint(writer, row.id, {
        state: nextCheckpointState(row.state, 'fail'),
        completedAtMs: context.clock.nowMs(),
        restorable: 0,
        reason,
      });
    },
  };
}

async function begin(writer: CatalogWriter, id: string): Promise<{ cluster: ClusterRow; found: CheckpointRecord }> {
  const row = must(await findCheckpoint(writer, id), 'a task is queued together with its checkpoint');
  const cluster = must(await findCluster(writer, row.clusterId), 'clusters are kept');
  const state = nextCheckpointState(row.state, 'start');
  await updateCheckpoint(writer, id, { state });
  return { cluster, found: { ...row, state } };
}

async function writeTokens(
  context: DomainContext,
  engine: CheckpointEngine,
  work: TaskWork,
  { id, startedAtMs }: CheckpointRecord,
  cluster: ClusterRow,
): Promise<void> {
  const { clock, log } = context;
  requireInTime(startedAtMs, clock.nowMs());
  let replicaSets: Parameters<typeof partsOf>[1] = [];
  const sealedUri = must(cluster.sealedUri, 'a cluster is not removed while a checkpoint of it is made');
  await engine.take({
    uri: context.secretBox.open(sealedUri, uriContext(cluster.id)),
    checkpointId: id,
    balancerRecord: balancerRecord(context, work, cluster.id),
    signal: work.signal,
    onReplicaSets: async (found) => {
      replicaSets = found;
      await work.commit(async (writer) => await replaceCheckpointParts(writer, id, partsOf(id, replicaSets, [])));
    },
    onHeld: async () => await work.commit(async (writer) => await noteStart(writer, id, clock.nowMs())),
    onTokens: async (tokens, at) =>
      await work.commit(async (writer) => {
        await replaceCheckpointParts(writer, id, partsOf(id, replicaSets, tokens));
        if (at !== null) await noteTime(writer, id, at);
      }),
    onBalancerReleased: (heldMs) =>
      log.info({ cluster: cluster.name, checkpoint: id, heldMs: Math.round(heldMs) }, 'tokens were written'),
  });
}

/** Made much later, it would not be the checkpoint that was due; another one is due soon. */
function requireInTime(startedAtMs: number, nowMs: number): void {
  if (nowMs - startedAtMs <= CHECKPOINT_LATE_MS) return;
  throw new Fault({
    op: 'take checkpoint',
    subject: 'the sharded cluster',
    message: `the checkpoint of ${isoSeconds(startedAtMs)} could not be made in time`,
  });
}

async function noteStart(writer: CatalogWriter, id: string, nowMs: number): Promise<void> {
  await updateCheckpoint(writer, id, { startedAtMs: nowMs });
}

async function noteTime(writer: CatalogWriter, id: string, at: Timestamp64): Promise<void> {
  const { t, i } = timestampParts(at);
  const state = nextCheckpointState('inProgress', 'written');
  await updateCheckpoint(writer, id, { state, clusterTimeT: t, clusterTimeI: i, timestampMs: t * 1000 });
}

async function findTokens(
  { engine, capture }: TakeCheckpointPorts,
  work: TaskWork,
  record: CheckpointRecord,
  at: Timestamp64,
): Promise<string[]> {
  const { id: checkpointId, clusterId } = record;
  const tokens = tokensOf(record);
  const seen = new Set(record.parts.filter((part) => part.tokenDiscovered === 1).map((part) => part.replicaSetName));
  return await engine.find({
    clusterId,
    checkpointId,
    tokens,
    at,
    waitMs: FIND_MS_MAX,
    mayBeThere: async ({ replicaSetName }) => await capture.isCapturedUpTo(clusterId, replicaSetName, at),
    onFound: async ({ replicaSetName }) => {
      seen.add(replicaSetName);
      await work.commit(async (writer) => {
        const parts = partsOf(checkpointId, replicaSetsOf(record), tokens);
        const marked = parts.map(
          (part) => ({ ...part, tokenDiscovered: seen.has(part.replicaSetName) ? 1 : 0 }) as const,
        );
        await replaceCheckpointParts(writer, checkpointId, marked);
      });
    },
    signal: work.signal,
  });
}
