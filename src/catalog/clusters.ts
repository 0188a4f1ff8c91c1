import type { Insertable, Updateable } from 'kysely';
import type { CatalogReader, CatalogWriter } from './catalog.ts';
import { type Page, type PageRequest, readPage } from './page.ts';
import type { ClusterRow, ClusterTable } from './schema.ts';

/** As last seen in the replica set's configuration. */
export interface ClusterMember {
  /** Of a sharded cluster: the shard's name, or `config`. */
  shardName?: string;
  host: string;
  state: string;
  hidden: boolean;
  priority: number;
}

export function decodeMembers(members: string): ClusterMember[] {
  return JSON.parse(members) as ClusterMember[];
}

/** The context under which a cluster's connection string is sealed: it opens in this row only. */
export function uriContext(clusterId: string): string {
  return `clusters/${clusterId}/uri`;
}

export async function insertCluster(writer: CatalogWriter, cluster: Insertable<ClusterTable>): Promise<void> {
  await writer.insertInto('clusters').values(cluster).execute();
}

export async function updateCluster(
  writer: CatalogWriter,
  id: string,
  changes: Omit<Updateable<ClusterTable>, 'id'>,
): Promise<void> {
  await writer.updateTable('clusters').set(changes).where('id', '=', id).execute();
}

export async function findCluster(reader: CatalogReader, id: string): Promise<ClusterRow | undefined> {
  return await reader.selectFrom('clusters').selectAll().where('id', '=', id).executeTakeFirst();
}

/**
 * The cluster that has the name; where none has, the one that had it last. So what was backed up is still found by its
 * name.
 */
export async function findClusterByName(
  reader: CatalogReader,
  projectId: string,
  name: string,
): Promise<ClusterRow | undefined> {
  const rows = await reader
    .selectFrom('clusters')
    .selectAll()
    .where('projectId', '=', projectId)
    .where('name', '=', name)
    .orderBy('registeredAtMs', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.find((row) => row.deletedAtMs === null) ?? rows[0];
}

/** Those not deleted, oldest first. */
export async function listClusters(
  reader: CatalogReader,
  query: { projectId: string; page: PageRequest },
): Promise<Page<ClusterRow>> {
  const filtered = reader
    .selectFrom('clusters')
    .where('projectId', '=', query.projectId)
    .where('deletedAtMs', 'is', null);
  return await readPage(query.page, filtered, (rows) => rows.selectAll().orderBy('createdAtMs').orderBy('id'));
}

export async function allClusters(reader: CatalogReader): Promise<ClusterRow[]> {
  return await reader.selectFrom('clusters').selectAll().orderBy('id').execute();
}
