import type { snapshotOperations } from '../../../contract/snapshots.ts';
import type { HandlersOf, OwnQuery } from '../call.ts';
import { invalid } from '../http-refusals.ts';
import { clusterOf, mapped } from '../listing.ts';
import { asShardedClusterSnapshot, replicaSetSnapshot } from '../wire/snapshot.ts';

export const snapshotHandlers: HandlersOf<typeof snapshotOperations> = {
  async listGroupClusterBackupSnapshots({ params, query, page, domain, ...said }) {
    const closestBefore = pointOf(query);
    const found = await domain.snapshots.list({
      ...clusterOf(params),
      page,
      ...(closestBefore === undefined ? {} : { closestBefore }),
    });
    return mapped(found, (snapshot) => replicaSetSnapshot(snapshot, said));
  },

  async takeGroupClusterBackupSnapshots({ params, body, domain, ...said }) {
    const { description, retentionInDays } = body;
    const snapshot = await domain.snapshots.take({
      ...clusterOf(params),
      ...(description === undefined ? {} : { description }),
      ...(retentionInDays === undefined ? {} : { retentionInDays }),
    });
    return replicaSetSnapshot(snapshot, said);
  },

  async getGroupClusterBackupSnapshot({ params, domain, ...said }) {
    const snapshot = await domain.snapshots.get({ ...clusterOf(params), snapshotId: params.snapshotId });
    return replicaSetSnapshot(snapshot, said);
  },

  async updateGroupClusterBackupSnapshot({ params, body, domain, ...said }) {
    const snapshot = await domain.snapshots.updateRetention({
      ...clusterOf(params),
      snapshotId: params.snapshotId,
      retentionUnit: body.retentionUnit,
      retentionValue: body.retentionValue,
    });
    return replicaSetSnapshot(snapshot, said);
  },

  async deleteGroupClusterBackupSnapshot({ params, domain }) {
    await domain.snapshots.delete({ ...clusterOf(params), snapshotId: params.snapshotId });
    return undefined;
  },

  async deleteGroupClusterBackupSnapshotShardedCluster({ params, domain }) {
    await domain.snapshots.delete({ ...clusterOf(params), snapshotId: params.snapshotId });
    return undefined;
  },

  async getGroupClusterBackupSnapshotShardedCluster({ params, domain, ...said }) {
    const snapshot = await domain.snapshots.get({ ...clusterOf(params), snapshotId: params.snapshotId });
    return asShardedClusterSnapshot(snapshot, said);
  },

  /** All of them: the operation knows no pages. A replica set's are not among them. */
  async listGroupClusterBackupSnapshotShardedClusters({ params, domain, ...said }) {
    const found = await domain.snapshots.listSharded(clusterOf(params));
    return { items: found.map((snapshot) => asShardedClusterSnapshot(snapshot, said)), totalCount: found.length };
  },
};

type Point = { seconds: number; increment?: number };

/**
 * The point that the list's filter names: a time of day, or a position in the oplog. Not both, and an increment only
 * with its seconds.
 */
function pointOf(query: OwnQuery<(typeof snapshotOperations)['listGroupClusterBackupSnapshots']>): Point | undefined {
  const { pointInTimeUtcSeconds, oplogTs, oplogInc } = query;
  if (pointInTimeUtcSeconds !== undefined && oplogTs !== undefined) {
    throw invalid([{ field: 'oplogTs', description: 'excludes pointInTimeUtcSeconds' }]);
  }
  if ((oplogTs === undefined) !== (oplogInc === undefined)) {
    throw invalid([{ field: 'oplogInc', description: 'goes together with oplogTs' }]);
  }
  if (oplogTs !== undefined && oplogInc !== undefined) return { seconds: oplogTs, increment: oplogInc };
  return pointInTimeUtcSeconds === undefined ? undefined : { seconds: pointInTimeUtcSeconds };
}
