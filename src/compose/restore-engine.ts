import type { DomainPorts } from '../domain/create-domain.ts';
import { restoreCollections } from '../engine/collections/restore-collections.ts';
import { restore } from '../engine/restore/restore.ts';
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
  { clock, log, verifiedWithinMs }: Tools & { verifiedWithinMs?: number | undefined },
): DomainPorts['restoreEngine'] {
  return {
    restore: async ({ point, regionName, balancerRecord: holdRecord, ...request }) => {
      const readFrom = repositoryOf(regionName);
      const manifest = await readManifest(readFrom, request, { signal: request.signal });
      const to = point === undefined ? {} : { point: { end: point, slices: repository, elsewhere } };
      const common = { ...request, repository: readFrom, verifyContent: true, verifiedWithinMs, clock, log };
      return await restore({ ...common, ...to, holdRecord }, manifest);
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
      const manifest = await readManifest(readFrom, request, { signal: request.signal });
      const to = point === undefined ? {} : { pointInTime: { end: point, slices: repository, elsewhere } };
      return await restoreCollections({ ...common, ...to }, manifest);
    },
  };
}
