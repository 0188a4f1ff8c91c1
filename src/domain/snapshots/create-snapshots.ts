import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import { mapPage } from '../../catalog/page.ts';
import type { ClusterRow, SnapshotRow } from '../../catalog/schema.ts';
import { copiesOfSnapshots } from '../../catalog/snapshot-copies.ts';
import {
  findSnapshot,
  findSnapshotOfReplicaSet,
  insertSnapshot,
  listSnapshots,
  newestCompletedSnapshot,
  shardedSnapshotsOfCluster,
  unfinishedSnapshots,
  updateSnapshot,
} from '../../catalog/snapshots.ts';
import { taskIdsOfSubjects } from '../../catalog/tasks.ts';
import { must } from '../../lib/assert.ts';
import { clusterKey, enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import { requireCluster, requireConnectedCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import {
  requireCopiesRemovable,
  requireDeletable,
  requireLongEnoughOnDemand,
  requireNotShortened,
} from '../policies/enforcement.ts';
import { isValidRetention, RETENTION_DAYS_DEFAULT, retentionEndMs } from '../policies/retention.ts';
import { refuse } from '../refusals/refusals.ts';
import { discardCopiesOf, moveCopies } from '../snapshot-copies/copies.ts';
import { discardSnapshot } from './discard-snapshot.ts';
import { requestedSnapshot, snapshotOf } from './snapshot-row.ts';
import type { Snapshot, Snapshots } from './snapshots.ts';

/** Past every increment that a second can have. */
const INCREMENT_LAST = 0xffff_ffff;

export function createSnapshots(context: DomainContext): Snapshots {
  const { catalog, clock, ids } = context;

  return {
    list: async ({ page, completed, closestBefore, ...name }) => {
      const cluster = await requireCluster(catalog.reader, name);
      const rows =
        closestBefore === undefined
          ? await listSnapshots(catalog.reader, { clusterId: cluster.id, completed, page })
          : await closest(catalog.reader, cluster.id, closestBefore);
      const views = await withTasks(catalog.reader, cluster, rows.items);
      return mapPage(rows, (row) => must(views.get(row.id), 'a view for every row'));
    },

    listSharded: async (name) => await listSharded(catalog.reader, name),

    get: async ({ snapshotId, ...name }) => {
      const { cluster, row } = await requireSnapshotOrCopy(catalog.reader, name, snapshotId);
      return await viewOf(catalog.reader, cluster, row);
    },

    take: async ({ description, retentionInDays, ...name }) => {
      const days = retentionInDays ?? RETENTION_DAYS_DEFAULT;
      if (!isValidRetention('DAYS', days)) throw refuse('BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID', [`${days}`, 'DAYS']);
      const nowMs = clock.nowMs();
      return await catalog.transact(async (writer) => {
        const cluster = await requireConnectedCluster(writer, name);
        if (cluster.backupEnabled === 0) throw refuse('BACKUP_JOB_NOT_FOUND', [cluster.name]);
        if (cluster.paused === 1) throw refuse('CLUSTER_PAUSED_CANNOT_TAKE_SNAPSHOT', [cluster.name]);
        await requireLongEnoughOnDemand(writer, cluster.projectId, days);
        const unfinished = await unfinishedSnapshots(writer, cluster.id);
        if (unfinished.some((row) => row.snapshotType === 'onDemand'))
          throw refuse('UNFINISHED_ON_DEMAND_SNAPSHOT', [cluster.name]);
        const row = requestedSnapshot({
          id: ids.next(),
          clusterId: cluster.id,
          type: cluster.type,
          description: description ?? '',
          nowMs,
          retentionMs: retentionEndMs(nowMs, 'DAYS', days) - nowMs,
        });
        await insertSnapshot(writer, row);
        const taskId = ids.next();
        await enqueueTask(writer, {
          id: taskId,
          kind: 'takeSnapshot',
          subjectId: row.id,
          exclusiveKey: clusterKey(cluster.id),
          nowMs,
        });
        return snapshotOf(row, { projectId: cluster.projectId, clusterName: cluster.name, taskId, copies: [] });
      });
    },

    updateRetention: async ({ snapshotId, retentionUnit, retentionValue, ...name }) => {
      if (!isValidRetention(retentionUnit, retentionValue))
        throw refuse('BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID', [`${retentionValue}`, retentionUnit]);
      return await catalog.transact(async (writer) => {
        const { cluster, row } = await requireWhole(writer, name, snapshotId, 'CANNOT_MODIFY_CLUSTER_SNAPSHOT');
        if (row.status !== 'completed') throw refuse('CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION', [snapshotId]);
        // Counted from completion, as the first expiry was: the same retention again changes nothing.
        const fromMs = must(row.finishedAtMs, 'a completed snapshot was finished');
        const expiresAtMs = retentionEndMs(fromMs, retentionUnit, retentionValue);
        return await viewOf(writer, cluster, await changeExpiry(writer, { cluster, row }, { expiresAtMs }));
      });
    },

    updateExpiry: async ({ snapshotId, doNotDelete, expiresAtMs, ...name }) => {
      return await catalog.transact(async (writer) => {
        const { cluster, row } = await requireSnapshot(writer, name, snapshotId);
        const changes = expiryChanges(row, { doNotDelete, expiresAtMs });
        return await viewOf(writer, cluster, await changeExpiry(writer, { cluster, row }, changes));
      });
    },

    delete: async ({ snapshotId, ...name }) => {
      await catalog.transact(async (writer) => {
        await refuseReplicaSet(writer, name, snapshotId, 'CANNOT_DELETE_FROM_CLUSTER_SNAPSHOT');
        const { cluster, row } = await requireSnapshotOrCopy(writer, name, snapshotId);
        if (row.status === 'queued' || row.status === 'inProgress')
          throw refuse('CANNOT_DELETE_IN_PROGRESS_SNAPSHOT', [snapshotId]);
        if (row.doNotDelete === 1) throw refuse('CANNOT_DELETE_PROTECTED_SNAPSHOT', [snapshotId]);
        await requireDeletable(writer, cluster.projectId, row, clock.nowMs());
        for (const { regionName } of await copiesOfSnapshots(writer, [row.id]))
          await requireCopiesRemovable(writer, cluster.projectId, regionName);
        await discardCopiesOf(writer, context, row.id);
        if (row.deletedAtMs === null) await discardSnapshot(writer, context, row);
      });
    },
  };
}

/** What a legacy request asks to be otherwise: an end by date, or none. */
function expiryChanges(
  row: SnapshotRow,
  { doNotDelete, expiresAtMs }: { doNotDelete: boolean | undefined; expiresAtMs: number | undefined },
): { expiresAtMs?: number; doNotDelete?: 0 | 1 } {
  if (doNotDelete === true && expiresAtMs !== undefined)
    throw refuse('VALIDATION_ERROR', ['doNotDelete and expires exclude each other']);
  if (row.status !== 'completed') throw refuse('CANNOT_MODIFY_IN_PROGRESS_SNAPSHOT_RETENTION', [row.id]);
  if (expiresAtMs !== undefined && expiresAtMs <= must(row.finishedAtMs, 'a completed snapshot was finished'))
    throw refuse('VALIDATION_ERROR', ['expires lies before the end of the snapshot']);
  return {
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(doNotDelete === undefined ? {} : { doNotDelete: doNotDelete ? 1 : 0 }),
  };
}

/**
 * The one place where the end of a completed snapshot is set by its owner: whatever forbids that to everybody belongs
 * here.
 */
async function changeExpiry(
  writer: CatalogWriter,
  { cluster, row }: { cluster: ClusterRow; row: SnapshotRow },
  change: { expiresAtMs?: number; doNotDelete?: 0 | 1 },
): Promise<SnapshotRow> {
  await requireNotShortened(writer, cluster.projectId, {
    what: `snapshot ${row.id}`,
    fromMs: endOf(row),
    toMs: endOf({ ...row, ...change }),
  });
  const fromMs = must(row.finishedAtMs, 'a completed snapshot was finished');
  const { expiresAtMs } = change;
  const changes = {
    ...change,
    ...(expiresAtMs === undefined ? {} : { retentionMs: expiresAtMs - fromMs, retentionChanged: 1 as const }),
  };
  if (Object.keys(changes).length === 0) return row;
  if (expiresAtMs !== undefined) await moveCopies(writer, row.id, { fromMs: row.expiresAtMs, toMs: expiresAtMs });
  await updateSnapshot(writer, row.id, changes);
  return { ...row, ...changes };
}

function endOf({ doNotDelete, expiresAtMs }: Pick<SnapshotRow, 'doNotDelete' | 'expiresAtMs'>): number {
  return doNotDelete === 1 ? Number.POSITIVE_INFINITY : expiresAtMs;
}

async function requireWhole(
  reader: CatalogReader,
  name: ClusterName,
  snapshotId: string,
  code: 'CANNOT_MODIFY_CLUSTER_SNAPSHOT',
): Promise<{ cluster: ClusterRow; row: SnapshotRow }> {
  await refuseReplicaSet(reader, name, snapshotId, code);
  return await requireSnapshot(reader, name, snapshotId);
}

/** One replica set of a sharded snapshot is nobody's to change: it lives and goes with the others. */
async function refuseReplicaSet(
  reader: CatalogReader,
  name: ClusterName,
  snapshotId: string,
  code: 'CANNOT_MODIFY_CLUSTER_SNAPSHOT' | 'CANNOT_DELETE_FROM_CLUSTER_SNAPSHOT',
): Promise<void> {
  const cluster = await requireCluster(reader, name);
  if (cluster.type !== 'sharded') return;
  const whole = await findSnapshotOfReplicaSet(reader, cluster.id, snapshotId);
  if (whole !== undefined) throw refuse(code, [snapshotId, whole.id]);
}

/** Also one whose original has expired, while a copy is kept. */
async function requireSnapshotOrCopy(
  reader: CatalogReader,
  name: ClusterName,
  snapshotId: string,
): Promise<{ cluster: ClusterRow; row: SnapshotRow }> {
  const cluster = await requireCluster(reader, name);
  const row = await findSnapshot(reader, snapshotId);
  if (row?.clusterId === cluster.id && (row.deletedAtMs === null || row.copiesOnlySinceMs !== null))
    return { cluster, row };
  throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, name.clusterName, name.projectId]);
}

async function requireSnapshot(
  reader: CatalogReader,
  name: ClusterName,
  snapshotId: string,
): Promise<{ cluster: ClusterRow; row: SnapshotRow }> {
  const cluster = await requireCluster(reader, name);
  const row = await findSnapshot(reader, snapshotId);
  if (row === undefined || row.clusterId !== cluster.id || row.deletedAtMs !== null)
    throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, name.clusterName, name.projectId]);
  return { cluster, row };
}

async function closest(
  reader: CatalogReader,
  clusterId: string,
  point: { seconds: number; increment?: number },
): Promise<{ items: SnapshotRow[]; totalCount: number }> {
  const atOrBefore = { t: point.seconds, i: point.increment ?? INCREMENT_LAST };
  const row = await newestCompletedSnapshot(reader, { clusterId, atOrBefore });
  return row === undefined ? { items: [], totalCount: 0 } : { items: [row], totalCount: 1 };
}

async function listSharded(reader: CatalogReader, name: ClusterName): Promise<Snapshot[]> {
  const cluster = await requireCluster(reader, name);
  const rows = await shardedSnapshotsOfCluster(reader, cluster.id);
  const views = await withTasks(reader, cluster, rows);
  return rows.map((row) => must(views.get(row.id), 'a view for every row'));
}

async function viewOf(reader: CatalogReader, cluster: ClusterRow, row: SnapshotRow): Promise<Snapshot> {
  return must((await withTasks(reader, cluster, [row])).get(row.id), 'a view for the row');
}

async function withTasks(
  reader: CatalogReader,
  cluster: ClusterRow,
  rows: readonly SnapshotRow[],
): Promise<Map<string, Snapshot>> {
  const tasks = await taskIdsOfSubjects(
    reader,
    rows.map((row) => row.id),
  );
  const copies = await copiesOfSnapshots(
    reader,
    rows.map((row) => row.id),
  );
  const completed = copies.filter((copy) => copy.state === 'completed');
  const copiesOf = Map.groupBy(completed, (copy) => copy.snapshotId);
  const { projectId, name: clusterName } = cluster;
  return new Map(
    rows.map((row) => {
      const known = { projectId, clusterName, taskId: tasks.get(row.id) ?? null };
      return [row.id, snapshotOf(row, { ...known, copies: copiesOf.get(row.id) ?? [] })];
    }),
  );
}
