import type { ReportProgress } from '../../lib/progress.ts';
import type { SnapshotName } from '../snapshots/snapshot-engine.ts';

/** Second places for snapshots, each under the name of a region. Made by `compose/` of the service's `--copy-store` options. */
export interface CopyStores {
  readonly regions: readonly string[];
  /** Resolves when the snapshot is whole there. A Fault where the region has no store any more. */
  copy(
    request: SnapshotName & { regionName: string; signal: AbortSignal; report: ReportProgress },
  ): Promise<{ storedBytes: number }>;
  /** Deletes it there, and what no other copy needs. Succeeds where it is not. */
  delete(request: SnapshotName & { regionName: string; signal: AbortSignal }): Promise<void>;
}
