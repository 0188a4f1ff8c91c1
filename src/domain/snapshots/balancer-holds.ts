import {
  allBalancerHolds,
  eraseBalancerHold,
  findBalancerHold,
  writeBalancerHold,
} from '../../catalog/balancer-holds.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import { findCluster, uriContext } from '../../catalog/clusters.ts';
import type { BalancerHoldRow, ClusterRow } from '../../catalog/schema.ts';
import { findTask, hasUnfinishedTaskWithKey } from '../../catalog/tasks.ts';
import { must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import { hasEnded } from '../../tasks/task.ts';
import type { Duty } from '../../tasks/timer.ts';
import type { DomainContext } from '../context.ts';
import type { BalancerRecord, SnapshotEngine } from './snapshot-engine.ts';

const LOOK_EVERY_MS = 60_000;

/** The balancer is another task's for at most as long as a round of a snapshot may last, and a little. */
const WAIT_MS_MAX = 150_000;
const WAIT_POLL_MS = 200;

/**
 * Who stopped a balancer and died is outlived by what he wrote down: the next attempt of the same task, or once the
 * task has ended one made for it, gives the balancer back. One holds it at a time: a snapshot and a checkpoint of one
 * cluster may meet, and neither starts again what the other still needs stopped, or leaves stopped what the other
 * crossed out.
 */
export function balancerRecord(context: DomainContext, work: TaskWork, clusterId: string): BalancerRecord {
  const { clock, catalog } = context;
  const taskId = work.task.id;
  return {
    write: async () => {
      const untilMs = clock.monotonicMs() + WAIT_MS_MAX;
      for (;;) {
        const hold = { clusterId, taskId, heldAtMs: clock.nowMs() };
        if (await work.commit(async (writer) => await writeBalancerHold(writer, hold))) return;
        if (clock.monotonicMs() > untilMs) throw heldByAnother(clusterId);
        await clock.sleep(WAIT_POLL_MS, work.signal);
      }
    },
    // Not under the lease: it was started again, whoever has the task now.
    erase: async () => await catalog.transact(async (writer) => await eraseBalancerHold(writer, { clusterId, taskId })),
  };
}

function heldByAnother(clusterId: string): Fault {
  return new Fault({
    op: 'stop the balancer',
    subject: clusterId,
    message: `the balancer is held by another task for longer than ${WAIT_MS_MAX / 1000} s`,
    retryable: true,
  });
}

/** Starts the balancer that an earlier attempt of this task left stopped. */
export async function giveBackBalancer(
  context: DomainContext,
  engine: Pick<SnapshotEngine, 'startBalancer'>,
  cluster: Pick<ClusterRow, 'id' | 'name' | 'sealedUri'>,
  taskId: string,
): Promise<void> {
  const hold = await findBalancerHold(context.catalog.reader, cluster.id);
  if (hold?.taskId === taskId) await release(context, engine, cluster, hold);
}

async function release(
  context: DomainContext,
  engine: Pick<SnapshotEngine, 'startBalancer'>,
  cluster: Pick<ClusterRow, 'id' | 'name' | 'sealedUri'>,
  hold: BalancerHoldRow,
): Promise<void> {
  const sealedUri = must(cluster.sealedUri, 'a cluster whose balancer is held keeps its connection string');
  await engine.startBalancer(context.secretBox.open(sealedUri, uriContext(cluster.id)));
  await context.catalog.transact(async (writer) => await eraseBalancerHold(writer, hold));
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
      const hold = await findBalancerHold(context.catalog.reader, cluster.id);
      // Looked at again: it may be given back by now, and be held by somebody who works.
      if (hold === undefined || (await isAtWork(context.catalog.reader, hold))) return { done: async () => {} };
      if (cluster.sealedUri !== null) await release(context, engine, cluster, hold);
      return { done: async (writer) => await eraseBalancerHold(writer, hold) };
    },
    settle: async () => {},
  };
}

/** That task gives it back itself. */
async function isAtWork(reader: CatalogReader, { taskId }: BalancerHoldRow): Promise<boolean> {
  const task = taskId === null ? undefined : await findTask(reader, taskId);
  return task !== undefined && !hasEnded(task.state);
}

/** Beside whatever else works on the cluster: what is to be given back was held by somebody who has ended. */
function releaseKey(clusterId: string): string {
  return `balancer/${clusterId}`;
}

/** Queues the giving back of what nobody who still works has stopped. */
export function balancerDuty(context: DomainContext): Duty {
  const { catalog, clock, ids } = context;
  return {
    name: 'give balancers back',
    run: async () => {
      for (const hold of await allBalancerHolds(catalog.reader)) {
        const { clusterId } = hold;
        await catalog.transact(async (writer) => {
          if (await isAtWork(writer, hold)) return;
          if (await hasUnfinishedTaskWithKey(writer, releaseKey(clusterId))) return;
          await enqueueTask(writer, {
            id: ids.next(),
            kind: 'releaseBalancer',
            subjectId: clusterId,
            exclusiveKey: releaseKey(clusterId),
            nowMs: clock.nowMs(),
          });
        });
      }
    },
    nextDueMs: async () => ((await allBalancerHolds(catalog.reader)).length > 0 ? clock.nowMs() + LOOK_EVERY_MS : null),
  };
}
