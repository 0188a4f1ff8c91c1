import type { Timestamp64 } from '../../bson/timestamp.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { SnapshotName } from '../names.ts';

/** The captured oplog of a replica set in a region. */
export interface OplogCopyName {
  clusterId: string;
  replicaSetName: string;
  regionName: string;
}

/**
 * Second places for snapshots and captured oplogs, each under the name of a region. Made by `compose/` of the service's
 * `--copy-store` options.
 */
export interface CopyStores {
  readonly regions: readonly string[];
  /** Resolves when the snapshot is whole there. A Fault where the region has no store any more. */
  copy(
    request: SnapshotName & { regionName: string; signal: AbortSignal; report: ReportProgress },
  ): Promise<{ storedBytes: number }>;
  /** Resolves when everything that is captured of the replica set is there, but what ends at or before `keepFrom`. */
  copyOplog(
    request: OplogCopyName & { keepFrom: Timestamp64 | null; signal: AbortSignal; report: ReportProgress },
  ): Promise<{ storedBytes: number }>;
  /** Deletes there what ends at or before `upTo`, or all of it. */
  deleteOplog(request: OplogCopyName & { upTo: Timestamp64 | null; signal: AbortSignal }): Promise<void>;
  /** Deletes it there, and what no other copy needs. Succeeds where it is not. */
  delete(request: SnapshotName & { regionName: string; signal: AbortSignal }): Promise<void>;
}
