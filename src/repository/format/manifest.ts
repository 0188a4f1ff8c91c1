import type { BlobRef } from './blob-list.ts';

export interface LayerRef {
  kind: 'base' | 'delta';
  /** The snapshot that wrote the layer. */
  takenIn: string;
  documents: number;
  deleted: number;
  /** Plain bytes of the documents. */
  bytes: number;
  /**
   * Bytes of the objects that hold the layer's documents and deletions, lists and shared blobs left out:
   * `storedBytesOf` counts extents too.
   */
  storedBytes: number;
  /**
   * The order of the documents is data (capped collections). Above an ordered base there is at most one delta, of
   * deletions only.
   */
  ordered: boolean;
  documentLists: BlobRef[];
  deletedLists: BlobRef[];
  /** All documents where they are one blob, or one extent of a shared one; there are no lists of them then. */
  documentBlob?: BlobRef;
  /** The same of the deletions. */
  deletedBlob?: BlobRef;
  /** Which ids the single blob may hold, where they are few (`id-filter.ts`). */
  documentFilter?: Buffer;
  deletedFilter?: Buffer;
  /** Else the blobs that have one filter for each blob, in order. Absent in layers of version 1. */
  documentFilters?: BlobRef[];
  deletedFilters?: BlobRef[];
}

export interface CollectionEntry {
  /** Of a sharded snapshot: which of the header's replica sets holds it. Absent in a replica set's. */
  replicaSet?: number;
  db: string;
  name: string;
  type: 'collection' | 'view' | 'timeseries';
  /** 32 hex digits; null for views and time-series views. */
  uuid: string | null;
  /** The raw `listCollections` entry. */
  info: Buffer;
  /** The raw `listIndexes` documents. */
  indexes: Buffer[];
  /**
   * At T, after merging: exact where there is one layer, else reckoned from the oplog's inserts and deletes. For
   * people, never to verify by.
   */
  documents: number;
  bytes: number;
  /** Newest first. */
  layers: LayerRef[];
}

export interface ManifestRetention {
  description: string | null;
  snapshotType: string;
  frequencyType: string;
  /** RFC 3339, or null: kept until it is deleted. */
  expiresAt: string | null;
  policyItems: string[];
}

/** An entry of the oplog: its time and the election term it was written in. */
export interface ManifestOptime {
  t: number;
  i: number;
  term: number;
}

/** One replica set of a sharded snapshot: a shard or the config servers. */
export interface ManifestReplicaSet {
  /** 24 hex digits: how the API names what the snapshot has of it. */
  id: string;
  /** Its `_id` in config.shards; `config` for the config servers. */
  shardName: string;
  configServer: boolean;
  replicaSetName: string;
  replicaSetId: string | null;
  /**
   * The replica set's newest oplog entry at or before T: an incremental snapshot goes on only from that very entry. T
   * itself need not be an entry here.
   */
  position: ManifestOptime;
  mongodVersion: string;
  featureCompatibilityVersion: string;
  collections: number;
  documents: number;
  bytes: number;
}

/** The first line, without `kind` and `version`, which the codec writes and checks. Times are RFC 3339 in UTC. */
export interface ManifestHeader {
  repositoryId: string;
  clusterId: string;
  clusterName: string;
  projectId: string;
  snapshotId: string;
  parentSnapshotId: string | null;
  type: 'replicaSet' | 'sharded';
  /** Of a sharded snapshot: that of the config servers. */
  replicaSetName: string;
  /**
   * Of the replica set's configuration; null where it may not be read. A parent of another replica set is no parent.
   */
  replicaSetId: string | null;
  /**
   * T, and the election term of the oplog entry at T: an incremental snapshot goes on only from that very entry. In a
   * sharded snapshot the highest term, which says nothing.
   */
  clusterTime: ManifestOptime;
  /**
   * Of one replica set of a sharded snapshot (`replicaSetManifest`): see ManifestReplicaSet. Never stored in the header
   * itself.
   */
  position?: ManifestOptime;
  /** Of a sharded snapshot, and of it alone: its replica sets, the config servers last. */
  replicaSets?: ManifestReplicaSet[];
  takenAt: string;
  finishedAt: string;
  mongodVersion: string;
  featureCompatibilityVersion: string;
  collections: number;
  documents: number;
  bytes: number;
  writtenPlainBytes: number;
  writtenStoredBytes: number;
  retention: ManifestRetention;
}

export interface Manifest {
  header: ManifestHeader;
  collections: CollectionEntry[];
  /**
   * The sections that it was read from; absent of one that was not read, or that is of format version 1. Of one replica
   * set of a sharded snapshot: those of the whole.
   */
  sections?: readonly BlobRef[];
}
