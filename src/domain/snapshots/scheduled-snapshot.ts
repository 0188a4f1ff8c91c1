import type { CatalogWriter } from '../../catalog/catalog.ts';
import type { ClusterType, FrequencyType } from '../../catalog/schema.ts';
import { insertSnapshot, unfinishedSnapshots, updateSnapshot } from '../../catalog/snapshots.ts';
import { assert } from '../../lib/assert.ts';
import { clusterKey, enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import { requestedSnapshot } from './snapshot-row.ts';

export interface DueSnapshot {
  clusterId: string;
  type: ClusterType;
  /** Every policy item that it counts for. */
  policyItemIds: readonly string[];
  /** Of the item that it is attached to, which keeps it longest. */
  frequencyType: FrequencyType;
  retentionMs: number;
}

/**
 * Queues the snapshot that a schedule asks for. Where the one before has not even begun, that one counts for this due
 * time as well: behind a source that cannot be reached at most one waits. Gives the snapshot's id.
 */
export async function queueScheduledSnapshot(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock'>,
  due: DueSnapshot,
): Promise<string> {
  assert(due.policyItemIds.length > 0, 'a scheduled snapshot belongs to a policy item');
  const nowMs = context.clock.nowMs();
  const unfinished = await unfinishedSnapshots(writer, due.clusterId);
  const waiting = unfinished.find((row) => row.status === 'queued' && row.snapshotType === 'scheduled');
  if (waiting !== undefined) {
    const policyItems = new Set([...(JSON.parse(waiting.policyItems) as string[]), ...due.policyItemIds]);
    const longer = due.retentionMs > waiting.retentionMs;
    await updateSnapshot(writer, waiting.id, {
      policyItems: JSON.stringify([...policyItems]),
      ...(longer
        ? { retentionMs: due.retentionMs, expiresAtMs: nowMs + due.retentionMs, frequencyType: due.frequencyType }
        : {}),
    });
    return waiting.id;
  }
  const { clusterId, type, retentionMs } = due;
  const id = context.ids.next();
  await insertSnapshot(writer, {
    ...requestedSnapshot({ id, clusterId, type, description: '', nowMs, retentionMs }),
    snapshotType: 'scheduled',
    frequencyType: due.frequencyType,
    policyItems: JSON.stringify(due.policyItemIds),
  });
  await enqueueTask(writer, {
    id: context.ids.next(),
    kind: 'takeSnapshot',
    subjectId: id,
    exclusiveKey: clusterKey(clusterId),
    nowMs,
  });
  return id;
}
