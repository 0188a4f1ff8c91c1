import type { DomainPorts } from '../domain/create-domain.ts';
import { restoreShardedSnapshot } from '../engine/restore-sharded-snapshot.ts';
import { restoreSnapshot } from '../engine/restore-snapshot.ts';
import { type Elsewhere, oplogAfter } from '../engine/slice-oplog.ts';
import { Fault } from '../lib/errors.ts';
import { readManifest } from '../repository/manifests.ts';
import type { Repository } from '../repository/repository.ts';
import type { Tools } from './tools.ts';

/** Restores from the repository or a copy of it, and the oplog of a point in time from wherever a slice of it is sound. */
export function createRestoreEngine(
  repository: Repository,
  repositoryOf: (regionName: string | undefined) => Repository,
  elsewhere: Elsewhere,
  { clock, log }: Tools,
): DomainPorts['restoreEngine'] {
  return {
    restore: async ({ point, regionName, balancerRecord, ...request }) => {
      const readFrom = repositoryOf(regionName);
      const common = { ...request, repository: readFrom, verifyContent: true, clock, log };
      const manifest = await readManifest(readFrom, request, { signal: request.signal });
      const { header } = manifest;
      if (header.type === 'sharded' && point !== undefined) {
        const message = 'a sharded cluster cannot be restored to a point in time yet';
        throw new Fault({ op: 'restore', subject: request.snapshotId, message });
      }
      if (header.type === 'sharded')
        return await restoreShardedSnapshot({ ...common, holdRecord: balancerRecord }, manifest);
      if (point === undefined) return await restoreSnapshot(common);
      const source = await oplogAfter(repository, header, point.ts, request.signal, elsewhere);
      return await restoreSnapshot({ ...common, pointInTime: { end: point, source } });
    },
  };
}
