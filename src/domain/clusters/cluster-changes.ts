import type { CatalogWriter } from '../../catalog/catalog.ts';
import { updateCluster } from '../../catalog/clusters.ts';
import { clustersBeingRestored } from '../../catalog/restore-jobs.ts';
import type { ClusterRow, Flag } from '../../catalog/schema.ts';
import { snapshotsOfCluster } from '../../catalog/snapshots.ts';
import { hasUnfinishedTaskWithKey } from '../../catalog/tasks.ts';
import { clusterKey } from '../../tasks/queue.ts';
import { checkpointKey } from '../checkpoints/checkpoint-task.ts';
import type { DomainContext } from '../context.ts';
import { isCaptured, queueTailer } from '../continuous-backup/capture-task.ts';
import { requireBackupMayStop, requireHistoryMayStop } from '../policies/enforcement.ts';
import { refuse } from '../refusals/refusals.ts';
import { discardCopiesOf } from '../snapshot-copies/copies.ts';
import { discardSnapshot } from '../snapshots/discard-snapshot.ts';
import type { ClusterChange } from './clusters.ts';

type Columns = Pick<ClusterRow, 'backupEnabled' | 'paused' | 'retainBackups' | 'terminationProtected' | 'pitEnabled'>;

/**
 * What the owner may decide about a cluster. The only place that changes it; what would weaken its backups can be
 * vetoed here. Gives the row as it is then.
 */
export async function applyClusterChange(
  writer: CatalogWriter,
  context: DomainContext,
  cluster: ClusterRow,
  change: ClusterChange,
): Promise<ClusterRow> {
  const wanted = differing(cluster, change);
  if (Object.keys(wanted).length === 0) return cluster;
  // As Atlas has it: a paused cluster is resumed first and changed then.
  if (cluster.paused === 1 && Object.keys(wanted).some((name) => name !== 'paused'))
    throw refuse('CANNOT_UPDATE_PAUSED_CLUSTER', [cluster.name]);
  if ((await clustersBeingRestored(writer, [cluster.id])).has(cluster.id))
    throw refuse('CLUSTER_RESTORE_IN_PROGRESS_CANNOT_UPDATE', [cluster.name]);
  const changed = { ...cluster, ...wanted };
  if (wanted.backupEnabled === 0 || wanted.paused === 1) await requireBackupMayStop(writer, cluster);
  if (wanted.pitEnabled === 0) await requireHistoryMayStop(writer, cluster);
  if (wanted.paused === 1) await refuseBusy(writer, cluster);
  if (wanted.backupEnabled === 0 && changed.retainBackups === 0) await removeBackups(writer, context, cluster);
  else if (wanted.backupEnabled === 0) await refuseBusy(writer, cluster);
  await updateCluster(writer, cluster.id, wanted);
  // At once: every second until the tailer begins is one that cannot be restored.
  if (isCaptured(changed)) await queueTailer(writer, context, cluster.id);
  return changed;
}

/**
 * Forgets the connection string, and its snapshots with it where they are not to be kept. The only way in which a
 * cluster goes.
 */
export async function terminateCluster(
  writer: CatalogWriter,
  context: DomainContext,
  cluster: ClusterRow,
  { keepBackups }: { keepBackups: boolean },
): Promise<void> {
  if (cluster.terminationProtected === 1)
    throw refuse('CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED', [cluster.name]);
  await requireBackupMayStop(writer, cluster);
  await refuseBusy(writer, cluster);
  if (!keepBackups) await removeBackups(writer, context, cluster);
  await updateCluster(writer, cluster.id, { sealedUri: null, deletedAtMs: context.clock.nowMs() });
}

/**
 * Deletes every snapshot of the cluster but those that are kept for good. Whatever forbids that to everybody belongs
 * here.
 */
async function removeBackups(writer: CatalogWriter, context: DomainContext, cluster: ClusterRow): Promise<void> {
  await refuseBusy(writer, cluster);
  for (const snapshot of await snapshotsOfCluster(writer, cluster.id)) {
    if (snapshot.doNotDelete === 1) continue;
    await discardCopiesOf(writer, context, snapshot.id);
    await discardSnapshot(writer, context, snapshot);
  }
}

async function refuseBusy(writer: CatalogWriter, cluster: ClusterRow): Promise<void> {
  for (const exclusiveKey of [clusterKey(cluster.id), checkpointKey(cluster.id)]) {
    if (await hasUnfinishedTaskWithKey(writer, exclusiveKey)) throw refuse('CLUSTER_BUSY', [cluster.name]);
  }
}

const flag = (value: boolean): Flag => (value ? 1 : 0);

/** The columns that the change asks to be otherwise. */
function differing(cluster: ClusterRow, change: ClusterChange): Partial<Columns> {
  const asked: Partial<Columns> = {
    ...(change.backupEnabled === undefined ? {} : { backupEnabled: flag(change.backupEnabled) }),
    ...(change.pitEnabled === undefined ? {} : { pitEnabled: flag(change.pitEnabled) }),
    ...(change.paused === undefined ? {} : { paused: flag(change.paused) }),
    ...(change.retainBackups === undefined ? {} : { retainBackups: flag(change.retainBackups) }),
    ...(change.terminationProtectionEnabled === undefined
      ? {}
      : { terminationProtected: flag(change.terminationProtectionEnabled) }),
  };
  return Object.fromEntries(
    Object.entries(asked).filter(([name, value]) => cluster[name as keyof Columns] !== value),
  ) as Partial<Columns>;
}
