import type { CatalogReader } from '../../catalog/catalog.ts';
import { findCheckpoint } from '../../catalog/checkpoints.ts';
import type { ClusterRow } from '../../catalog/schema.ts';
import { must } from '../../lib/assert.ts';
import { refuse } from '../refusals/refusals.ts';
import type { RestoreRequest } from '../restores/restore-jobs.ts';

/** A checkpoint as what it is: every replica set at one cluster time, that of the newest token, its entry included. */
export async function pointOfCheckpoint(
  reader: CatalogReader,
  cluster: ClusterRow,
  checkpointId: string,
): Promise<Pick<RestoreRequest, 'deliveryType' | 'oplogTs' | 'oplogInc'>> {
  if (cluster.type !== 'sharded') throw refuse('CHECKPOINT_RESTORE_UNSUPPORTED_FOR_REPLICA_SETS', [cluster.name]);
  const found = await findCheckpoint(reader, checkpointId);
  if (found === undefined || found.clusterId !== cluster.id)
    throw refuse('CHECKPOINT_NOT_FOUND', [checkpointId, cluster.name, cluster.projectId]);
  if (found.restorable === 0) {
    const why = found.reason ?? 'its tokens are not all seen in the captured oplog yet';
    throw refuse('RESTORE_INITIATION_FAILED', [`checkpoint ${checkpointId} is not restorable: ${why}`]);
  }
  return {
    deliveryType: 'pointInTime',
    oplogTs: must(found.clusterTimeT, 'a restorable checkpoint has its time'),
    oplogInc: must(found.clusterTimeI, 'a restorable checkpoint has its time'),
  };
}
