import type { LegacyScheduleRow } from '../../catalog/schema.ts';
import type { ClusterName } from '../names.ts';
import type { RestoreJob } from '../restores/restore-jobs.ts';

/** What only the legacy operations know. Their snapshots and restore jobs are the others. */
export interface Legacy {
  /** The backup schedule in legacy words: as they were set last while it still says so, else the nearest. */
  schedule(cluster: ClusterName): Promise<LegacySchedule>;
  /**
   * Changes the backup schedule; what is left out, or as it was, stays as it is. A checkpoint interval is refused for
   * replica sets, which have no checkpoints; 0 ends it.
   */
  updateSchedule(
    request: ClusterName & { changes: Partial<LegacyScheduleSettings>; clusterCheckpointIntervalMin?: number },
  ): Promise<LegacySchedule>;
  /** Makes a restore job of a snapshot or of a point in time, of a checkpoint, or a download of a snapshot. */
  restore(request: LegacyRestoreRequest): Promise<RestoreJob>;
}

export type LegacyScheduleSettings = Omit<LegacyScheduleRow, 'clusterId' | 'updatedAtMs'>;

export type LegacySchedule = LegacyScheduleSettings & {
  clusterId: string;
  projectId: string;
  clusterName: string;
  /** Null where no checkpoints are made. */
  clusterCheckpointIntervalMin: number | null;
};

export type LegacyRestoreRequest = ClusterName & {
  methodName: string;
  /** Exactly one of these says what to restore. */
  snapshotId?: string;
  checkpointId?: string;
  oplogTs?: string;
  oplogInc?: number;
  pointInTimeUtcMillis?: number;
  targetProjectId?: string;
  targetClusterName?: string;
  targetClusterId?: string;
};
