import { formatTimestamp, type Timestamp64 } from '../../bson/timestamp.ts';
import { findCapture } from '../../catalog/captures.ts';
import type { CheckpointRecord } from '../../catalog/checkpoints.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { must } from '../../lib/assert.ts';
import type { DomainContext } from '../context.ts';
import type { CaptureEngine } from '../continuous-backup/capture-engine.ts';
import {
  capturedReplicaSets,
  decodeCapturedReplicaSets,
  knownSnapshots,
  readCoverages,
  runsFor,
} from '../continuous-backup/captured-replica-sets.ts';
import { baseFor } from '../continuous-backup/point-in-time.ts';
import { replicaSetsOf, timeOf } from './checkpoint-parts.ts';

/** What checkpoints ask of continuous backup. */
export interface CheckpointCapture {
  /** Whether the tailer says that it has come so far; what counts is in the repository. */
  isCapturedUpTo(clusterId: string, replicaSetName: string, at: Timestamp64): Promise<boolean>;
  /**
   * Looks at the repository once; then says of each checkpoint of the cluster, its tokens all seen, why it could not be
   * restored now, or null where it could.
   */
  restorability(cluster: ClusterRow): Promise<(checkpoint: CheckpointRecord) => string | null>;
}

export function captureOf(
  { catalog }: Pick<DomainContext, 'catalog'>,
  engine: Pick<CaptureEngine, 'coverage'>,
): CheckpointCapture {
  return {
    isCapturedUpTo: async (clusterId, replicaSetName, at) => {
      const capture = await findCapture(catalog.reader, clusterId);
      const found = decodeCapturedReplicaSets(capture).find((one) => one.replicaSetName === replicaSetName);
      const captured = found?.captured ?? null;
      return captured !== null && captured >= at;
    },
    restorability: async (cluster) => {
      const known = await knownSnapshots(catalog.reader, cluster.id);
      const sets = await capturedReplicaSets(catalog.reader, cluster, known);
      const runs = runsFor(await readCoverages(engine, cluster.id, sets));
      return (checkpoint) => {
        const at = must(timeOf(checkpoint), 'its tokens are written');
        const base = baseFor({ ts: at, inclusive: true }, runs, known);
        if (base !== null && sameReplicaSets(base.replicaSetNames, replicaSetsOf(checkpoint))) return null;
        if (base !== null) return 'shards were added or removed since the snapshot before it';
        if (!known.some(({ ts }) => ts <= at)) return 'there is no snapshot before it';
        return `the captured oplog does not lead from a snapshot to ${formatTimestamp(at)}`;
      };
    },
  };
}

function sameReplicaSets(names: readonly string[], replicaSets: readonly { replicaSetName: string }[]): boolean {
  const others = new Set(replicaSets.map(({ replicaSetName }) => replicaSetName));
  return names.length === others.size && names.every((name) => others.has(name));
}
