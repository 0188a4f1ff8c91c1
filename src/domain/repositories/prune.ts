import type { CatalogReader } from '../../catalog/catalog.ts';
import { snapshotsBeingWritten } from '../../catalog/snapshots.ts';
import { pinnedSnapshots } from '../../catalog/tasks.ts';
import { type PrunePlan, planPrune } from '../../repository/prune.ts';
import type { Repository } from '../../repository/repository.ts';

/** Younger objects are never swept: they may belong to something that no list shows yet. */
export const PRUNE_GRACE_MS = 86_400_000;

/** A plan that knows what the catalog knows: which snapshots are being written, and which ones unfinished tasks read. */
export async function planServicePrune(
  reader: CatalogReader,
  repository: Repository,
  options: { graceMs?: number; signal?: AbortSignal } = {},
): Promise<PrunePlan> {
  const { graceMs = PRUNE_GRACE_MS, ...rest } = options;
  const pinned = await pinnedSnapshots(reader);
  const writing = await snapshotsBeingWritten(reader);
  return await planPrune(repository, { pinned, writing, graceMs, ...rest });
}
