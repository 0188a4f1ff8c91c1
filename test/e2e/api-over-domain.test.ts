import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operations } from '../../contract/operations.ts';
import { problemsOf } from '../../contract/validate.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { insertCheckpoint } from '../../src/catalog/checkpoints.ts';
import { insertExportBucket } from '../../src/catalog/export-buckets.ts';
import { insertExportJob } from '../../src/catalog/export-jobs.ts';
import { insertOrganization } from '../../src/catalog/organizations.ts';
import { insertProject } from '../../src/catalog/projects.ts';
import { updateSnapshot } from '../../src/catalog/snapshots.ts';
import { createContext } from '../../src/domain/context.ts';
import { createDomain, type DomainPorts } from '../../src/domain/create-domain.ts';
import { Fault } from '../../src/lib/errors.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { silentLogger } from '../../src/lib/logger.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { SecretBox } from '../../src/lib/secret-box.ts';
import { sampleIds, sampleNowMs } from '../samples/rows.ts';
import { apiFixture } from '../support/api-fixture.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { openMemoryCatalog } from '../support/memory-catalog.ts';

/**
 * The API over the real rules and a real catalog in memory: what the rows hold is what the wire shows. No worker runs,
 * so that states stand still.
 */

const ports = {
  probe: {
    missingPrivileges: async () => [],
    async describe(uri: string) {
      if (uri.includes('away')) throw new Fault({ op: 'connect', subject: 'away', message: 'no server answers' });
      return {
        topology: 'replicaSet',
        replicaSetName: 'rs7',
        mongodVersion: '7.0.14',
        featureCompatibilityVersion: '7.0',
        members: [{ host: 'db:27017', state: 'PRIMARY', hidden: false, priority: 1 }],
        dataBytes: 3 * 1024 ** 3,
      };
    },
  },
  copyStores: { regions: [] },
  repository: { id: sampleIds.unknown, encrypted: false, description: 'none' },
} as unknown as DomainPorts;

async function fixture() {
  const clock = new FakeClock(sampleNowMs);
  const catalog = await openMemoryCatalog(clock);
  const ids = createIdSource(clock, systemRandom);
  const createdAtMs = clock.nowMs();
  await catalog.transact(async (writer) => {
    await insertOrganization(writer, { id: sampleIds.organization, name: 'Acme', createdAtMs });
    await insertProject(writer, {
      id: sampleIds.project,
      organizationId: sampleIds.organization,
      name: 'Shop',
      createdAtMs,
    });
  });
  const secretBox = new SecretBox(systemRandom.bytes(32), systemRandom);
  const context = createContext({ catalog, clock, ids, secretBox, log: silentLogger }, () => {});
  const { call } = await apiFixture({ domain: createDomain(context, ports) });
  const registered = await call('POST', `/api/tidemark/v1/groups/${sampleIds.project}/clusters`, {
    version: null,
    body: { name: 'orders', connectionString: 'mongodb://backup:hunter2@db:27017/?replicaSet=rs7' },
  });
  assert.equal(registered.statusCode, 201, registered.body);
  assert.ok(!registered.body.includes('hunter2'));
  return { call, catalog, ids, clock, clusterId: String(registered.json().id) };
}

const project = `/api/atlas/v2/groups/${sampleIds.project}`;
const cluster = `${project}/clusters/orders`;

async function completeSnapshot(catalog: Catalog, snapshotId: string, nowMs: number): Promise<void> {
  await catalog.transact(async (writer) => {
    await updateSnapshot(writer, snapshotId, {
      status: 'completed',
      createdAtMs: nowMs - 60_000,
      clusterTimeT: Math.floor(nowMs / 1000) - 60,
      clusterTimeI: 1,
      finishedAtMs: nowMs,
      expiresAtMs: nowMs + 24 * 3_600_000,
      mongodVersion: '7.0.14',
      replicaSetName: 'rs7',
      storageSizeBytes: 12_345_678_901,
    });
  });
}

test('a snapshot goes its way through the API: taken once at a time, shown, kept longer, restored, deleted', async () => {
  const { call, catalog, clock } = await fixture();
  const taken = await call('POST', `${cluster}/backup/snapshots`, {
    body: { description: 'first', retentionInDays: 1 },
  });
  assert.equal(taken.statusCode, 200, taken.body);
  const { id } = taken.json();
  const snapshot = `${cluster}/backup/snapshots/${id}`;
  assert.deepEqual(
    [taken.json().status, taken.json().expiresAt, taken.json().storageSizeBytes],
    ['queued', '2026-11-23T10:00:00Z', 0],
  );
  const restore = {
    deliveryType: 'automated',
    snapshotId: id,
    targetGroupId: sampleIds.project,
    targetClusterName: 'orders',
  };
  const codeOf = async (...args: Parameters<typeof call>) => {
    const response = await call(...args);
    return `${response.statusCode} ${response.json().errorCode}`;
  };
  assert.equal(await codeOf('POST', `${cluster}/backup/snapshots`, { body: {} }), '400 UNFINISHED_ON_DEMAND_SNAPSHOT');
  assert.equal(await codeOf('DELETE', snapshot), '400 CANNOT_DELETE_IN_PROGRESS_SNAPSHOT');
  assert.match(await codeOf('POST', `${cluster}/backup/restoreJobs`, { body: restore }), /^409 /);
  const retention = { retentionUnit: 'DAYS', retentionValue: 30 };
  assert.match(await codeOf('PATCH', snapshot, { body: retention }), /^400 CANNOT_MODIFY_IN_PROGRESS/);
  const task = await call('GET', `/api/tidemark/v1/groups/${sampleIds.project}/clusters/orders/snapshots/${id}/task`);
  assert.deepEqual([task.json().kind, task.json().state, task.json().subjectId], ['takeSnapshot', 'queued', id]);

  await completeSnapshot(catalog, id, clock.nowMs());
  const done = (await call('GET', snapshot)).json();
  assert.deepEqual(
    [done.status, done.createdAt, done.mongodVersion, done.replicaSetName, done.storageSizeBytes],
    ['completed', '2026-11-22T09:59:00Z', '7.0.14', 'orders', 12_345_678_901],
  );
  const kept = (await call('PATCH', snapshot, { body: retention })).json();
  assert.equal(kept.expiresAt, '2026-12-22T10:00:00Z');

  const job = await call('POST', `${cluster}/backup/restoreJobs`, { body: restore });
  assert.equal(job.statusCode, 200, job.body);
  assert.deepEqual(
    [job.json().failed, job.json().timestamp, 'finishedAt' in job.json()],
    [false, done.createdAt, false],
  );
  assert.equal(
    await codeOf('POST', `${cluster}/backup/restoreJobs`, { body: restore }),
    '409 ATLAS_CLUSTER_RESTORE_IN_PROGRESS',
  );
  assert.equal((await call('GET', cluster)).json().stateName, 'UPDATING');
  const jobs = await call('GET', `${cluster}/backup/restoreJobs`);
  assert.deepEqual([jobs.json().totalCount, jobs.json().results[0].id], [1, job.json().id]);
  assert.equal(
    await codeOf('DELETE', `${cluster}/backup/restoreJobs/${job.json().id}`),
    '400 CANNOT_CANCEL_AUTOMATED_RESTORE',
  );
  assert.equal(
    await codeOf('POST', `${cluster}/backup/restoreJobs`, { body: { ...restore, snapshotId: 'no-id' } }),
    '404 SNAPSHOT_NOT_FOUND',
  );
  assert.equal(
    await codeOf('POST', `${cluster}/backup/restoreJobs`, { body: { deliveryType: 'automated', snapshotId: id } }),
    '400 MISSING_ATTRIBUTE',
  );
});

test('the rows of exports and checkpoints come out as they went in, newest first', async () => {
  const { call, catalog, ids, clock, clusterId } = await fixture();
  const { id: snapshotId } = (await call('POST', `${cluster}/backup/snapshots`, { body: {} })).json();
  const [bucketId, jobId, partialJobId, checkpointId] = [ids.next(), ids.next(), ids.next(), ids.next()];
  const nowMs = clock.nowMs();
  const job = {
    clusterId,
    snapshotId,
    exportBucketId: bucketId,
    prefix: 'exported_snapshots/a/b/orders/2026-11-22T1000/1795341600',
    customData: '[{"key":"case","value":"17"}]',
    exportedCollections: 0,
    totalCollections: 0,
    finishedAtMs: null,
    errorCode: null,
    errorMessage: null,
    leftOut: null,
  };
  await catalog.transact(async (writer) => {
    await insertExportBucket(writer, {
      id: bucketId,
      projectId: sampleIds.project,
      cloudProvider: 'AWS',
      bucketName: 'exports',
      roleId: ids.next(),
      region: 'eu-west-1',
      serviceUrl: null,
      tenantId: null,
      requirePrivateNetworking: 0,
      createdAtMs: nowMs,
      deletedAtMs: null,
    });
    await insertExportJob(writer, { ...job, id: jobId, state: 'Queued', createdAtMs: nowMs });
    await insertExportJob(writer, { ...job, id: partialJobId, state: 'InProgress', createdAtMs: nowMs + 1000 }, [
      { exportJobId: partialJobId, position: 0, exportId: ids.next(), replicaSetName: 'shard0' },
    ]);
    await insertCheckpoint(
      writer,
      {
        id: checkpointId,
        clusterId,
        startedAtMs: nowMs,
        completedAtMs: nowMs + 2000,
        timestampMs: nowMs + 1000,
        restorable: 1,
      },
      [
        {
          checkpointId,
          position: 0,
          replicaSetName: 'rs7',
          shardName: null,
          typeName: 'REPLICA_SET',
          tokenDiscovered: 1,
          tokenSeconds: Math.floor(nowMs / 1000),
          tokenIncrement: 4,
        },
      ],
    );
  });

  const listed = async (url: string, version: string, operationId: keyof typeof operations) => {
    const response = await call('GET', url, { version });
    assert.equal(response.statusCode, 200, response.body);
    const schema = operations[operationId].versions.findLast(({ date }) => date <= version)?.response;
    assert.ok(schema);
    assert.deepEqual(problemsOf(schema, response.json()), [], response.body);
    return response.json().results;
  };
  const exports = await listed(`${cluster}/backup/exports`, '2025-03-12', 'listGroupClusterBackupExports');
  assert.deepEqual(
    exports.map(({ id, state }: { id: string; state: string }) => [id, state]),
    [
      [partialJobId, 'InProgress'],
      [jobId, 'Queued'],
    ],
  );
  assert.deepEqual(exports[1].customData, [{ key: 'case', value: '17' }]);
  assert.equal(exports[0].components[0].replicaSetName, 'shard0');
  for (const version of ['2023-01-01', '2025-02-19']) {
    const [bucket] = await listed(`${project}/backup/exportBuckets`, version, 'listGroupBackupExportBuckets');
    assert.deepEqual([bucket._id, bucket.bucketName, bucket.region], [bucketId, 'exports', 'eu-west-1']);
  }
  const [checkpoint] = await listed(`${cluster}/backupCheckpoints`, '2025-03-12', 'listGroupClusterBackupCheckpoints');
  assert.deepEqual(checkpoint.parts, [
    {
      replicaSetName: 'rs7',
      tokenDiscovered: true,
      tokenTimestamp: { date: '2026-11-22T10:00:00Z', increment: 4 },
      typeName: 'REPLICA_SET',
    },
  ]);
});

test('clusters are what was found when they were looked at, and refused when there is nothing to look at', async () => {
  const { call } = await fixture();
  const clusters = `/api/tidemark/v1/groups/${sampleIds.project}/clusters`;
  const register = (name: string, connectionString: string) =>
    call('POST', clusters, { version: null, body: { name, connectionString } });
  assert.equal((await register('orders', 'mongodb://db/')).json().errorCode, 'DUPLICATE_CLUSTER_NAME');
  assert.equal((await register('other', 'http://db/')).json().errorCode, 'INVALID_CLUSTER_URI');
  const away = await register('other', 'mongodb://u:hunter2@away/');
  assert.equal(away.json().errorCode, 'CLUSTER_UNREACHABLE');
  assert.ok(!away.body.includes('hunter2'));
  const shown = (await call('GET', cluster, { version: '2024-08-05' })).json();
  assert.deepEqual(
    [shown.mongoDBVersion, shown.mongoDBMajorVersion, shown.featureCompatibilityVersion, shown.stateName],
    ['7.0.14', '7.0', '7.0', 'IDLE'],
  );
  assert.ok(!JSON.stringify(shown).includes('hunter2'));
  // A connection string is changed where that can be done, and never taken in silence.
  for (const body of [
    { connectionString: 'mongodb://elsewhere/' },
    { connectionStrings: { standard: 'mongodb://elsewhere/' } },
  ]) {
    const patched = await call('PATCH', cluster, { version: '2024-08-05', body });
    assert.equal(patched.json().errorCode, 'FEATURE_UNSUPPORTED', JSON.stringify(body));
    assert.match(patched.json().detail, /connectionString/);
  }
  const { connectionStrings } = shown;
  assert.equal((await call('PATCH', cluster, { version: '2024-08-05', body: { connectionStrings } })).statusCode, 200);
  assert.equal((await call('GET', `${project}`)).json().clusterCount, 1);
  assert.equal((await call('DELETE', `${clusters}/orders`)).statusCode, 204);
  const gone = await call('GET', cluster);
  assert.equal(gone.statusCode, 404);
  assert.equal(gone.json().errorCode, 'CLUSTER_NOT_FOUND');
});
