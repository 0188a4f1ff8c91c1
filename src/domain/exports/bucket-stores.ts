import type { CloudProviderAccessRoleRow, ExportBucketRow } from '../../catalog/schema.ts';
import type { ObjectStore } from '../../storage/object-store.ts';

/**
 * What about a bucket cannot be used, found by trying: the bucket is not there, its role cannot be assumed, it does not
 * let us in, or it was not reached.
 */
export type BucketProblem = 'noBucket' | 'role' | 'refused' | 'unreachable';

export type BucketCheck = { region: string | null } | { problem: BucketProblem; reason: string };

/**
 * The way into export buckets: made by `compose/` of the cloud provider access roles and the server's own
 * configuration, never of what an export request says.
 */
export interface BucketStores {
  /**
   * The bucket's objects. The store takes any key that an export makes (`objectKeys: 'any'`). A Fault says why it
   * cannot be opened, and what to do.
   */
  open(bucket: ExportBucketRow, options?: { signal?: AbortSignal }): Promise<ObjectStore>;
  /**
   * Tries, before the bucket is added, whether an export could be written: puts an object and takes it away again, and
   * reads where the bucket is (AWS; null elsewhere).
   */
  check(
    bucket: ExportBucketRow,
    role: CloudProviderAccessRoleRow,
    options?: { signal?: AbortSignal },
  ): Promise<BucketCheck>;
}
