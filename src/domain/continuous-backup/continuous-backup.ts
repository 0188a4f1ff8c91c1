import { findCapture } from '../../catalog/captures.ts';
import type { Timestamp64 } from '../../lib/timestamp.ts';
import { timestampOf } from '../../lib/timestamp.ts';
import type { DomainContext } from '../context.ts';
import type { ClusterName } from '../domain.ts';
import { requireCluster } from '../find-resource.ts';
import type { CaptureEngine, CaptureGap } from './capture-engine.ts';
import { isCaptured } from './capture-task.ts';
import { type RestorableRange, restorableRanges } from './point-in-time.ts';
import { knownSnapshots } from './prune-slices.ts';

/** How continuous backup of a cluster stands. */
export interface ContinuousBackupStatus {
  enabled: boolean;
  /** Captured up to this entry; null while nothing is. */
  captured: Timestamp64 | null;
  lagSeconds: number | null;
  /** The member that is read. */
  host: string | null;
  /** When the tailer last said so. */
  updatedAtMs: number | null;
  /** Why the last tailer ended; null while one is at work. */
  failure: string | null;
  /** What can be restored, ends included: a query on the repository and the snapshots. */
  ranges: RestorableRange[];
  gaps: CaptureGap[];
  storedBytes: number;
}

export interface ContinuousBackup {
  status(cluster: ClusterName): Promise<ContinuousBackupStatus>;
}

export function createContinuousBackup(
  { catalog }: DomainContext,
  engine: Pick<CaptureEngine, 'coverage'>,
): ContinuousBackup {
  return {
    status: async (name) => {
      const cluster = await requireCluster(catalog.reader, name);
      const capture = await findCapture(catalog.reader, cluster.id);
      const { replicaSetName } = cluster;
      const source = { clusterId: cluster.id, replicaSetName: replicaSetName ?? '' };
      const coverage = replicaSetName === null ? { runs: [], gaps: [], storedBytes: 0 } : await engine.coverage(source);
      const { capturedT: t, capturedI: i } = capture ?? { capturedT: null, capturedI: null };
      return {
        enabled: isCaptured(cluster),
        captured: t === null || i === null ? null : timestampOf({ t, i }),
        lagSeconds: capture?.lagSeconds ?? null,
        host: capture?.host ?? null,
        updatedAtMs: capture?.updatedAtMs ?? null,
        failure: capture?.failure ?? null,
        ranges: restorableRanges(coverage.runs, await knownSnapshots(catalog.reader, cluster.id)),
        gaps: coverage.gaps,
        storedBytes: coverage.storedBytes,
      };
    },
  };
}
