import type { ClusterName, Page, PageRequest } from '../names.ts';

export interface Checkpoint {
  id: string;
  projectId: string;
  clusterId: string;
  startedAtMs: number;
  completedAtMs: number | null;
  timestampMs: number | null;
  restorable: boolean;
  /** Why not, where that is known. Atlas has no place for it. */
  reason: string | null;
  parts: {
    replicaSetName: string | null;
    shardName: string | null;
    typeName: 'REPLICA_SET' | 'CONFIG_SERVER' | 'CONFIG_SERVER_REPLICA_SET';
    tokenDiscovered: boolean;
    tokenTimestamp: { seconds: number; increment: number } | null;
  }[];
}

export interface Checkpoints {
  /** Newest first. A replica set has none. */
  list(query: ClusterName & { page: PageRequest }): Promise<Page<Checkpoint>>;
  get(query: ClusterName & { checkpointId: string }): Promise<Checkpoint>;
}
