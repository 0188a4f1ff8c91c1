import { type Timestamp64, timestampOf, timestampParts } from '../../bson/timestamp.ts';
import type { CheckpointRecord } from '../../catalog/checkpoints.ts';
import type { CheckpointPartRow } from '../../catalog/schema.ts';
import type { CheckpointToken } from '../../engine/checkpoint/checkpoint-token.ts';
import { must } from '../../lib/assert.ts';

/**
 * Between a checkpoint's tokens and its rows. Pure. The config servers are the last part, under the name that MongoDB
 * keeps for them.
 */
export function partsOf(
  checkpointId: string,
  replicaSets: readonly Omit<CheckpointToken, 'ts'>[],
  tokens: readonly CheckpointToken[],
): CheckpointPartRow[] {
  return replicaSets.map(({ shardName, replicaSetName, configServer }, position) => {
    const token = tokens.find((one) => one.replicaSetName === replicaSetName);
    const time = token === undefined ? null : timestampParts(token.ts);
    return {
      checkpointId,
      position,
      replicaSetName,
      shardName,
      typeName: configServer ? 'CONFIG_SERVER_REPLICA_SET' : 'REPLICA_SET',
      tokenDiscovered: 0,
      tokenSeconds: time?.t ?? null,
      tokenIncrement: time?.i ?? null,
    };
  });
}

export function replicaSetsOf({ parts }: CheckpointRecord): Omit<CheckpointToken, 'ts'>[] {
  return parts.map((part) => ({
    shardName: must(part.shardName, 'a part of a replica set names its shard'),
    replicaSetName: must(part.replicaSetName, 'a part of a replica set names it'),
    configServer: part.typeName !== 'REPLICA_SET',
  }));
}

/** Of a checkpoint whose tokens are all written. */
export function tokensOf(record: CheckpointRecord): CheckpointToken[] {
  const replicaSets = replicaSetsOf(record);
  return record.parts.map(({ tokenSeconds, tokenIncrement }, index) => ({
    ...must(replicaSets[index], 'a replica set for each part'),
    ts: timestampOf({ t: must(tokenSeconds, 'every token has a time'), i: must(tokenIncrement, 'and an increment') }),
  }));
}

/** The cluster time that it restores to, that entry included; null while its tokens are not all written. */
export function timeOf({
  clusterTimeT: t,
  clusterTimeI: i,
}: Pick<CheckpointRecord, 'clusterTimeT' | 'clusterTimeI'>): Timestamp64 | null {
  return t === null || i === null ? null : timestampOf({ t, i });
}
