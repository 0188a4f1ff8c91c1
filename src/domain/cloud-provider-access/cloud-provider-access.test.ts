import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import { insertExportBucket } from '../../catalog/export-buckets.ts';
import { Refusal } from '../refusals/refusals.ts';

const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const azure = {
  appId: 'a0000000-0000-4000-8000-000000000000',
  tenantId: 'b0000000-0000-4000-8000-000000000000',
  servicePrincipalId: 'c0000000-0000-4000-8000-000000000000',
};

test('each provider has its own steps, and what this service is not there is refused', async () => {
  await inWorld({}, async (world) => {
    const { projectId } = await world.withCluster();
    const { create, authorize, list, get } = world.domain.cloudProviderAccess;
    const aws = await create({ projectId, cloudProvider: 'AWS' });
    assert.match(aws.externalId ?? '', /^[0-9a-f-]{36}$/);
    assert.deepEqual([aws.authorizedAtMs, aws.identity], [null, 'arn:aws:iam::123456789012:user/tidemark']);
    const assumedRoleArn = 'arn:aws:iam::999999999999:role/exports/tidemark';
    const named = { projectId, roleId: aws.id, cloudProvider: 'AWS' } as const;
    await assert.rejects(
      authorize({ ...named, assumedRoleArn: 'arn:aws:s3:::bucket-of-mine' }),
      refused('VALIDATION_ERROR'),
    );
    await assert.rejects(
      authorize({ ...named, cloudProvider: 'AZURE', azure }),
      refused('CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND'),
    );
    await authorize({ ...named, assumedRoleArn });
    const seen = await get({ projectId, roleId: aws.id });
    assert.deepEqual([seen.assumedRoleArn, seen.authorizedAtMs], [assumedRoleArn, world.clock.nowMs()]);
    await assert.rejects(create({ projectId, cloudProvider: 'GCP' }), refused('PROVIDER_UNSUPPORTED'));
    await assert.rejects(create({ projectId, cloudProvider: 'AZURE' }), refused('MISSING_ATTRIBUTE'));
    const principal = await create({ projectId, cloudProvider: 'AZURE', azure });
    assert.equal(principal.azureTenantId, azure.tenantId);
    assert.deepEqual(
      (await list(projectId)).map(({ cloudProvider }) => cloudProvider),
      ['AWS', 'AZURE'],
    );
  });
});

test('a role shows which buckets are used under it and stays while there are any', async () => {
  await inWorld({}, async (world) => {
    const { projectId } = await world.withCluster();
    const { create, get, remove } = world.domain.cloudProviderAccess;
    const { id: roleId } = await create({ projectId, cloudProvider: 'AWS' });
    const bucket = {
      id: 'f'.repeat(24),
      projectId,
      cloudProvider: 'AWS',
      bucketName: 'exports',
      roleId,
      region: null,
      serviceUrl: null,
      tenantId: null,
      requirePrivateNetworking: 0,
      createdAtMs: 1,
      deletedAtMs: null,
    } as const;
    await world.catalog.transact(async (writer) => await insertExportBucket(writer, bucket));
    assert.deepEqual((await get({ projectId, roleId })).exportBucketIds, [bucket.id]);
    const named = { projectId, roleId, cloudProvider: 'AWS' } as const;
    await assert.rejects(remove(named), refused('CLOUD_PROVIDER_ACCESS_ROLE_IN_USE'));
    await world.catalog.transact(
      async (writer) => await writer.updateTable('exportBuckets').set({ deletedAtMs: 2 }).execute(),
    );
    await remove(named);
    await assert.rejects(get({ projectId, roleId }), refused('CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND'));
  });
});
