import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleIds } from '../../../test/samples/rows.ts';
import { apiFixture } from '../../../test/support/api-fixture.ts';

const project = `/api/atlas/v2/groups/${sampleIds.project}`;

async function results(url: string, version?: string): Promise<Record<string, unknown>[]> {
  const { call } = await apiFixture();
  return (await call('GET', url, version === undefined ? {} : { version })).json().results;
}

test('buckets have the shape of their provider, and are named by _id', async () => {
  const [aws, unlocated, azure, gcp] = await results(`${project}/backup/exportBuckets`, '2024-05-30');
  const names = (bucket: object | undefined) => Object.keys(bucket ?? {}).sort();
  const common = ['_id', 'bucketName', 'cloudProvider'];
  assert.deepEqual(names(aws), [...common, 'iamRoleId', 'region', 'requirePrivateNetworking']);
  assert.deepEqual(names(unlocated), [...common, 'iamRoleId', 'requirePrivateNetworking']);
  assert.deepEqual(names(azure), [...common, 'roleId', 'serviceUrl', 'tenantId']);
  assert.deepEqual(names(gcp), [...common, 'roleId']);
  assert.deepEqual([aws?.requirePrivateNetworking, unlocated?.requirePrivateNetworking], [false, true]);
});

test('export jobs count from zero, and say why only when they failed', async () => {
  const [done, queued, failed] = await results(`${project}/clusters/orders-1/backup/exports`);
  assert.deepEqual(queued?.exportStatus, { exportedCollections: 0, totalCollections: 0 });
  assert.deepEqual(queued?.customData, []);
  assert.ok(queued && !('finishedAt' in queued) && !('components' in queued) && !('stateReason' in queued));
  assert.ok(done && 'finishedAt' in done && !('stateReason' in done));
  assert.deepEqual(failed?.stateReason, { errorCode: 'UNEXPECTED_ERROR', message: 'the bucket is gone' });
  assert.deepEqual(failed?.components, [{ exportId: '000000000000000000090004', replicaSetName: 'shard0' }]);
});

test('a checkpoint in the making has no end, and a config server no replica set name', async () => {
  const [done, started] = await results(`${project}/clusters/orders-1/backupCheckpoints`);
  assert.deepEqual(
    [done?.started, done?.timestamp, done?.completed, done?.restorable],
    ['2026-11-22T09:59:40Z', '2026-11-22T09:59:45Z', '2026-11-22T09:59:50Z', true],
  );
  assert.deepEqual([done?.parts].flat()[1], { tokenDiscovered: false, typeName: 'CONFIG_SERVER' });
  assert.ok(started && !('completed' in started) && !('timestamp' in started));
});
