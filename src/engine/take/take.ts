import { findReplicaSets } from '../../mongo/cluster-replica-sets.ts';
import { type TakeShardedSnapshotOptions, takeShardedSnapshot } from './take-sharded-snapshot.ts';
import { type TakenSnapshot, takeSnapshot } from './take-snapshot.ts';

export type TakeOptions = Omit<TakeShardedSnapshotOptions, 'replicaSets'>;

/**
 * Takes a snapshot of whatever the connection string leads to: the one way into it. Which replica sets there are is
 * found once, here; of one, or of several at one time while the balancer is held.
 */
export async function take(options: TakeOptions): Promise<TakenSnapshot> {
  const replicaSets = await findReplicaSets(options.uri, { signal: options.signal });
  return await (replicaSets === null ? takeSnapshot(options) : takeShardedSnapshot({ ...options, replicaSets }));
}
