import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import type { SnapshotCopyRow, SnapshotCopyTable } from './schema.ts';

export async function insertSnapshotCopy(writer: CatalogWriter, copy: SnapshotCopyRow): Promise<void> {
  await writer.insertInto('snapshotCopies').values(copy).execute();
}

export async function updateSnapshotCopy(
  writer: CatalogWriter,
  id: string,
  changes: Omit<Updateable<SnapshotCopyTable>, 'id' | 'snapshotId' | 'clusterId'>,
): Promise<void> {
  await writer.updateTable('snapshotCopies').set(changes).where('id', '=', id).execute();
}

/** Deleted ones too. */
export async function findSnapshotCopy(reader: CatalogReader, id: string): Promise<SnapshotCopyRow | undefined> {
  return await reader.selectFrom('snapshotCopies').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Those not deleted, of any of the snapshots, by region. */
export async function copiesOfSnapshots(
  reader: CatalogReader,
  snapshotIds: readonly string[],
): Promise<SnapshotCopyRow[]> {
  if (snapshotIds.length === 0) return [];
  return await reader
    .selectFrom('snapshotCopies')
    .selectAll()
    .where('snapshotId', 'in', snapshotIds)
    .where('deletedAtMs', 'is', null)
    .orderBy('regionName')
    .execute();
}

/** Whether it can be restored from somewhere else than the repository. */
export async function hasCopy(reader: CatalogReader, snapshotId: string): Promise<boolean> {
  const copies = await copiesOfSnapshots(reader, [snapshotId]);
  return copies.some(({ state }) => state === 'completed');
}

/** Those not deleted, of one cluster and region, the newest first. */
export async function copiesInRegion(
  reader: CatalogReader,
  clusterId: string,
  regionName: string,
): Promise<SnapshotCopyRow[]> {
  return await reader
    .selectFrom('snapshotCopies')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .where('regionName', '=', regionName)
    .where('deletedAtMs', 'is', null)
    .orderBy('requestedAtMs', 'desc')
    .orderBy('id', 'desc')
    .execute();
}

/** Past their time, ended, not deleted; at most `limit`. */
export async function expiredCopies(reader: CatalogReader, nowMs: number, limit: number): Promise<SnapshotCopyRow[]> {
  return await reader
    .selectFrom('snapshotCopies')
    .selectAll()
    .where('deletedAtMs', 'is', null)
    .where('expiresAtMs', '<=', nowMs)
    .where('state', 'in', ['completed', 'failed'])
    .orderBy('expiresAtMs')
    .limit(limit)
    .execute();
}

/** The earliest expiry still ahead, or null. */
export async function nextCopyExpiryMs(reader: CatalogReader, nowMs: number): Promise<number | null> {
  const row = await reader
    .selectFrom('snapshotCopies')
    .select('expiresAtMs')
    .where('deletedAtMs', 'is', null)
    .where('expiresAtMs', '>', nowMs)
    .orderBy('expiresAtMs')
    .limit(1)
    .executeTakeFirst();
  return row?.expiresAtMs ?? null;
}

/** Not deleted, whatever their cluster: catalog copies carry them. */
export async function allSnapshotCopies(reader: CatalogReader): Promise<SnapshotCopyRow[]> {
  return await reader.selectFrom('snapshotCopies').selectAll().where('deletedAtMs', 'is', null).orderBy('id').execute();
}
