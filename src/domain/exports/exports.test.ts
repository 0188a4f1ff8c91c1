import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DomainWorld, inWorld } from '../../../test/support/domain-world.ts';
import { insertExportJob } from '../../catalog/export-jobs.ts';
import type { CloudProvider } from '../../catalog/schema.ts';
import type { ClusterName } from '../names.ts';
import { Refusal } from '../refusals/refusals.ts';
import { bucketAddress } from './bucket-address.ts';
import type { ExportBucketRequest } from './export-buckets.ts';

const page = { pageNum: 1, itemsPerPage: 100, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
const nobody = '0'.repeat(24);

async function withRole(world: DomainWorld, projectId: string, cloudProvider: CloudProvider, authorized = true) {
  const id = world.context.ids.next();
  await world.catalog.transact(async (writer) => {
    await writer
      .insertInto('cloudProviderAccessRoles')
      .values({
        id,
        projectId,
        cloudProvider,
        externalId: null,
        assumedRoleArn: authorized ? 'arn:aws:iam::123456789012:role/exports' : null,
        azureAppId: null,
        azureTenantId: cloudProvider === 'AZURE' ? 'd1b8a7c6-0000-4000-8000-000000000000' : null,
        azureServicePrincipalId: null,
        createdAtMs: 1,
        updatedAtMs: 1,
        authorizedAtMs: authorized ? 1 : null,
        deletedAtMs: null,
      })
      .execute();
  });
  return id;
}

test('a bucket is named by the rules of its provider, an Azure one by its address too', () => {
  const base = { projectId: nobody, iamRoleId: nobody, roleId: nobody };
  const azure = { ...base, cloudProvider: 'AZURE' as const };
  const accountUrl = 'https://backups.blob.core.windows.net';
  assert.equal(bucketAddress({ ...azure, serviceUrl: `${accountUrl}/exports` }).bucketName, 'exports');
  assert.equal(bucketAddress({ ...azure, serviceUrl: accountUrl, bucketName: 'exports' }).bucketName, 'exports');
  const wrong: [ExportBucketRequest, string][] = [
    [{ ...base, cloudProvider: 'AWS' }, 'MISSING_ATTRIBUTE'],
    [{ projectId: nobody, cloudProvider: 'GCP', bucketName: 'exports' }, 'MISSING_ATTRIBUTE'],
    [{ ...azure, serviceUrl: accountUrl }, 'MISSING_ATTRIBUTE'],
    [{ ...azure, bucketName: 'exports' }, 'MISSING_ATTRIBUTE'],
    [{ ...base, cloudProvider: 'AWS', bucketName: 'Exports' }, 'EXPORT_BUCKET_NAME_INVALID'],
    [{ ...base, cloudProvider: 'AWS', bucketName: 'a..b' }, 'EXPORT_BUCKET_NAME_INVALID'],
    [{ ...base, cloudProvider: 'AWS', bucketName: 'under_score' }, 'EXPORT_BUCKET_NAME_INVALID'],
    [{ ...azure, serviceUrl: `${accountUrl}/a--b` }, 'EXPORT_BUCKET_NAME_INVALID'],
    [{ ...azure, serviceUrl: 'https://backups.example.org/exports' }, 'VALIDATION_ERROR'],
    [{ ...azure, serviceUrl: `${accountUrl}/exports/deeper` }, 'VALIDATION_ERROR'],
    [{ ...azure, serviceUrl: `${accountUrl}/exports`, bucketName: 'other' }, 'VALIDATION_ERROR'],
  ];
  for (const [request, code] of wrong)
    assert.throws(() => bucketAddress(request), refused(code), JSON.stringify(request));
  assert.equal(bucketAddress({ ...base, cloudProvider: 'GCP', bucketName: 'under_score' }).bucketName, 'under_score');
});

test('a bucket is added under a role of its project and provider, as often as one likes', async () => {
  await inWorld({}, async (world) => {
    const { projectId } = await world.withCluster();
    const other = await world.withCluster('other');
    const { exportBuckets } = world.domain;
    const aws = await withRole(world, projectId, 'AWS');
    const azure = await withRole(world, projectId, 'AZURE');
    const unauthorized = await withRole(world, projectId, 'AWS', false);
    const request = { projectId, cloudProvider: 'AWS' as const, bucketName: 'exports', iamRoleId: aws };
    const [first, second] = [await exportBuckets.create(request), await exportBuckets.create(request)];
    assert.notEqual(first.id, second.id);
    assert.deepEqual([first.region, first.requirePrivateNetworking, first.roleId], ['eu-west-1', false, aws]);
    const serviceUrl = 'https://backups.blob.core.windows.net/exports';
    const blob = await exportBuckets.create({ projectId, cloudProvider: 'AZURE', roleId: azure, serviceUrl });
    assert.deepEqual([blob.bucketName, blob.tenantId], ['exports', 'd1b8a7c6-0000-4000-8000-000000000000']);
    const refusals: [ExportBucketRequest, string][] = [
      [{ ...request, iamRoleId: nobody }, 'CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND'],
      [{ ...request, iamRoleId: azure }, 'CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND'],
      [{ ...request, projectId: other.projectId }, 'CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND'],
      [{ ...request, iamRoleId: unauthorized }, 'CANNOT_ASSUME_ROLE'],
      [{ ...request, projectId: nobody }, 'GROUP_NOT_FOUND'],
    ];
    for (const [wrong, code] of refusals) await assert.rejects(exportBuckets.create(wrong), refused(code), code);
    assert.equal((await exportBuckets.list({ projectId, page })).totalCount, 3);
    const name = { projectId, exportBucketId: blob.id };
    assert.equal((await exportBuckets.get(name)).id, blob.id);
    await assert.rejects(exportBuckets.get({ ...name, cloudProvider: 'AWS' }), refused('EXPORT_BUCKET_NOT_FOUND'));
    await assert.rejects(
      exportBuckets.get({ ...name, projectId: other.projectId }),
      refused('EXPORT_BUCKET_NOT_FOUND'),
    );
  });
});

test('private networking is changed for AWS alone, and a deleted bucket is gone', async () => {
  await inWorld({}, async (world) => {
    const { projectId } = await world.withCluster();
    const { exportBuckets } = world.domain;
    const roleId = await withRole(world, projectId, 'GCP');
    const iamRoleId = await withRole(world, projectId, 'AWS');
    const gcp = await exportBuckets.create({ projectId, cloudProvider: 'GCP', bucketName: 'exports', roleId });
    const aws = await exportBuckets.create({ projectId, cloudProvider: 'AWS', bucketName: 'exports', iamRoleId });
    const change = (exportBucketId: string) =>
      exportBuckets.updatePrivateNetworking({ projectId, exportBucketId, requirePrivateNetworking: true });
    assert.equal((await change(aws.id)).requirePrivateNetworking, true);
    assert.equal((await exportBuckets.get({ projectId, exportBucketId: aws.id })).requirePrivateNetworking, true);
    await assert.rejects(change(gcp.id), refused('VALIDATION_ERROR'));
    await exportBuckets.delete({ projectId, exportBucketId: gcp.id });
    for (const again of [exportBuckets.get, exportBuckets.delete]) {
      await assert.rejects(again({ projectId, exportBucketId: gcp.id }), refused('EXPORT_BUCKET_NOT_FOUND'));
    }
    assert.deepEqual(
      (await exportBuckets.list({ projectId, page })).items.map((bucket) => bucket.id),
      [aws.id],
    );
  });
});

async function exportableWorld(world: DomainWorld): Promise<{ cluster: ClusterName; request: ExportRequest }> {
  const cluster = await world.withCluster();
  world.startWorker();
  const snapshotId = await world.takeWhole(cluster);
  const { projectId } = cluster;
  const iamRoleId = await withRole(world, projectId, 'AWS');
  const bucket = await world.domain.exportBuckets.create({
    projectId,
    cloudProvider: 'AWS',
    bucketName: 'exports',
    iamRoleId,
  });
  return { cluster, request: { ...cluster, snapshotId, exportBucketId: bucket.id, customData: [] } };
}

type ExportRequest = Parameters<DomainWorld['domain']['exportJobs']['create']>[0];

test('a request to export is checked in every respect before anything is made of it', async () => {
  await inWorld({}, async (world) => {
    const { cluster, request } = await exportableWorld(world);
    const { exportJobs, snapshots } = world.domain;
    const running = await snapshots.take(cluster);
    const refusals: [ExportRequest, string][] = [
      [{ ...request, clusterName: 'none' }, 'CLUSTER_NOT_FOUND'],
      [{ ...request, snapshotId: nobody }, 'SNAPSHOT_NOT_FOUND'],
      [{ ...request, exportBucketId: nobody }, 'EXPORT_BUCKET_NOT_FOUND'],
      [{ ...request, snapshotId: running.id }, 'CANNOT_EXPORT_INCOMPLETE_SNAPSHOT'],
    ];
    for (const [wrong, code] of refusals) await assert.rejects(exportJobs.create(wrong), refused(code), code);
    assert.equal((await exportJobs.list({ ...cluster, page })).totalCount, 0);
  });
});

test('while a snapshot is being exported it is exported once, and its bucket stays', async () => {
  await inWorld({}, async (world) => {
    const { cluster, request } = await exportableWorld(world);
    const { exportJobs, exportBuckets, clusters } = world.domain;
    const { id: clusterId } = await clusters.get(cluster);
    const id = world.context.ids.next();
    const { snapshotId, exportBucketId } = request;
    await world.catalog.transact(async (writer) => {
      await insertExportJob(writer, {
        ...{ id, clusterId, snapshotId, exportBucketId, state: 'InProgress', prefix: 'p', customData: '[]' },
        ...{ exportedCollections: 0, totalCollections: 3, createdAtMs: 1, finishedAtMs: null },
        ...{ errorCode: null, errorMessage: null, leftOut: null },
      });
    });
    await assert.rejects(exportJobs.create(request), refused('SNAPSHOT_EXPORT_IN_PROGRESS'));
    const bucket = { projectId: cluster.projectId, exportBucketId };
    await assert.rejects(exportBuckets.delete(bucket), refused('EXPORT_BUCKET_DELETE_FAILED_BUCKET_IN_USE'));
    assert.equal((await exportJobs.get({ ...cluster, exportJobId: id })).state, 'InProgress');
    await assert.rejects(exportJobs.get({ ...cluster, exportJobId: nobody }), refused('EXPORT_JOB_NOT_FOUND'));
    await world.catalog.transact(async (writer) => {
      await writer.updateTable('exportJobs').set({ state: 'Successful', finishedAtMs: 2 }).execute();
      await writer.updateTable('schedules').set({ exportBucketId, exportFrequencyType: 'monthly' }).execute();
    });
    await assert.rejects(exportBuckets.delete(bucket), refused('EXPORT_BUCKET_DELETE_FAILED_BUCKET_IN_USE'));
    const shown = await world.domain.schedules.delete(cluster);
    assert.equal(shown.autoExportEnabled, false);
    await exportBuckets.delete(bucket);
  });
});

test('a bucket that cannot be used is refused by what is wrong with it, and is not added', async () => {
  await inWorld({}, async (world) => {
    const { projectId } = await world.withCluster();
    const iamRoleId = await withRole(world, projectId, 'AWS');
    const problems = {
      noBucket: 'EXPORT_BUCKET_NAME_INVALID',
      role: 'CANNOT_ASSUME_ROLE',
      refused: 'EXPORT_BUCKET_VALIDATION_FAILED',
      unreachable: 'EXPORT_BUCKET_CONNECTION_FAILED',
    } as const;
    const { exportBuckets } = world.domain;
    const request = { projectId, cloudProvider: 'AWS', bucketName: 'exports', iamRoleId } as const;
    for (const [problem, code] of Object.entries(problems)) {
      world.checkBucket = () => ({ problem: problem as keyof typeof problems, reason: 'the store says so' });
      await assert.rejects(exportBuckets.create(request), (error) => {
        assert.ok(error instanceof Refusal && error.code === code, String(error));
        return error.message.includes('the store says so');
      });
    }
    assert.equal((await exportBuckets.list({ projectId, page })).totalCount, 0);
    // The role goes while the bucket is being tried.
    world.checkBucket = () => ({ region: 'eu-west-1' });
    const check = world.ports.bucketStores.check;
    world.ports.bucketStores.check = async (...given) => {
      await world.domain.cloudProviderAccess.remove({ projectId, roleId: iamRoleId, cloudProvider: 'AWS' });
      return await check(...given);
    };
    await assert.rejects(exportBuckets.create(request), refused('CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND'));
    assert.equal((await exportBuckets.list({ projectId, page })).totalCount, 0);
  });
});
