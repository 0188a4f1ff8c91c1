import { type Page, type PageRequest, pageBounds } from '../../catalog/page.ts';
import { findSnapshot } from '../../catalog/snapshots.ts';
import { must } from '../../lib/assert.ts';
import type { DomainContext } from '../context.ts';
import { requireCluster } from '../find-resource.ts';
import { refuse } from '../refusals/refusals.ts';
import type { SnapshotContents, SnapshotQuery } from './snapshot-contents.ts';
import type { Manifests, SnapshotNamespace } from './snapshot-engine.ts';

/** The server's own: no collection restore takes them, so no list offers them. */
const serverDatabases = new Set(['admin', 'config', 'local']);
/**
 * Manifests never change, so what was read once is kept for the next page; a few at a time, since each can name a
 * hundred thousand collections.
 */
const KEPT_MAX = 4;

type Contents = ReadonlyMap<string, readonly string[]>;

export function createSnapshotContents(
  { catalog }: DomainContext,
  manifests: Pick<Manifests, 'namespaces'>,
): SnapshotContents {
  const kept = new Map<string, Contents>();

  async function contentsOf({ snapshotId, ...name }: SnapshotQuery): Promise<Contents> {
    const cluster = await requireCluster(catalog.reader, name);
    const row = await findSnapshot(catalog.reader, snapshotId);
    if (row === undefined || row.clusterId !== cluster.id || row.deletedAtMs !== null)
      throw refuse('SNAPSHOT_NOT_FOUND', [snapshotId, cluster.name, cluster.projectId]);
    if (row.status !== 'completed') throw refuse('CANNOT_LIST_INCOMPLETE_SNAPSHOT', [snapshotId]);
    const known = kept.get(snapshotId);
    if (known !== undefined) return known;
    const namespaces = await manifests.namespaces({ clusterId: cluster.id, snapshotId });
    const contents = byDatabase(must(namespaces, 'a completed snapshot has a manifest'));
    if (kept.size >= KEPT_MAX) kept.delete(must(kept.keys().next().value, 'it is full'));
    kept.set(snapshotId, contents);
    return contents;
  }

  async function collectionsOf({ databaseName, ...snapshot }: SnapshotQuery & { databaseName: string }) {
    const collections = (await contentsOf(snapshot)).get(databaseName);
    if (collections === undefined) throw refuse('RESOURCE_NOT_FOUND', [databaseName]);
    return collections;
  }

  return {
    listDatabases: async ({ page, ...snapshot }) => pageOf([...(await contentsOf(snapshot)).keys()], page),
    requireDatabase: async (query) => void (await collectionsOf(query)),
    listCollections: async ({ page, ...database }) => pageOf(await collectionsOf(database), page),
    requireCollection: async ({ collectionName, ...database }) => {
      if ((await collectionsOf(database)).includes(collectionName)) return;
      throw refuse('RESOURCE_NOT_FOUND', [`${database.databaseName}.${collectionName}`]);
    },
  };
}

/** Collections, views and time series by database, both in order. */
export function byDatabase(namespaces: readonly SnapshotNamespace[]): Contents {
  const users = namespaces.filter(
    ({ db, collection }) => !serverDatabases.has(db) && !collection.startsWith('system.'),
  );
  const grouped = Map.groupBy(users, ({ db }) => db);
  const names = [...grouped.keys()].sort();
  return new Map(names.map((db) => [db, (grouped.get(db) ?? []).map(({ collection }) => collection).sort()]));
}

function pageOf(names: readonly string[], page: PageRequest): Page<string> {
  const { offset, limit } = pageBounds(page);
  const items = names.slice(offset, offset + limit);
  return page.includeCount ? { items, totalCount: names.length } : { items };
}
