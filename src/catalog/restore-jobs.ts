import type { Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { RestoreJobRow, RestoreJobTable } from './schema.ts';

export async function insertRestoreJob(writer: CatalogWriter, job: RestoreJobRow): Promise<void> {
  await writer.insertInto('restoreJobs').values(job).execute();
}

export async function updateRestoreJob(
  writer: CatalogWriter,
  id: string,
  changes: Omit<Updateable<RestoreJobTable>, 'id' | 'clusterId'>,
): Promise<void> {
  await writer.updateTable('restoreJobs').set(changes).where('id', '=', id).execute();
}

export async function findRestoreJob(reader: CatalogReader, id: string): Promise<RestoreJobRow | undefined> {
  return await reader.selectFrom('restoreJobs').selectAll().where('id', '=', id).executeTakeFirst();
}

/** Of snapshots of this cluster, newest first. */
export async function listRestoreJobs(
  reader: CatalogReader,
  query: { clusterId: string; page: PageRequest },
): Promise<Page<RestoreJobRow>> {
  const filtered = reader.selectFrom('restoreJobs').where('clusterId', '=', query.clusterId);
  return await readPage(query.page, filtered, (rows) =>
    rows.selectAll().orderBy('createdAtMs', 'desc').orderBy('id', 'desc'),
  );
}

/** Downloads that are being prepared or have a link that can still be used, of clusters of the project. */
export async function liveDownloadJobs(
  reader: CatalogReader,
  query: { projectId: string; nowMs: number },
): Promise<Pick<RestoreJobRow, 'id' | 'snapshotId' | 'pointInTimeUtcSeconds' | 'oplogTs' | 'oplogInc'>[]> {
  return await reader
    .selectFrom('restoreJobs')
    .innerJoin('clusters', 'clusters.id', 'restoreJobs.clusterId')
    .select(['restoreJobs.id', 'restoreJobs.snapshotId'])
    .select(['restoreJobs.pointInTimeUtcSeconds', 'restoreJobs.oplogTs', 'restoreJobs.oplogInc'])
    .where('clusters.projectId', '=', query.projectId)
    .where('restoreJobs.deliveryType', '=', 'download')
    .where((e) =>
      e.or([
        e('restoreJobs.state', 'in', ['queued', 'inProgress']),
        e.and([
          e('restoreJobs.state', '=', 'completed'),
          e('restoreJobs.expiresAtMs', '>', query.nowMs),
          e.exists(
            e
              .selectFrom('downloads')
              .select('downloads.id')
              .whereRef('downloads.restoreJobId', '=', 'restoreJobs.id')
              .where('downloads.deliveredAtMs', 'is', null),
          ),
        ]),
      ]),
    )
    .execute();
}

/** Ids of the clusters, out of those given, into which a restore is writing or is about to. */
export async function clustersBeingRestored(
  reader: CatalogReader,
  clusterIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (clusterIds.length === 0) return new Set();
  const whole = await reader
    .selectFrom('restoreJobs')
    .select('targetClusterId')
    .where('targetClusterId', 'in', clusterIds)
    .where('state', 'in', ['queued', 'inProgress'])
    .execute();
  const inPart = await reader
    .selectFrom('collectionRestoreJobs')
    .select('targetClusterId')
    .where('targetClusterId', 'in', clusterIds)
    .where('state', 'in', ['INITIALIZING', 'IN_PROGRESS', 'FINALIZING'])
    .execute();
  const targets = [...whole, ...inPart].map((row) => row.targetClusterId);
  return new Set(targets.filter((id) => id !== null));
}

/** The newest of those that have ended, oldest first: what a rebuild brings back. */
export async function endedRestoreJobs(reader: CatalogReader, rowsMax: number): Promise<RestoreJobRow[]> {
  const ended = reader.selectFrom('restoreJobs').where('finishedAtMs', 'is not', null);
  const newest = ended.orderBy('createdAtMs', 'desc').orderBy('id', 'desc').limit(rowsMax);
  return (await newest.selectAll().execute()).toReversed();
}
