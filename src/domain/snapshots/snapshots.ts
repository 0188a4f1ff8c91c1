import type { SnapshotRow } from '../../catalog/schema.ts';
import type { SnapshotReplicaSet } from '../../catalog/snapshots.ts';
import type { ClusterName, Page, PageRequest } from '../names.ts';
import type { RetentionUnit } from '../policies/retention.ts';

export type { SnapshotReplicaSet } from '../../catalog/snapshots.ts';

/** `policyItems` decoded; `createdAtMs` and what describes the data is null until `status` is completed. */
export type Snapshot = Omit<
  SnapshotRow,
  | 'members'
  | 'policyItems'
  | 'retentionChanged'
  | 'retentionUpdatedAtMs'
  | 'copiesOnlySinceMs'
  | 'doNotDelete'
  | 'deletedAtMs'
> & {
  /** Neither expires nor can be deleted. Only the legacy operations set and show it. */
  doNotDelete: boolean;
  /** Where completed copies of it are. */
  copyRegions: string[];
  /** The replica sets of a completed sharded snapshot; none for a replica set's. */
  replicaSets: SnapshotReplicaSet[];
  policyItems: string[];
  projectId: string;
  clusterName: string;
  /** The task at work or last at work on it; null for a snapshot found by a rebuild. */
  taskId: string | null;
};

export interface Snapshots {
  /**
   * Newest first; with `completed` only those that are, or are not. With `closestBefore` (seconds; increment, the last
   * of that second where left out) only the newest completed one at or before that point.
   */
  list(
    query: ClusterName & {
      page: PageRequest;
      completed?: boolean;
      closestBefore?: { seconds: number; increment?: number };
    },
  ): Promise<Page<Snapshot>>;
  /** All that were taken of the cluster as a sharded one, newest first. */
  listSharded(query: ClusterName): Promise<Snapshot[]>;
  get(query: ClusterName & { snapshotId: string }): Promise<Snapshot>;
  /** `retentionInDays` at least 1, 7 when left out. */
  take(request: ClusterName & { description?: string; retentionInDays?: number }): Promise<Snapshot>;
  updateRetention(
    request: ClusterName & { snapshotId: string; retentionUnit: RetentionUnit; retentionValue: number },
  ): Promise<Snapshot>;
  /** As the legacy API has it: an end by date, or none at all. Not both; what is left out stays. */
  updateExpiry(
    request: ClusterName & { snapshotId: string; doNotDelete?: boolean; expiresAtMs?: number },
  ): Promise<Snapshot>;
  delete(request: ClusterName & { snapshotId: string }): Promise<void>;
}
