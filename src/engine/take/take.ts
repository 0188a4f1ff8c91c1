import { type ClusterFacts, discoverCluster } from '../../mongo/topology.ts';
import { type TakeShardedSnapshotOptions, takeShardedSnapshot } from './take-sharded-snapshot.ts';
import { type TakenSnapshot, takeSnapshot } from './take-snapshot.ts';

export type TakeOptions = Omit<TakeShardedSnapshotOptions, 'replicaSets' | 'found'> & {
  /** Told what the cluster says of itself, before anything of it is read. */
  whenFound?: (facts: ClusterFacts) => Promise<void>;
};

/**
 * Takes a snapshot of whatever the connection string leads to: the one way into it. What there is, is found once, here;
 * of one replica set, or of several at one time while the balancer is held.
 */
export async function take({ whenFound, ...options }: TakeOptions): Promise<TakenSnapshot> {
  const { facts, replicaSets } = await discoverCluster(options.uri, { signal: options.signal });
  await whenFound?.(facts);
  if (replicaSets === null) return await takeSnapshot({ ...options, found: facts });
  return await takeShardedSnapshot({ ...options, replicaSets });
}
