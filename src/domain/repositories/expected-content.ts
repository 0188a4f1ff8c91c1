import type { Timestamp64 } from '../../bson/timestamp.ts';
import { findCapture } from '../../catalog/captures.ts';
import type { CatalogReader } from '../../catalog/catalog.ts';
import { allClusters } from '../../catalog/clusters.ts';
import { allSnapshotCopies } from '../../catalog/snapshot-copies.ts';
import { snapshotsOfCluster } from '../../catalog/snapshots.ts';
import type { SnapshotPlace } from '../../repository/object-keys.ts';
import { isCaptured } from '../continuous-backup/capture-task.ts';
import { capturedUpTo, decodeCapturedReplicaSets } from '../continuous-backup/captured-replica-sets.ts';

/** What should be in a repository, by what somebody wrote down apart from it. */
export interface ExpectedContent {
  /** `the catalog`, or `the catalog copy of <time>`. */
  toldBy: string;
  snapshots: readonly SnapshotPlace[];
  copies: readonly (SnapshotPlace & { regionName: string })[];
  /** How far the oplog of each replica set is captured. */
  captured: readonly { clusterId: string; clusterName: string; replicaSetName: string; upTo: Timestamp64 }[];
}

/** By the catalog: completed and not deleted, copied and not deleted, captured. */
export async function expectedByCatalog(reader: CatalogReader): Promise<ExpectedContent> {
  const snapshots: SnapshotPlace[] = [];
  const captured: ExpectedContent['captured'][number][] = [];
  const clusterOf = new Map<string, string>();
  for (const cluster of await allClusters(reader)) {
    for (const row of await snapshotsOfCluster(reader, cluster.id)) {
      clusterOf.set(row.id, cluster.id);
      if (row.status === 'completed' && row.deletedAtMs === null)
        snapshots.push({ clusterId: cluster.id, snapshotId: row.id });
    }
    if (!isCaptured(cluster)) continue;
    const capture = await findCapture(reader, cluster.id);
    if (capture === undefined) continue;
    const whole = { replicaSetName: capture.replicaSetName, captured: capturedUpTo(capture) };
    const replicaSets = decodeCapturedReplicaSets(capture);
    for (const { replicaSetName, captured: upTo } of replicaSets.length > 0 ? replicaSets : [whole]) {
      if (replicaSetName === null || upTo === null) continue;
      captured.push({ clusterId: cluster.id, clusterName: cluster.name, replicaSetName, upTo });
    }
  }
  const copies = (await allSnapshotCopies(reader)).flatMap(
    ({ snapshotId, regionName, finishedAtMs, failureReason, deletedAtMs }) => {
      const clusterId = clusterOf.get(snapshotId);
      const isDone = finishedAtMs !== null && failureReason === null;
      const isThere = clusterId !== undefined && isDone && deletedAtMs === null;
      return isThere ? [{ clusterId, snapshotId, regionName }] : [];
    },
  );
  return { toldBy: 'the catalog', snapshots, copies, captured };
}

/** By a catalog copy, for when there is no catalog. Copies of before November 2026 do not list snapshots. */
export function expectedByCopy(copy: unknown): ExpectedContent {
  const { copiedAt, completedSnapshots } = (copy ?? {}) as {
    copiedAt?: string;
    completedSnapshots?: readonly SnapshotPlace[];
  };
  const toldBy = `the catalog copy of ${copiedAt ?? 'an unknown time'}`;
  return { toldBy, snapshots: completedSnapshots ?? [], copies: [], captured: [] };
}
