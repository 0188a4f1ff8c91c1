import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import {
  eraseCheckpointSchedule,
  findCheckpointSchedule,
  writeCheckpointSchedule,
} from '../../catalog/checkpoint-schedules.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import { refuse } from '../refusals/refusals.ts';
import { takesCheckpoints } from './checkpoint-duty.ts';
import { queueCheckpoint } from './checkpoint-task.ts';

const INTERVALS = [15, 30, 60];

/** Null: none are made. */
export async function checkpointIntervalOf(reader: CatalogReader, clusterId: string): Promise<number | null> {
  return (await findCheckpointSchedule(reader, clusterId))?.intervalMinutes ?? null;
}

/**
 * A new interval begins with a checkpoint at once: whoever sets it sees whether it works, and need not wait for the
 * next place of the grid. 0 ends it, as the retentions beside it mean none by 0.
 */
export async function setCheckpointInterval(
  writer: CatalogWriter,
  context: DomainContext,
  cluster: ClusterRow,
  intervalMinutes: number,
): Promise<void> {
  if (cluster.type !== 'sharded')
    throw refuse('CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET', [cluster.name]);
  if (((await checkpointIntervalOf(writer, cluster.id)) ?? 0) === intervalMinutes) return;
  if (intervalMinutes === 0) await eraseCheckpointSchedule(writer, cluster.id);
  else await begin(writer, context, cluster, intervalMinutes);
}

async function begin(
  writer: CatalogWriter,
  context: DomainContext,
  cluster: ClusterRow,
  intervalMinutes: number,
): Promise<void> {
  if (!INTERVALS.includes(intervalMinutes))
    throw refuse('INVALID_CLUSTER_CHECKPOINT_INTERVAL', [String(intervalMinutes)]);
  if (cluster.pitEnabled === 0) throw refuse('CHECKPOINTS_ONLY_ON_CONTINOUS_BACKUP', [cluster.name]);
  const servedUntilMs = context.clock.nowMs();
  await writeCheckpointSchedule(writer, { clusterId: cluster.id, intervalMinutes, servedUntilMs });
  if (await takesCheckpoints(writer, cluster)) await queueCheckpoint(writer, context, cluster.id);
}
