import type { DomainPorts } from '../domain/create-domain.ts';
import { type DownloadRequest, prepareDownload, readDownload } from '../engine/archive/download.ts';
import type { JsonLoss } from '../engine/left-out.ts';
import type { ReplayEnd } from '../engine/replay/replay-interval.ts';
import type { Repository } from '../repository/repository.ts';

/** Files from the repository or a copy of it; the oplog of a point in time is only in the repository itself. */
export function createDownloadEngine(
  repository: Repository,
  repositoryOf: (regionName: string | undefined) => Repository,
  jsonLoss: JsonLoss,
): DomainPorts['downloadEngine'] {
  const upTo = (end: ReplayEnd | undefined): DownloadRequest['pointInTime'] =>
    end === undefined ? undefined : { end, slices: repository };
  return {
    prepare: async ({ regionName, point, ...request }) => {
      const pointInTime = upTo(point);
      return await prepareDownload({ ...request, pointInTime, jsonLoss, repository: repositoryOf(regionName) });
    },
    read: ({ regionName, point, ...request }) => {
      const pointInTime = upTo(point);
      return readDownload({ ...request, pointInTime, repository: repositoryOf(regionName) });
    },
  };
}
