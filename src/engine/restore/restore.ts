import { redactUri } from '../../mongo/connection/connect.ts';
import { asFault } from '../../mongo/errors.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import { oplogAfter } from '../replay/slice-oplog.ts';
import type { HoldRecord } from '../sharding/balancer-hold.ts';
import { restoreShardedSnapshot } from './restore-sharded-snapshot.ts';
import { type RestoredSnapshot, type RestoreSnapshotOptions, restoreSnapshot } from './restore-snapshot.ts';
import type { PointOfCluster } from './sharded-point-in-time.ts';

export interface RestoreOptions extends Omit<RestoreSnapshotOptions, 'pointInTime'> {
  /** To go on from the snapshot to a later point, by the oplog that was captured. Left out: the snapshot's own time. */
  point?: PointOfCluster;
  /** Where the target is a sharded cluster it is written down here that its balancer is stopped, before it is. */
  holdRecord: HoldRecord;
}

/**
 * Makes the target hold what the manifest's cluster held, whether that is one replica set or several: the one way into
 * a restore, for the service and for the command line. The manifest is the one of the snapshot that the options name,
 * and is not read again.
 */
export async function restore(options: RestoreOptions, manifest: Manifest): Promise<RestoredSnapshot> {
  try {
    return await restoreOfKind(options, manifest);
  } catch (error) {
    throw asFault(error, 'restore', redactUri(options.uri));
  }
}

async function restoreOfKind(
  { point, holdRecord, ...options }: RestoreOptions,
  manifest: Manifest,
): Promise<RestoredSnapshot> {
  const { header } = manifest;
  if (header.type === 'sharded') {
    const pointInTime = point === undefined ? {} : { pointInTime: point };
    return await restoreShardedSnapshot({ ...options, ...pointInTime, holdRecord }, manifest);
  }
  if (point === undefined) return await restoreSnapshot(options, manifest);
  const { end, slices, elsewhere } = point;
  const source = await oplogAfter(slices, header, end.ts, options.signal, elsewhere);
  return await restoreSnapshot({ ...options, pointInTime: { end, source } }, manifest);
}
