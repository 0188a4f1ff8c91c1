import {
  allBalancerHolds,
  eraseBalancerHold,
  findBalancerHold,
  writeBalancerHold,
} from '../../catalog/balancer-holds.ts';
import { findCluster, uriContext } from '../../catalog/clusters.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { hasUnfinishedTaskWithKey } from '../../catalog/tasks.ts';
import { must } from '../../lib/assert.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import { clusterKey, enqueueTask } from '../../tasks/queue.ts';
import type { Duty } from '../../tasks/timer.ts';
import type { DomainContext } from '../context.ts';
import type { BalancerRecord, SnapshotEngine } from './snapshot-engine.ts';

/** It is tried until it succeeds: a cluster without its balancer fills one shard. */
const ATTEMPTS_MAX = 1_000;
const LOOK_EVERY_MS = 60_000;

/**
 * Who stopped a balancer and died is outlived by what he wrote down: the next attempt of the snapshot, or where there is none a task of its own, gives the balancer back.
 */
export function balancerRecord(context: DomainContext, work: TaskWork, clusterId: string): BalancerRecord {
  return {
    write: async () => {
      const heldAtMs = context.clock.nowMs();
      await work.commit(async (writer) => await writeBalancerHold(writer, { clusterId, heldAtMs }));
    },
    // Not under the lease: it was started again, whoever has the task now.
    erase: async () => await context.catalog.transact(async (writer) => await eraseBalancerHold(writer, clusterId)),
  };
}

/** Starts the balancer that an earlier attempt left stopped. */
export async function giveBackBalancer(
  context: DomainContext,
  engine: Pick<SnapshotEngine, 'startBalancer'>,
  cluster: Pick<ClusterRow, 'id' | 'name' | 'sealedUri'>,
): Promise<void> {
  const hold = await findBalancerHold(context.catalog.reader, cluster.id);
  if (hold === undefined) return;
  const sealedUri = must(cluster.sealedUri, 'a cluster whose balancer is held keeps its connection string');
  await engine.startBalancer(context.secretBox.open(sealedUri, uriContext(cluster.id)));
  await context.catalog.transact(async (writer) => await eraseBalancerHold(writer, cluster.id));
  const heldMs = context.clock.nowMs() - hold.heldAtMs;
  context.log.warn(
    { cluster: cluster.name, heldMs },
    'a balancer that an earlier attempt had stopped was started again',
  );
}

export function releaseBalancerHandler(context: DomainContext, engine: SnapshotEngine): TaskHandler {
  return {
    run: async (work) => {
      const cluster = must(await findCluster(context.catalog.reader, work.task.subjectId), 'clusters are kept');
      if (cluster.sealedUri !== null) await giveBackBalancer(context, engine, cluster);
      return { done: async (writer) => await eraseBalancerHold(writer, cluster.id) };
    },
    settle: async () => {},
  };
}

/** Queues the giving back of what nobody who still works has stopped. */
export function balancerDuty(context: DomainContext): Duty {
  const { catalog, clock, ids } = context;
  return {
    name: 'give balancers back',
    run: async () => {
      let queued = 0;
      for (const { clusterId } of await allBalancerHolds(catalog.reader)) {
        await catalog.transact(async (writer) => {
          if (await hasUnfinishedTaskWithKey(writer, clusterKey(clusterId))) return;
          await enqueueTask(writer, {
            id: ids.next(),
            kind: 'releaseBalancer',
            subjectId: clusterId,
            exclusiveKey: clusterKey(clusterId),
            attemptsMax: ATTEMPTS_MAX,
            nowMs: clock.nowMs(),
          });
          queued++;
        });
      }
      if (queued > 0) context.wakeWorker();
    },
    nextDueMs: async () => ((await allBalancerHolds(catalog.reader)).length > 0 ? clock.nowMs() + LOOK_EVERY_MS : null),
  };
}
