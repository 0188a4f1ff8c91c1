import type { DomainPorts } from '../domain/create-domain.ts';
import { restoreShardedSnapshot } from '../engine/restore-sharded-snapshot.ts';
import { restoreSnapshot } from '../engine/restore-snapshot.ts';
import { sliceOplog } from '../engine/slice-oplog.ts';
import { timestampOf } from '../lib/timestamp.ts';
import { readManifest } from '../repository/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import type { SliceReadOptions } from '../repository/slices.ts';
import type { Tools } from './tools.ts';

/** Restores from the repository or a copy of it, and the oplog of a point in time from wherever a slice of it is sound. */
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
      const from = { ts: timestampOf(header.clusterTime), term: BigInt(header.clusterTime.term) };
      const source = await sliceOplog(
        repository,
        { clusterId: header.clusterId, replicaSetName: header.replicaSetName },
        { from, end: point.ts },
        request.signal,
        elsewhere,
      );
      return await restoreSnapshot({ ...common, pointInTime: { end: point, source } });
    },
  };
}
