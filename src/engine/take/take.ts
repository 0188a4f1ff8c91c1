import { findShardMembers } from '../../mongo/shard-members.ts';
import { type TakeShardedSnapshotOptions, takeShardedSnapshot } from './take-sharded-snapshot.ts';
import { type TakenSnapshot, takeSnapshot } from './take-snapshot.ts';

export type TakeOptions = Omit<TakeShardedSnapshotOptions, 'members'>;

/**
 * Takes a snapshot of whatever the connection string leads to: the one way into it. Which replica sets there are is
 * found once, here; of one, or of several at one time while the balancer is held.
 */
export async function take(options: TakeOptions): Promise<TakenSnapshot> {
  const members = await findShardMembers(options.uri, { signal: options.signal });
  return await (members === null ? takeSnapshot(options) : takeShardedSnapshot({ ...options, members }));
}
