import { timestampOf } from '../bson/timestamp.ts';
import type { Point } from '../domain/continuous-backup/point-in-time.ts';
import type { DomainPorts } from '../domain/create-domain.ts';
import { restoreCollections } from '../engine/collections/restore-collections.ts';
import type { OplogSource } from '../engine/replay/replay-interval.ts';
import { sliceOplog } from '../engine/replay/slice-oplog.ts';
import { restoreShardedSnapshot } from '../engine/restore/restore-sharded-snapshot.ts';
import { restoreSnapshot } from '../engine/restore/restore-snapshot.ts';
import type { ManifestHeader } from '../repository/format/manifest.ts';
import { readManifest } from '../repository/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import type { SliceReadOptions } from '../repository/slices.ts';
import type { Tools } from './tools.ts';

/**
 * Restores from the repository or a copy of it, and the oplog of a point in time from wherever a slice of it is sound.
 */
export function createRestoreEngine(
  repository: Repository,
  repositoryOf: (regionName: string | undefined) => Repository,
  elsewhere: Pick<SliceReadOptions, 'copies' | 'onTrouble'>,
  { clock, log }: Tools,
): DomainPorts['restoreEngine'] {
  return {
    restore: async ({ point, regionName, balancerRecord, ...request }) => {
      const readFrom = repositoryOf(regionName);
      const common = { ...request, repository: readFrom, verifyContent: true, clock, log };
      const manifest = await readManifest(readFrom, request, { signal: request.signal });
      const { header } = manifest;
      if (header.type === 'sharded') {
        const pointInTime = point === undefined ? {} : { pointInTime: { end: point, slices: repository, elsewhere } };
        return await restoreShardedSnapshot({ ...common, ...pointInTime, holdRecord: balancerRecord }, manifest);
      }
      if (point === undefined) return await restoreSnapshot(common);
      const source = await oplogTo(repository, header, point, request.signal, elsewhere);
      return await restoreSnapshot({ ...common, pointInTime: { end: point, source } });
    },
  };
}

/** As above, of chosen collections. */
export function createCollectionRestoreEngine(
  repository: Repository,
  repositoryOf: (regionName: string | undefined) => Repository,
  elsewhere: Pick<SliceReadOptions, 'copies' | 'onTrouble'>,
  { clock, log }: Tools,
): DomainPorts['collectionRestoreEngine'] {
  return {
    restore: async ({ point, regionName, ...request }) => {
      const readFrom = repositoryOf(regionName);
      const common = { ...request, repository: readFrom, clock, log };
      if (point === undefined) return await restoreCollections(common);
      const { header } = await readManifest(readFrom, request, { signal: request.signal });
      const source = await oplogTo(repository, header, point, request.signal, elsewhere);
      return await restoreCollections({ ...common, pointInTime: { end: point, source } });
    },
  };
}

/** The captured oplog from the snapshot to the point. */
async function oplogTo(
  repository: Repository,
  { clusterId, replicaSetName, clusterTime }: ManifestHeader,
  point: Point,
  signal: AbortSignal,
  elsewhere: Pick<SliceReadOptions, 'copies' | 'onTrouble'>,
): Promise<OplogSource> {
  const from = { ts: timestampOf(clusterTime), term: BigInt(clusterTime.term) };
  return await sliceOplog(repository, { clusterId, replicaSetName }, { from, end: point.ts }, signal, elsewhere);
}
