import type { CatalogWriter } from '../../catalog/catalog.ts';
import type { ClusterRow, SnapshotRow } from '../../catalog/schema.ts';
import { snapshotsOfCluster, updateSnapshot } from '../../catalog/snapshots.ts';
import type { DomainContext } from '../context.ts';
import { type ExtraRetention, extraRetentionMs } from '../policies/compliance-rules.ts';
import { requireDeletable, requireNotShortened } from '../policies/enforcement.ts';
import { keptUntilMs, longestKept, type PolicyItem } from '../policies/schedule-rules.ts';
import { discardCopiesOf, moveCopies } from '../snapshot-copies/copies.ts';
import { discardSnapshot } from '../snapshots/discard-snapshot.ts';

/**
 * What a change of the schedule does to snapshots that are there already. Those whose owner changed their retention are
 * left alone.
 */

type Context = Pick<DomainContext, 'ids' | 'clock'>;

/** Snapshots of these items are kept as long as the items now say. */
export async function applyRetention(
  writer: CatalogWriter,
  context: Context,
  cluster: ClusterRow,
  change: { updatedIds: ReadonlySet<string>; items: readonly PolicyItem[]; extraRetention: readonly ExtraRetention[] },
): Promise<void> {
  for (const row of await scheduledSnapshots(writer, cluster.id)) {
    const itemIds = policyItemsOf(row);
    if (row.retentionChanged === 1 || !itemIds.some((id) => change.updatedIds.has(id))) continue;
    const known = change.items.filter((item) => itemIds.includes(item.id));
    if (known.length === 0) continue;
    const fromMs = row.finishedAtMs ?? row.requestedAtMs;
    const longest = longestKept(known, fromMs);
    const retentionMs =
      keptUntilMs(fromMs, longest) - fromMs + extraRetentionMs(change.extraRetention, longest.frequencyType);
    // It may have been attached to an item that is gone and had kept it longer: that promise holds.
    if (known.length < itemIds.length && retentionMs < row.retentionMs) continue;
    await keepFor(writer, context, cluster, row, fromMs, retentionMs);
  }
}

/** Days that were added or taken away at the end of every snapshot of a frequency. */
export async function applyExtraRetention(
  writer: CatalogWriter,
  context: Context,
  cluster: ClusterRow,
  change: { before: readonly ExtraRetention[]; after: readonly ExtraRetention[] },
): Promise<void> {
  for (const row of await changeableSnapshots(writer, cluster.id)) {
    const before = extraRetentionMs(change.before, row.frequencyType);
    const difference = extraRetentionMs(change.after, row.frequencyType) - before;
    if (difference === 0) continue;
    const retentionMs = row.retentionMs + difference;
    await moveCopies(writer, row.id, { fromMs: row.expiresAtMs, toMs: row.expiresAtMs + difference });
    await updateSnapshot(writer, row.id, {
      retentionMs,
      expiresAtMs: row.expiresAtMs + difference,
      retentionUpdatedAtMs: context.clock.nowMs(),
    });
  }
}

/** Deletes what belongs to none but these items. */
export async function deleteOfItems(
  writer: CatalogWriter,
  context: Context,
  cluster: ClusterRow,
  removedIds: ReadonlySet<string>,
): Promise<void> {
  if (removedIds.size === 0) return;
  for (const row of await scheduledSnapshots(writer, cluster.id)) {
    if (row.status !== 'completed' || row.retentionChanged === 1 || row.doNotDelete === 1) continue;
    if (!policyItemsOf(row).every((id) => removedIds.has(id))) continue;
    await requireDeletable(writer, cluster.projectId, row, context.clock.nowMs());
    await discardCopiesOf(writer, context, row.id);
    await discardSnapshot(writer, context, row);
  }
}

async function keepFor(
  writer: CatalogWriter,
  context: Context,
  cluster: ClusterRow,
  row: SnapshotRow,
  fromMs: number,
  retentionMs: number,
): Promise<void> {
  if (retentionMs === row.retentionMs) return;
  const expiresAtMs = fromMs + retentionMs;
  await requireNotShortened(writer, cluster.projectId, {
    what: `snapshot ${row.id}`,
    fromMs: row.expiresAtMs,
    toMs: expiresAtMs,
  });
  await moveCopies(writer, row.id, { fromMs: row.expiresAtMs, toMs: expiresAtMs });
  await updateSnapshot(writer, row.id, { retentionMs, expiresAtMs, retentionUpdatedAtMs: context.clock.nowMs() });
}

/** Not one that is being taken: what it is kept for was given to it when it began. */
async function changeableSnapshots(writer: CatalogWriter, clusterId: string): Promise<SnapshotRow[]> {
  const rows = await snapshotsOfCluster(writer, clusterId);
  return rows.filter((row) => row.status === 'completed' || row.status === 'queued');
}

async function scheduledSnapshots(writer: CatalogWriter, clusterId: string): Promise<SnapshotRow[]> {
  const rows = await changeableSnapshots(writer, clusterId);
  return rows.filter((row) => row.snapshotType === 'scheduled');
}

function policyItemsOf(row: SnapshotRow): string[] {
  return JSON.parse(row.policyItems) as string[];
}
