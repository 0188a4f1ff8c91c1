import type { ClusterMember } from '../../catalog/clusters.ts';
import type { ClusterType } from '../../catalog/schema.ts';
import type { ProcessSettings } from '../domain.ts';

/** What a live cluster says of itself. */
export interface ProbedCluster {
  topology: ClusterType;
  replicaSetName: string;
  mongodVersion: string;
  featureCompatibilityVersion: string;
  members: ClusterMember[];
  dataBytes: number;
}

/** How the domain looks at a cluster. Rejects with a Fault that says why when it cannot be reached, or is none that can be backed up. */
export interface ClusterProbe {
  describe(uri: string, options: { signal?: AbortSignal | undefined }): Promise<ProbedCluster>;
  processSettings(uri: string, options: { signal?: AbortSignal | undefined }): Promise<ProcessSettings>;
}
