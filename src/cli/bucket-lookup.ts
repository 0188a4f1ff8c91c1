import type { Domain } from '../domain/domain.ts';
import type { ExportBucket } from '../domain/exports/export-buckets.ts';
import { everyItem } from './every-item.ts';
import { NothingFound, UsageError } from './usage-error.ts';

export async function everyBucket(domain: Domain, projectId: string): Promise<ExportBucket[]> {
  return await everyItem((page) => domain.exportBuckets.list({ projectId, page }));
}

/** By its id or its name, as long as that is not ambiguous. */
export async function findBucket(domain: Domain, projectId: string, meant: string): Promise<ExportBucket> {
  const buckets = await everyBucket(domain, projectId);
  const found = buckets.filter(({ id, bucketName }) => id === meant || bucketName === meant);
  const [only, another] = found;
  if (only === undefined) {
    const known = buckets.map(({ bucketName }) => bucketName).join(', ');
    throw new NothingFound(
      `There is no export bucket ${meant}. ${known === '' ? '`tidemark bucket add` adds one' : `There are: ${known}`}.`,
    );
  }
  if (another === undefined) return only;
  const ids = found.map(({ id }) => id).join(', ');
  throw new UsageError(`The bucket ${meant} was added several times, so give the id of one: ${ids}.`);
}
