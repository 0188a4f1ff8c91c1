import type { CatalogWriter } from '../../catalog/catalog.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { copiesInRegion, updateSnapshotCopy } from '../../catalog/snapshot-copies.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import type { DomainContext } from '../context.ts';
import { copyKeptUntilMs } from '../policies/copy-rules.ts';
import { requireCopiesRemovable } from '../policies/enforcement.ts';
import type { CopySetting, SchedulePatch } from '../policies/schedule.ts';
import type { StoredSchedule } from '../policies/stored-schedule.ts';
import { refuse } from '../refusals/refusals.ts';
import { copiedSnapshot, discardCopy } from '../snapshot-copies/copies.ts';
import { queueOplogCopies } from '../snapshot-copies/copy-oplogs-task.ts';

type Context = Pick<DomainContext, 'ids' | 'clock'>;

/** What a change of the copy settings does to copies that are there already, where it is told to. */
export async function changeCopies(
  writer: CatalogWriter,
  context: Context,
  {
    cluster,
    before,
    stored,
    patch,
  }: { cluster: ClusterRow; before: readonly CopySetting[]; stored: StoredSchedule; patch: SchedulePatch },
): Promise<void> {
  await changeOplogCopies(writer, context, { cluster, before, after: stored.copySettings });
  for (const { regionName } of patch.deleteCopiedBackups ?? []) {
    if (regionName === undefined || stored.copySettings.some((setting) => setting.regionName === regionName))
      throw invalid('deleteCopiedBackups', 'names a region that is not one of a removed copy setting');
    await discardRegion(writer, context, cluster, regionName);
  }
  const { updateCopySnapshots = false, deleteCopySnapshots = false } = patch;
  if (!updateCopySnapshots && !deleteCopySnapshots) return;
  if (stored.row.copyPolicyItemsEnabled === 0)
    throw invalid(updateCopySnapshots ? 'updateCopySnapshots' : 'deleteCopySnapshots', 'needs copyPolicyItemsEnabled');
  await followItems(writer, context, { cluster, stored, updateCopySnapshots, deleteCopySnapshots });
}

/** A copied oplog goes as soon as its setting does, so that is where a policy has its say. */
async function changeOplogCopies(
  writer: CatalogWriter,
  context: Context,
  { cluster, before, after }: { cluster: ClusterRow; before: readonly CopySetting[]; after: readonly CopySetting[] },
): Promise<void> {
  const regions = (settings: readonly CopySetting[]) =>
    settings.filter((one) => one.shouldCopyOplogs).map(({ regionName }) => regionName);
  const wanted = regions(after);
  for (const regionName of regions(before))
    if (!wanted.includes(regionName)) await requireCopiesRemovable(writer, cluster.projectId, regionName);
  if (wanted.length > 0) await queueOplogCopies(writer, context, cluster);
}

function invalid(field: string, description: string) {
  return refuse('VALIDATION_ERROR', [`${field} ${description}`], [{ field, description }]);
}

async function discardRegion(
  writer: CatalogWriter,
  context: Context,
  cluster: ClusterRow,
  regionName: string,
): Promise<void> {
  await requireCopiesRemovable(writer, cluster.projectId, regionName);
  for (const copy of await copiesInRegion(writer, cluster.id, regionName)) await discardCopy(writer, context, copy);
}

/**
 * Copies are kept as long as the copy items now say; those that no item asks for any more go, each where that was
 * ordered.
 */
async function followItems(
  writer: CatalogWriter,
  context: Context,
  order: { cluster: ClusterRow; stored: StoredSchedule; updateCopySnapshots: boolean; deleteCopySnapshots: boolean },
): Promise<void> {
  const { cluster, stored } = order;
  for (const setting of stored.copySettings) {
    for (const copy of await copiesInRegion(writer, cluster.id, setting.regionName)) {
      const snapshot = await findSnapshot(writer, copy.snapshotId);
      if (snapshot === undefined || snapshot.finishedAtMs === null) continue;
      const expiresAtMs = copyKeptUntilMs(setting, copiedSnapshot(snapshot, stored.items));
      if (expiresAtMs === null) {
        if (!order.deleteCopySnapshots) continue;
        await requireCopiesRemovable(writer, cluster.projectId, setting.regionName);
        await discardCopy(writer, context, copy);
      } else if (order.updateCopySnapshots && expiresAtMs !== copy.expiresAtMs) {
        if (expiresAtMs < copy.expiresAtMs) await requireCopiesRemovable(writer, cluster.projectId, setting.regionName);
        await updateSnapshotCopy(writer, copy.id, { expiresAtMs });
      }
    }
  }
}
