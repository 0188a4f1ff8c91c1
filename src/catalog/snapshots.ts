import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { SnapshotRow, SnapshotTable } from './schema.ts';

/** A point in the oplog: seconds, and the place within that second. */
export interface ClusterTime {
  t: number;
  i: number;
}

/** One replica set of a completed sharded snapshot. */
export interface SnapshotReplicaSet {
  id: string;
  /** `config` for the config servers. */
  shardName: string;
  configServer: boolean;
  replicaSetName: string;
}

/** The column keeps the name that it was made with, which is Atlas's too. */
export function decodeSnapshotReplicaSets(members: string | null): SnapshotReplicaSet[] {
  return members === null ? [] : (JSON.parse(members) as SnapshotReplicaSet[]);
}

/** The sharded snapshot of the cluster of which one replica set has that id. */
export async function findSnapshotOfReplicaSet(
  reader: CatalogReader,
  clusterId: string,
  id: string,
): Promise<SnapshotRow | undefined> {
  const rows = await reader
    .selectFrom('snapshots')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .where('members', 'like', `%"${id}"%`)
    .execute();
  return rows.find((row) => decodeSnapshotReplicaSets(row.members).some((one) => one.id === id));
}

export async function insertSnapshot(writer: CatalogWriter, snapshot: SnapshotRow): Promise<void> {
  await writer.insertInto('snapshots').values(snapshot).execute();
}

export async function updateSnapshot(
  writer: CatalogWriter,
  id: string,
  changes: Omit<Updateable<SnapshotTable>, 'id' | 'clusterId'>,
): Promise<void> {
  await writer.updateTable('snapshots').set(changes).where('id', '=', id).execute();
}

/** Deleted ones too. */
export async function findSnapshot(reader: CatalogReader, id: string): Promise<SnapshotRow | undefined> {
  return await reader.selectFrom('snapshots').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Newest first, also those of which only a copy is left; with `completed` only those that are, or are not. */
export async function listSnapshots(
  reader: CatalogReader,
  query: { clusterId: string; completed?: boolean | undefined; page: PageRequest },
): Promise<Page<SnapshotRow>> {
  let filtered = reader
    .selectFrom('snapshots')
    .where('clusterId', '=', query.clusterId)
    .where((e) => e.or([e('deletedAtMs', 'is', null), e('copiesOnlySinceMs', 'is not', null)]));
  if (query.completed !== undefined) filtered = filtered.where('status', query.completed ? '=' : '<>', 'completed');
  return await readPage(query.page, filtered, (rows) =>
    rows.selectAll().orderBy('requestedAtMs', 'desc').orderBy('id', 'desc'),
  );
}

/**
 * The completed snapshot with the newest data; with `atOrBefore` among those of that time or older, with
 * `requestedSinceMs` among those requested then or later.
 */
export async function newestCompletedSnapshot(
  reader: CatalogReader,
  query: { clusterId: string; atOrBefore?: ClusterTime; requestedSinceMs?: number },
): Promise<SnapshotRow | undefined> {
  let rows = reader
    .selectFrom('snapshots')
    .selectAll()
    .where('clusterId', '=', query.clusterId)
    .where('status', '=', 'completed')
    .where('deletedAtMs', 'is', null);
  const { atOrBefore, requestedSinceMs } = query;
  if (atOrBefore !== undefined) {
    rows = rows.where((e) =>
      e.or([
        e('clusterTimeT', '<', atOrBefore.t),
        e.and([e('clusterTimeT', '=', atOrBefore.t), e('clusterTimeI', '<=', atOrBefore.i)]),
      ]),
    );
  }
  if (requestedSinceMs !== undefined) rows = rows.where('requestedAtMs', '>=', requestedSinceMs);
  return await rows.orderBy('clusterTimeT', 'desc').orderBy('clusterTimeI', 'desc').limit(1).executeTakeFirst();
}

export async function unfinishedSnapshots(reader: CatalogReader, clusterId: string): Promise<SnapshotRow[]> {
  return await reader
    .selectFrom('snapshots')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .where('status', 'in', ['queued', 'inProgress'])
    .execute();
}

/** Being written, whatever the cluster: prune leaves what they wrote so far alone. */
export async function snapshotsBeingWritten(
  reader: CatalogReader,
): Promise<{ clusterId: string; snapshotId: string }[]> {
  return await reader
    .selectFrom('snapshots')
    .select(['clusterId', 'id as snapshotId'])
    .where('status', 'in', ['queued', 'inProgress'])
    .execute();
}

/** Completed and not deleted: each has its manifest. */
export async function completedSnapshots(reader: CatalogReader): Promise<{ clusterId: string; snapshotId: string }[]> {
  return await reader
    .selectFrom('snapshots')
    .select(['clusterId', 'id as snapshotId'])
    .where('status', '=', 'completed')
    .where('deletedAtMs', 'is', null)
    .orderBy('id')
    .execute();
}

/** Failed for good: nobody writes under their ids again. */
export async function failedSnapshots(reader: CatalogReader): Promise<{ clusterId: string; snapshotId: string }[]> {
  return await reader
    .selectFrom('snapshots')
    .select(['clusterId', 'id as snapshotId'])
    .where('status', '=', 'failed')
    .where('id', 'not in', (query) =>
      query.selectFrom('tasks').select('subjectId').where('state', 'in', ['queued', 'running']),
    )
    .execute();
}

/** Past their time, ended, neither deleted nor kept from it; oldest expiry first, at most `limit`. */
export async function expiredSnapshots(reader: CatalogReader, nowMs: number, limit: number): Promise<SnapshotRow[]> {
  return await reader
    .selectFrom('snapshots')
    .selectAll()
    .where('deletedAtMs', 'is', null)
    .where('expiresAtMs', '<=', nowMs)
    .where('doNotDelete', '=', 0)
    .where('status', 'in', ['completed', 'failed'])
    .orderBy('expiresAtMs')
    .limit(limit)
    .execute();
}

/** The earliest expiry still ahead, or null. */
export async function nextExpiryMs(reader: CatalogReader, nowMs: number): Promise<number | null> {
  const row = await reader
    .selectFrom('snapshots')
    .select('expiresAtMs')
    .where('deletedAtMs', 'is', null)
    .where('expiresAtMs', '>', nowMs)
    .orderBy('expiresAtMs')
    .limit(1)
    .executeTakeFirst();
  return row?.expiresAtMs ?? null;
}

/** Whether a snapshot of the cluster requested after that time has not completed (deleted ones count). */
export async function newerSnapshotNotCompleted(
  reader: CatalogReader,
  clusterId: string,
  requestedAfterMs: number,
): Promise<boolean> {
  const row = await reader
    .selectFrom('snapshots')
    .select('id')
    .where('clusterId', '=', clusterId)
    .where('requestedAtMs', '>', requestedAfterMs)
    .where('status', '<>', 'completed')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function snapshotsOfCluster(reader: CatalogReader, clusterId: string): Promise<SnapshotRow[]> {
  return await reader
    .selectFrom('snapshots')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .where('deletedAtMs', 'is', null)
    .orderBy('id')
    .execute();
}

/** Those whose original is gone and of which a copy may be left: no manifest in the repository tells of them. */
export async function snapshotsInCopiesOnly(reader: CatalogReader): Promise<SnapshotRow[]> {
  return await reader.selectFrom('snapshots').selectAll().where('copiesOnlySinceMs', 'is not', null).execute();
}

/** Of a sharded cluster, newest first; deleted ones left out. */
export async function shardedSnapshotsOfCluster(reader: CatalogReader, clusterId: string): Promise<SnapshotRow[]> {
  return await reader
    .selectFrom('snapshots')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .where('type', '=', 'sharded')
    .where('deletedAtMs', 'is', null)
    .orderBy('requestedAtMs', 'desc')
    .orderBy('id', 'desc')
    .execute();
}

/** What a manifest does not know of its snapshot: a retention changed later, or a deletion. */
export async function snapshotsChangedSinceManifest(
  reader: CatalogReader,
): Promise<
  Pick<
    SnapshotRow,
    | 'id'
    | 'clusterId'
    | 'expiresAtMs'
    | 'retentionMs'
    | 'retentionChanged'
    | 'retentionUpdatedAtMs'
    | 'copiesOnlySinceMs'
    | 'doNotDelete'
    | 'deletedAtMs'
  >[]
> {
  return await reader
    .selectFrom('snapshots')
    .select([
      'id',
      'clusterId',
      'expiresAtMs',
      'retentionMs',
      'retentionChanged',
      'retentionUpdatedAtMs',
      'copiesOnlySinceMs',
      'doNotDelete',
      'deletedAtMs',
    ])
    .where('status', '=', 'completed')
    .where((e) =>
      e.or([
        e('retentionChanged', '=', 1),
        e('retentionUpdatedAtMs', 'is not', null),
        e('doNotDelete', '=', 1),
        e('deletedAtMs', 'is not', null),
      ]),
    )
    .orderBy('id')
    .execute();
}

/** One at least that was not deleted, of a cluster that is registered or was. */
export async function hasSnapshotsOfProject(reader: CatalogReader, projectId: string): Promise<boolean> {
  const found = await reader
    .selectFrom('snapshots')
    .innerJoin('clusters', 'clusters.id', 'snapshots.clusterId')
    .select('snapshots.id')
    .where('clusters.projectId', '=', projectId)
    .where('snapshots.deletedAtMs', 'is', null)
    .where('snapshots.status', '!=', 'failed')
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
