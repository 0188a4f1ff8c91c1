import type { Catalog } from '../catalog/catalog.ts';
import { findAccessRole } from '../catalog/export-buckets.ts';
import type { CloudProviderAccessRoleRow, ExportBucketRow } from '../catalog/schema.ts';
import type { DomainPorts } from '../domain/create-domain.ts';
import { describeError, Fault } from '../lib/errors.ts';
import { checkBucket } from '../storage/check-bucket.ts';
import { type BucketFacts, openBucketStore, type StoreAccess } from '../storage/open-store.ts';
import { StoreFault, type StoreProblem } from '../storage/store-fault.ts';

/** Somebody waits for the answer. */
const CHECK_POLICY = { attemptsMax: 3, idleMs: 10_000, backoffMaxMs: 1_000 };

export function createBucketStores(catalog: Catalog, access: StoreAccess): DomainPorts['bucketStores'] {
  return {
    open: async (bucket) => {
      const role = await findAccessRole(catalog.reader, bucket.roleId);
      if (role !== undefined && role.deletedAtMs === null) return await openBucketStore(factsOf(bucket, role), access);
      const message = `the bucket ${bucket.bucketName} cannot be opened: its cloud provider access role ${bucket.roleId} is gone`;
      throw new Fault({ op: 'open export bucket', subject: bucket.bucketName, message });
    },
    check: async (bucket, role, options) => {
      try {
        const store = await openBucketStore(factsOf(bucket, role), access, CHECK_POLICY);
        return { region: await checkBucket(store, options) };
      } catch (error) {
        if (!(error instanceof StoreFault)) throw error;
        return { problem: bucketProblems[error.problem], reason: describeError(error) };
      }
    },
  };
}

const bucketProblems: Record<StoreProblem, 'noBucket' | 'role' | 'refused' | 'unreachable'> = {
  noBucket: 'noBucket',
  role: 'role',
  denied: 'refused',
  credentials: 'refused',
  clock: 'refused',
  region: 'refused',
  full: 'refused',
  refused: 'refused',
  busy: 'unreachable',
  unreachable: 'unreachable',
};

function factsOf(bucket: ExportBucketRow, role: CloudProviderAccessRoleRow): BucketFacts {
  const { cloudProvider: provider, bucketName, serviceUrl } = bucket;
  return { provider, bucketName, serviceUrl, role };
}
