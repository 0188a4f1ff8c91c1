import { insertExportBucket } from '../../src/catalog/export-buckets.ts';
import type { DomainWorld } from './domain-world.ts';

/** A bucket of the project, as a row: what may be asked of it when it is added is another test's. */
export async function withExportBucket(world: DomainWorld, projectId: string): Promise<string> {
  const id = world.context.ids.next();
  await world.catalog.transact(async (writer) => {
    await insertExportBucket(writer, {
      ...{ id, projectId, cloudProvider: 'AWS', bucketName: 'exports', roleId: 'a'.repeat(24), region: null },
      ...{ serviceUrl: null, tenantId: null, requirePrivateNetworking: 0, createdAtMs: 1, deletedAtMs: null },
    });
  });
  return id;
}
