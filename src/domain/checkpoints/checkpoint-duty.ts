import type { CatalogReader } from '../../catalog/catalog.ts';
import {
  advanceCheckpointsServed,
  allCheckpointSchedules,
  findCheckpointSchedule,
} from '../../catalog/checkpoint-schedules.ts';
import { findCluster } from '../../catalog/clusters.ts';
import { clustersBeingRestored } from '../../catalog/restore-jobs.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import type { Duty } from '../../tasks/timer.ts';
import type { DomainContext } from '../context.ts';
import { isCaptured } from '../continuous-backup/capture-task.ts';
import { queueCheckpoint } from './checkpoint-task.ts';
import { checkpointDue, nextCheckpointMs } from './checkpoint-times.ts';

/**
 * Whether a checkpoint of the cluster could be of use now. One that is being restored into has no history that leads to
 * it.
 */
export async function takesCheckpoints(reader: CatalogReader, cluster: ClusterRow): Promise<boolean> {
  if (cluster.type !== 'sharded' || !isCaptured(cluster)) return false;
  return !(await clustersBeingRestored(reader, [cluster.id])).has(cluster.id);
}

/**
 * Queues checkpoints whose time has come. Of several processes that try one succeeds; those that nobody was there for
 * are not made up.
 */
export function checkpointDuty(context: DomainContext): Duty {
  const { catalog, clock } = context;
  return {
    name: 'make checkpoints',
    run: async (signal) => {
      for (const schedule of await allCheckpointSchedules(catalog.reader)) {
        if (signal.aborted) return;
        if (checkpointDue(schedule, clock.nowMs()) === 'notYet') continue;
        await serveCheckpoint(context, schedule.clusterId);
      }
    },
    nextDueMs: async (nowMs) => {
      const schedules = await allCheckpointSchedules(catalog.reader);
      return schedules.length === 0 ? null : Math.min(...schedules.map((one) => nextCheckpointMs(one, nowMs)));
    },
  };
}

async function serveCheckpoint(context: DomainContext, clusterId: string): Promise<void> {
  await context.catalog.transact(async (writer) => {
    const cluster = await findCluster(writer, clusterId);
    const schedule = await findCheckpointSchedule(writer, clusterId);
    if (cluster === undefined || schedule === undefined) return;
    const nowMs = context.clock.nowMs();
    const due = checkpointDue(schedule, nowMs);
    if (due === 'notYet') return;
    const moved = await advanceCheckpointsServed(writer, clusterId, { fromMs: schedule.servedUntilMs, toMs: nowMs });
    if (!moved || due === 'missed' || !(await takesCheckpoints(writer, cluster))) return;
    if (await queueCheckpoint(writer, context, clusterId)) return;
    context.log.warn({ cluster: cluster.name }, 'a checkpoint is left out: the one before it is still under way');
  });
}
