import type { Timestamp64 } from '../../bson/timestamp.ts';
import { findCapture } from '../../catalog/captures.ts';
import type { CapturedReplicaSet } from '../../engine/tail/tail-cluster.ts';
import type { DomainContext } from '../context.ts';
import { requireCluster } from '../find-resource.ts';
import type { ClusterName } from '../names.ts';
import type { CaptureEngine, CaptureGap } from './capture-engine.ts';
import { isCaptured } from './capture-task.ts';
import {
  capturedReplicaSets,
  capturedUpTo,
  decodeCapturedReplicaSets,
  knownSnapshots,
  readCoverages,
  runsFor,
} from './captured-replica-sets.ts';
import { type RestorableRange, restorableRanges } from './point-in-time.ts';

/** How continuous backup of a cluster stands. */
export interface ContinuousBackupStatus {
  enabled: boolean;
  /** Captured up to this entry, of a sharded cluster on every replica set; null while nothing is. */
  captured: Timestamp64 | null;
  lagSeconds: number | null;
  /** The member that is read; null of a sharded cluster. */
  host: string | null;
  /** When the tailer last said so. */
  updatedAtMs: number | null;
  /** Why the last tailer ended; null while one is at work. */
  failure: string | null;
  /** What can be restored, ends included: a query on the repository and the snapshots. */
  ranges: RestorableRange[];
  /** Each with the shard whose it is; null of a replica set. */
  gaps: (CaptureGap & { shardName: string | null })[];
  storedBytes: number;
  /** Of a sharded cluster: its replica sets, the config servers last. */
  replicaSets: ReplicaSetStatus[];
}

export type ReplicaSetStatus = CapturedReplicaSet & { storedBytes: number };

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
      const replicaSets = decodeCapturedReplicaSets(capture);
      const snapshots = await knownSnapshots(catalog.reader, cluster.id);
      const names = await capturedReplicaSets(catalog.reader, cluster, snapshots);
      const coverages = await readCoverages(engine, cluster.id, names);
      return {
        enabled: isCaptured(cluster),
        captured: capture === undefined ? null : capturedUpTo(capture),
        lagSeconds: capture?.lagSeconds ?? null,
        host: capture?.host ?? null,
        updatedAtMs: capture?.updatedAtMs ?? null,
        failure: capture?.failure ?? null,
        ranges: restorableRanges(runsFor(coverages), snapshots),
        gaps: [...coverages].flatMap(([name, { gaps }]) => gapsOf(gaps, replicaSets, name)),
        storedBytes: [...coverages.values()].reduce((sum, one) => sum + one.storedBytes, 0),
        replicaSets: replicaSets.map((one) => {
          return { ...one, storedBytes: coverages.get(one.replicaSetName)?.storedBytes ?? 0 };
        }),
      };
    },
  };
}

/** A replica set that is none of the cluster's any more is called by its own name. */
function gapsOf(
  gaps: readonly CaptureGap[],
  replicaSets: readonly CapturedReplicaSet[],
  replicaSetName: string,
): ContinuousBackupStatus['gaps'] {
  const found = replicaSets.find((one) => one.replicaSetName === replicaSetName);
  const shardName = replicaSets.length === 0 ? null : (found?.shardName ?? replicaSetName);
  return gaps.map((gap) => ({ ...gap, shardName }));
}
