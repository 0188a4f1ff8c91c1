import type { CatalogReader } from '../../catalog/catalog.ts';
import { failedSnapshots, snapshotsBeingWritten } from '../../catalog/snapshots.ts';
import { pinnedSnapshots } from '../../catalog/tasks.ts';
import type { Repository } from '../../repository/repository.ts';
import { type PrunePlan, planPrune } from '../../repository/upkeep/prune.ts';

/** Younger objects are never swept: they may belong to something that no list shows yet. */
export const PRUNE_GRACE_MS = 86_400_000;

/**
 * A plan that knows what the catalog knows: which snapshots are being written, which failed for good, and which ones
 * unfinished tasks read.
 */
export async function planServicePrune(
  reader: CatalogReader,
  repository: Repository,
  options: { graceMs?: number; sweepFailed?: boolean; signal?: AbortSignal } = {},
): Promise<PrunePlan> {
  const { graceMs = PRUNE_GRACE_MS, sweepFailed = false, signal } = options;
  const pinned = await pinnedSnapshots(reader);
  const writing = await snapshotsBeingWritten(reader);
  const failed = sweepFailed ? { failed: await failedSnapshots(reader) } : undefined;
  return await planPrune(repository, { pinned, writing, graceMs, sweepFailed: failed, signal });
}
