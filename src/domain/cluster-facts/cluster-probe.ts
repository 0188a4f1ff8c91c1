import type { ClusterMember } from '../../catalog/clusters.ts';
import type { ClusterType } from '../../catalog/schema.ts';

/** How the processes of a cluster are set up. Null: the server has no such setting, or may not be asked. */
export interface ProcessSettings {
  defaultReadConcern: string | null;
  defaultWriteConcern: string | null;
  javascriptEnabled: boolean | null;
  noTableScan: boolean | null;
  oplogMinRetentionHours: number | null;
  oplogSizeMB: number | null;
  transactionLifetimeLimitSeconds: number | null;
}

/** What a live cluster says of itself. */
export interface ProbedCluster {
  topology: ClusterType;
  replicaSetName: string;
  /** Of the replica set's configuration, of a sharded cluster of its config servers'. Null where it may not be read. */
  replicaSetId: string | null;
  mongodVersion: string;
  featureCompatibilityVersion: string;
  members: ClusterMember[];
  dataBytes: number;
}

/**
 * How the domain looks at a cluster. Rejects with a Fault that says why when it cannot be reached, or is none that can
 * be backed up.
 */
export interface ClusterProbe {
  describe(uri: string, options: { signal?: AbortSignal | undefined }): Promise<ProbedCluster>;
  /** What the user may not do and a snapshot needs, as tried. */
  missingPrivileges(uri: string, options: { signal?: AbortSignal | undefined }): Promise<string[]>;
  /** Why clusters of the project may not use this identity of the operator's file; null where they may. */
  identityRefusal(identity: string, projectId: string): string | null;
  processSettings(uri: string, options: { signal?: AbortSignal | undefined }): Promise<ProcessSettings>;
}
