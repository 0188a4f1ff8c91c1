import type { CatalogReader } from './catalog.ts';

/**
 * Whether the project has a registered cluster, or a snapshot or copy of one that was: anything that a backup policy
 * protects.
 */
export async function projectHasBackups(reader: CatalogReader, projectId: string): Promise<boolean> {
  const cluster = await reader
    .selectFrom('clusters')
    .select('id')
    .where('projectId', '=', projectId)
    .where((e) =>
      e.or([
        e('deletedAtMs', 'is', null),
        e.exists(
          e
            .selectFrom('snapshots')
            .select('snapshots.id')
            .whereRef('snapshots.clusterId', '=', 'clusters.id')
            .where('snapshots.deletedAtMs', 'is', null)
            .where('snapshots.status', '<>', 'failed'),
        ),
        e.exists(
          e
            .selectFrom('snapshotCopies')
            .select('snapshotCopies.id')
            .whereRef('snapshotCopies.clusterId', '=', 'clusters.id')
            .where('snapshotCopies.deletedAtMs', 'is', null),
        ),
      ]),
    )
    .limit(1)
    .executeTakeFirst();
  return cluster !== undefined;
}
