import type { Checkpoint as CheckpointBody } from '../../../contract/checkpoints.ts';
import type { ShapeOf } from '../../../contract/primitives.ts';
import type { Checkpoint } from '../../domain/checkpoints/checkpoints.ts';
import { isoSeconds } from '../../lib/clock.ts';
import type { LinkBuilder } from '../links.ts';
import { timeIfKnown } from './times.ts';

type Body = ShapeOf<typeof CheckpointBody>;

export function checkpointBody(checkpoint: Checkpoint, clusterName: string, links: LinkBuilder): Body {
  const cluster = `/groups/${checkpoint.projectId}/clusters/${clusterName}`;
  return {
    clusterId: checkpoint.clusterId,
    ...timeIfKnown('completed', checkpoint.completedAtMs),
    groupId: checkpoint.projectId,
    id: checkpoint.id,
    links: [links.self(`${cluster}/backupCheckpoints/${checkpoint.id}`), links.to('cluster', cluster)],
    parts: checkpoint.parts.map(partBody),
    restorable: checkpoint.restorable,
    started: isoSeconds(checkpoint.startedAtMs),
    ...timeIfKnown('timestamp', checkpoint.timestampMs),
  };
}

function partBody(part: Checkpoint['parts'][number]): Body['parts'][number] {
  const { replicaSetName, shardName, tokenTimestamp } = part;
  return {
    ...(replicaSetName === null ? {} : { replicaSetName }),
    ...(shardName === null ? {} : { shardName }),
    tokenDiscovered: part.tokenDiscovered,
    ...(tokenTimestamp === null
      ? {}
      : { tokenTimestamp: { date: isoSeconds(tokenTimestamp.seconds * 1000), increment: tokenTimestamp.increment } }),
    typeName: part.typeName,
  };
}
