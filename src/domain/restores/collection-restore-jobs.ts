import type { CollectionRestoreJobRow, RestoredCollectionRow } from '../../catalog/schema.ts';
import type { ClusterName, Page, PageRequest } from '../names.ts';

export interface CollectionRestoreJobs {
  list(query: ClusterName & { page: PageRequest }): Promise<Page<CollectionRestoreJob>>;
  get(query: CollectionRestoreJobName): Promise<CollectionRestoreJob>;
  create(request: CollectionRestoreRequest): Promise<CollectionRestoreJob>;
  /** Empty until it is known which collections there are. */
  listCollections(
    query: CollectionRestoreJobName & {
      state?: RestoredCollectionRow['state'];
      source?: string;
      target?: string;
      page: PageRequest;
    },
  ): Promise<Page<RestoredCollection>>;
  getCollection(query: CollectionRestoreJobName & { source: string }): Promise<RestoredCollection>;
}

export type CollectionRestoreJobName = ClusterName & { jobId: string };

export type CollectionRestoreJob = Omit<CollectionRestoreJobRow, 'databases' | 'collections'> & {
  projectId: string;
  clusterName: string;
  /** Null once it is forgotten. */
  taskId: string | null;
  databases: RestoredNamespace[];
  collections: RestoredNamespace[];
  totalDocuments: number;
  restoredDocuments: number;
  /** Null before it is known which collections there are. */
  indexState: RestoredCollectionRow['indexState'] | null;
  indexFailures: number;
};

/** What a client may know of a collection on its way. */
export type RestoredCollection = Omit<RestoredCollectionRow, 'jobId' | 'position' | 'stagedName' | 'stagedUuid'>;

export type CollectionRestoreRequest = ClusterName & {
  snapshotId?: string;
  pointInTimeUtcSeconds?: number;
  oplogTs?: number;
  oplogInc?: number;
  databases: RestoredNamespace[];
  collections: RestoredNamespace[];
  databaseSuffix?: string;
  collectionSuffix?: string;
  writeStrategy: CollectionRestoreJobRow['writeStrategy'];
  indexStrategy: CollectionRestoreJobRow['indexStrategy'];
  targetProjectId: string;
  targetClusterName: string;
};

/** `target` where it is to come back under another name. */
export interface RestoredNamespace {
  source: string;
  target?: string;
}
