import type { ExportBucketRow } from '../../catalog/schema.ts';
import type { ObjectStore } from '../../storage/object-store.ts';

/** The way into export buckets: made by `compose.ts` of the cloud provider access roles and the server's own configuration, never of what an export request says. */
export interface BucketStores {
  /** The bucket's objects. The store takes any key that an export makes (`objectKeys: 'any'`). A Fault says why it cannot be opened, and what to do. */
  open(bucket: ExportBucketRow, options?: { signal?: AbortSignal }): Promise<ObjectStore>;
}
