import type { Namespace } from '../../bson/namespace.ts';
import type { RestoreTarget } from '../../mongo/target.ts';
import { countOnTarget, dropFromTarget, listTarget } from '../../mongo/target-catalog.ts';

/** What names begin with until their collections are in their places. */
export const STAGED_PREFIX = 'tidemark_restore_';
const BUCKETS = 'system.buckets.';

/**
 * What was created and is not in its place. A time series has its own name from the start: it is ours by its UUID, or
 * because it is as empty as it was made.
 */
export async function removeStaged(target: RestoreTarget, staged: Namespace, uuid: string | null): Promise<void> {
  if (staged.name.startsWith(STAGED_PREFIX)) return await dropFromTarget(target, staged);
  const buckets = { db: staged.db, name: BUCKETS + staged.name };
  const there = (await listTarget(target, staged.db)).get(buckets.name);
  if (there === undefined) return;
  const isOurs = uuid === null ? (await countOnTarget(target, buckets)) === 0 : there.uuid === uuid;
  if (isOurs) await dropFromTarget(target, staged);
}
