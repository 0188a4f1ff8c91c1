import type { ClusterName, Page, PageRequest } from '../names.ts';

/** What a completed snapshot holds, by name, in order; without the server's own databases and `system.` collections. */
export interface SnapshotContents {
  listDatabases(query: SnapshotQuery & { page: PageRequest }): Promise<Page<string>>;
  /** Refused where the snapshot has no such database. */
  requireDatabase(query: SnapshotQuery & { databaseName: string }): Promise<void>;
  listCollections(query: SnapshotQuery & { databaseName: string; page: PageRequest }): Promise<Page<string>>;
  requireCollection(query: SnapshotQuery & { databaseName: string; collectionName: string }): Promise<void>;
}

/** As clients name a snapshot. */
export type SnapshotQuery = ClusterName & { snapshotId: string };
