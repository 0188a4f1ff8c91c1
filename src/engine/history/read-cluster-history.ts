import type { HistoryItem } from './history-item.ts';
import { readHistory } from './read-history.ts';
import { type ReadShardedHistoryOptions, readShardedHistory } from './read-sharded-history.ts';

export interface ReadClusterHistoryOptions extends ReadShardedHistoryOptions {
  /** Of a replica set; null of a sharded cluster, whose `shards` then count. */
  replicaSetName: string | null;
}

/** Every version of one document of whatever kind of cluster, as `readHistory` and `readShardedHistory` tell it. */
export function readClusterHistory({
  replicaSetName,
  ...options
}: ReadClusterHistoryOptions): AsyncGenerator<HistoryItem, void, undefined> {
  if (replicaSetName === null) return readShardedHistory(options);
  return readHistory({ ...options, source: { clusterId: options.clusterId, replicaSetName } });
}
