import { type CheckpointRecord, findCheckpoint, listCheckpoints } from '../../catalog/checkpoints.ts';
import { mapPage } from '../../catalog/page.ts';
import type { CheckpointPartRow, ClusterRow } from '../../catalog/schema.ts';
import type { DomainContext } from '../context.ts';
import { requireCluster } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import type { Checkpoint, Checkpoints } from './checkpoints.ts';

export function createCheckpoints({ catalog }: DomainContext): Checkpoints {
  return {
    list: async ({ page, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const checkpoints = await listCheckpoints(catalog.reader, { clusterId: cluster.id, page });
      return mapPage(checkpoints, (row) => viewOf(row, cluster));
    },

    get: async ({ checkpointId, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const row = await findCheckpoint(catalog.reader, checkpointId);
      if (row === undefined || row.clusterId !== cluster.id || row.state === 'queued')
        throw refuse('CHECKPOINT_NOT_FOUND', [checkpointId, cluster.name, cluster.projectId]);
      return viewOf(row, cluster);
    },
  };
}

function viewOf(row: CheckpointRecord, { projectId }: ClusterRow): Checkpoint {
  const { id, clusterId, startedAtMs, completedAtMs, timestampMs, restorable, reason, parts } = row;
  const times = { startedAtMs, completedAtMs, timestampMs };
  return { id, projectId, clusterId, ...times, restorable: restorable === 1, reason, parts: parts.map(partOf) };
}

function partOf(part: CheckpointPartRow): Checkpoint['parts'][number] {
  const { tokenSeconds, tokenIncrement } = part;
  return {
    replicaSetName: part.replicaSetName,
    shardName: part.shardName,
    typeName: part.typeName,
    tokenDiscovered: part.tokenDiscovered === 1,
    tokenTimestamp:
      tokenSeconds === null || tokenIncrement === null ? null : { seconds: tokenSeconds, increment: tokenIncrement },
  };
}
