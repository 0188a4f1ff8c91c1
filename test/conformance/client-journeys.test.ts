import assert from 'node:assert/strict';
import { test } from 'node:test';
import { timestampOf } from '../../src/bson/timestamp.ts';
import { sampleIds } from '../samples/rows.ts';
import { type ApiWorld, inApiWorld } from '../support/api-world.ts';

const nothing = { named: [], count: 0 };

/**
 * What clients send for one command or resource, call by call and in their versions: the Atlas CLI and Terraform's
 * provider for snapshots, restores and exports. What they branch on - codes, statuses, fields - is what is looked at.
 */

const cluster = '/clusters/shop';
const flex = '/flexClusters/shop';
const snapshots = `${cluster}/backup/snapshots`;
const restoreJobs = `${cluster}/backup/restoreJobs`;
const buckets = '/backup/exportBuckets';

/** The CLI asks the flex API first, and goes on to the other on three codes alone. */
async function flexThen({ call }: ApiWorld, path: string) {
  const probe = await call('GET', `${flex}${path}`, '2024-11-13');
  const goesOn = ['CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API', 'FEATURE_UNSUPPORTED', 'CLUSTER_NOT_FOUND'];
  assert.ok(goesOn.includes(probe.json().errorCode), probe.body);
  assert.equal(probe.headers['content-type'], 'application/json');
  const response = await call('GET', `${cluster}${path}`, '2023-01-01');
  assert.equal(response.statusCode, 200, response.body);
  return response.json();
}

async function completedSnapshot({ call, world }: ApiWorld): Promise<string> {
  const { id } = (await call('POST', snapshots, '2023-01-01', { retentionInDays: 1 })).json();
  await world.run();
  world.completeTake(world.takes.length - 1);
  await world.run();
  return id;
}

test('atlas backups snapshots create, watch, list, describe, delete', async () => {
  await inApiWorld(async (it) => {
    const { call, world } = it;
    assert.deepEqual((await flexThen(it, '/backup/snapshots')).results, []);
    const created = await call('POST', snapshots, '2023-01-01', { description: 'before', retentionInDays: 1 });
    assert.equal(created.statusCode, 200);
    const { id, status } = created.json();
    assert.equal(status, 'queued');
    assert.notEqual((await flexThen(it, `/backup/snapshots/${id}`)).status, 'completed');
    await world.run();
    world.completeTake(0);
    await world.run();
    const watched = await flexThen(it, `/backup/snapshots/${id}`);
    assert.deepEqual([watched.status, watched.description, watched.frequencyType], ['completed', 'before', 'ondemand']);
    const listed = await flexThen(it, '/backup/snapshots');
    assert.deepEqual([listed.totalCount, listed.results[0].id], [1, id]);
    const deleted = await call('DELETE', `${snapshots}/${id}`, '2023-01-01');
    assert.deepEqual([deleted.statusCode, deleted.body], [204, '']);
    const gone = await call('GET', `${snapshots}/${id}`, '2023-01-01');
    assert.deepEqual([gone.statusCode, gone.json().errorCode], [404, 'SNAPSHOT_NOT_FOUND']);
  });
});

test('atlas backups restores start automated, watch, list, describe', async () => {
  await inApiWorld(async (it) => {
    const { call, world } = it;
    const snapshotId = await completedSnapshot(it);
    assert.equal((await call('GET', cluster, '2024-08-05')).statusCode, 200);
    const started = await call('POST', restoreJobs, '2023-01-01', {
      deliveryType: 'automated',
      snapshotId,
      targetClusterName: 'shop',
      targetGroupId: sampleIds.project,
    });
    assert.equal(started.statusCode, 200, started.body);
    const { id } = started.json();
    const ended = (job: { expired: boolean; cancelled: boolean; failed: boolean; finishedAt?: string }) =>
      job.expired || job.cancelled || job.failed || job.finishedAt !== undefined;
    assert.equal(ended(await flexThen(it, `/backup/restoreJobs/${id}`)), false);
    await world.run();
    world.restore(0).succeed({ documents: 1, bytes: 1, leftOut: nothing });
    await world.run();
    const job = await flexThen(it, `/backup/restoreJobs/${id}`);
    assert.ok(job.finishedAt !== undefined && !job.failed);
    assert.equal((await flexThen(it, '/backup/restoreJobs')).totalCount, 1);
  });
});

const file = {
  replicaSetName: 'rs0',
  isShard: false,
  bytes: 5,
  sha1: '1'.repeat(40),
  leftOut: [],
  sha256: '2'.repeat(64),
  writer: 'w',
};

test('atlas backups restores start download, watch until there is a URL, curl it, and what goes wrong', async () => {
  await inApiWorld(async (it) => {
    const { call, world, api } = it;
    const snapshotId = await completedSnapshot(it);
    assert.equal((await call('GET', cluster, '2024-08-05')).statusCode, 200);
    const started = await call('POST', restoreJobs, '2023-01-01', { deliveryType: 'download', snapshotId });
    assert.equal(started.statusCode, 200, started.body);
    const { id, deliveryUrl, targetClusterName } = started.json();
    assert.deepEqual([deliveryUrl, targetClusterName], [[], undefined]);
    const watch = () => flexThen(it, `/backup/restoreJobs/${id}`);
    await world.run();
    assert.deepEqual([(await watch()).deliveryUrl, (await watch()).expiresAt], [[], undefined]);
    world.preparation(0).succeed([file]);
    world.readFile = async function* () {
      yield Buffer.from('bytes');
    };
    await world.run();
    const ready = await watch();
    assert.deepEqual(
      [ready.deliveryUrl.length, ready.finishedAt, ready.failed, ready.expired],
      [1, undefined, false, false],
    );
    assert.ok(Date.parse(ready.expiresAt) - world.clock.nowMs() <= 3_600_000);
    const url = new URL(ready.deliveryUrl[0]);
    assert.match(url.pathname, /^\/downloads\//);
    const second = await call('POST', restoreJobs, '2023-01-01', { deliveryType: 'download', snapshotId });
    assert.deepEqual([second.statusCode, second.json().errorCode], [400, 'CANNOT_DOWNLOAD_SNAPSHOT_CONCURRENTLY']);
    const curl = () => api.server.inject({ method: 'GET', url: url.pathname });
    assert.equal((await curl()).body, 'bytes');
    await world.run();
    const used = await watch();
    assert.ok(used.finishedAt !== undefined && used.deliveryUrl.length === 0);
    const gone = await curl();
    assert.deepEqual([gone.statusCode, gone.json().errorCode], [410, 'DOWNLOAD_GONE']);
    const missing = await call('POST', restoreJobs, '2023-01-01', { deliveryType: 'download' });
    assert.deepEqual([missing.statusCode, missing.json().errorCode], [400, 'MISSING_ATTRIBUTE']);
  });
});

test('a download of a sharded snapshot has one URL a shard; DELETE ends a link, and one that nobody uses expires', async () => {
  await inApiWorld(async (it) => {
    const { call, world, api } = it;
    const snapshotId = await completedSnapshot(it);
    const begin = async () => {
      const body = { deliveryType: 'download', snapshotId };
      const { id } = (await call('POST', restoreJobs, '2023-01-01', body)).json();
      await world.run();
      const shards = ['shard0', 'shard 1'].map((replicaSetName) => ({ ...file, replicaSetName, isShard: true }));
      world.preparation(world.preparations.length - 1).succeed(shards);
      await world.run();
      return `${restoreJobs}/${id}`;
    };
    const job = await begin();
    const ready = (await call('GET', job, '2023-01-01')).json();
    assert.deepEqual(ready.deliveryUrl, []);
    assert.deepEqual(
      ready.components.map((part: { replicaSetName: string }) => part.replicaSetName),
      ['shard0', 'shard 1'],
    );
    assert.match(ready.components[1].downloadUrl, /restore-[a-f0-9]+-shard_1\.archive\.gz$/);
    assert.equal((await call('DELETE', job, '2023-01-01')).statusCode, 204);
    assert.equal((await call('GET', job, '2023-01-01')).json().cancelled, true);
    const { pathname } = new URL(ready.components[0].downloadUrl);
    assert.equal((await api.server.inject({ method: 'GET', url: pathname })).statusCode, 410);
    const another = await begin();
    await world.clock.leap(3_700_000);
    const late = (await call('GET', another, '2023-01-01')).json();
    assert.deepEqual([late.expired, late.components[0].downloadUrl], [true, undefined]);
  });
});

test('atlas backups restores start pointInTime, watch until it has finished', async () => {
  await inApiWorld(async (it) => {
    const { call, world } = it;
    await completedSnapshot(it);
    const [snapshot] = (await call('GET', `${snapshots}`, '2023-01-01')).json().results;
    const taken = Math.floor(Date.parse(snapshot.createdAt) / 1000);
    const at = (t: number) => timestampOf({ t, i: 0 });
    world.coverage = { runs: [{ first: at(taken - 100), last: at(taken + 100) }], gaps: [], storedBytes: 1 };
    await world.clock.leap(60_000);
    assert.equal((await call('GET', cluster, '2024-08-05')).statusCode, 200);
    const target = { targetClusterName: 'shop', targetGroupId: sampleIds.project };
    const started = await call('POST', restoreJobs, '2023-01-01', {
      deliveryType: 'pointInTime',
      pointInTimeUTCSeconds: taken + 5,
      ...target,
    });
    assert.equal(started.statusCode, 200, started.body);
    const { id, pointInTimeUTCSeconds, snapshotId } = started.json();
    assert.deepEqual([pointInTimeUTCSeconds, snapshotId], [taken + 5, snapshot.id]);
    const second = { deliveryType: 'pointInTime', oplogTs: taken + 5, oplogInc: 1, ...target };
    assert.equal(
      (await call('POST', restoreJobs, '2023-01-01', second)).json().errorCode,
      'ATLAS_CLUSTER_RESTORE_IN_PROGRESS',
    );
    await world.run();
    world.restore(0).succeed({ documents: 1, bytes: 1, leftOut: nothing });
    await world.run();
    assert.ok((await flexThen(it, `/backup/restoreJobs/${id}`)).finishedAt !== undefined);
    const byEntry = await call('POST', restoreJobs, '2023-01-01', second);
    assert.equal(byEntry.statusCode, 200, byEntry.body);
    assert.deepEqual([byEntry.json().oplogTs, byEntry.json().oplogInc], [taken + 5, 1]);
  });
});

test('atlas auth login: organizations and projects to choose from, also when it asks for page 0', async () => {
  await inApiWorld(async ({ api }) => {
    const token = api.organizationToken;
    const get = async (url: string) => {
      const response = await api.call('GET', `/api/atlas/v2${url}`, { version: '2023-01-01', token });
      assert.equal(response.statusCode, 200, response.body);
      return response.json();
    };
    const orgs = await get('/orgs?includeCount=true&itemsPerPage=50&name=&pageNum=1');
    assert.deepEqual([orgs.totalCount, orgs.results[0].id], [1, sampleIds.organization]);
    const groups = await get(
      `/orgs/${sampleIds.organization}/groups?includeCount=true&itemsPerPage=50&name=&pageNum=0`,
    );
    assert.deepEqual([groups.totalCount, groups.results[0].name], [1, 'Shop']);
    assert.equal((await get('/groups?includeCount=true&itemsPerPage=50&pageNum=0')).totalCount, 1);
    assert.equal((await get(`/groups/${sampleIds.project}`)).orgId, sampleIds.organization);
    assert.equal((await get(`/orgs/${sampleIds.organization}`)).name, 'Acme');
  });
});

test('atlas api --watch: a snapshot until it has ended and until it is gone, a cluster by PATCH without a body', async () => {
  await inApiWorld(async (it) => {
    const { call, api } = it;
    const id = await completedSnapshot(it);
    const watched = (await call('GET', `${snapshots}/${id}`, '2023-01-01')).json();
    assert.ok(['completed', 'failed'].includes(watched.status), 'case counts here');
    assert.equal((await call('DELETE', `${snapshots}/${id}`, '2023-01-01')).statusCode, 204);
    assert.equal((await call('GET', `${snapshots}/${id}`, '2023-01-01')).statusCode, 404);
    const url = `/api/atlas/v2/groups/${sampleIds.project}${cluster}`;
    const polled = await api.call('PATCH', url, {
      version: '2024-10-23',
      headers: { 'content-type': 'application/vnd.atlas.2024-10-23+json' },
    });
    assert.deepEqual([polled.statusCode, polled.json().stateName], [200, 'IDLE']);
  });
});

/** A role as `cloud_provider_access_setup` and `_authorization` make it. */
async function authorizedRole({ call }: ApiWorld): Promise<string> {
  const access = '/cloudProviderAccess';
  const setUp = await call('POST', access, '2023-01-01', { providerName: 'AWS' });
  assert.equal(setUp.statusCode, 200, setUp.body);
  const { roleId } = setUp.json();
  const authorized = await call('PATCH', `${access}/${roleId}`, '2023-01-01', {
    providerName: 'AWS',
    iamAssumedRoleArn: 'arn:aws:iam::123456789012:role/tidemark-exports',
  });
  assert.equal(authorized.statusCode, 200, authorized.body);
  return roleId;
}

test('atlas backups exports buckets create, list, describe, delete; exports jobs create, list', async () => {
  await inApiWorld(async (it) => {
    const { call, world } = it;
    const request = { bucketName: 'exports', cloudProvider: 'AWS', iamRoleId: await authorizedRole(it) };
    const created = await call('POST', buckets, '2024-05-30', request);
    assert.equal(created.statusCode, 200, created.body);
    const { _id, ...bucket } = created.json();
    assert.deepEqual(bucket, { ...request, requirePrivateNetworking: false });
    assert.equal((await call('GET', buckets, '2024-05-30')).json().results[0]._id, _id);
    assert.equal((await call('GET', `${buckets}/${_id}`, '2024-05-30')).json()._id, _id);
    const snapshotId = await completedSnapshot(it);
    const exports = `${cluster}/backup/exports`;
    const body = { snapshotId, exportBucketId: _id, customData: [{ key: 'why', value: 'audit' }] };
    const queued = await call('POST', exports, '2023-01-01', body);
    assert.equal(queued.statusCode, 200, queued.body);
    const { id, state, exportStatus, prefix, customData } = queued.json();
    assert.deepEqual([state, exportStatus], ['Queued', { exportedCollections: 0, totalCollections: 0 }]);
    assert.deepEqual(customData, body.customData);
    assert.ok(prefix.startsWith('exported_snapshots/'));
    assert.equal((await call('DELETE', `${buckets}/${_id}`, '2023-01-01')).statusCode, 400, 'the bucket is in use');
    await world.run();
    assert.equal((await call('GET', `${exports}/${id}`, '2023-01-01')).json().state, 'InProgress');
    world.exports[0]?.succeed({ collections: 2 });
    await world.run();
    const [done] = (await call('GET', exports, '2023-01-01')).json().results;
    assert.deepEqual([done.id, done.state, done.exportStatus.totalCollections], [id, 'Successful', 2]);
    assert.ok(done.finishedAt !== undefined && done.stateReason === undefined && done.components === undefined);
    assert.equal((await call('DELETE', `${buckets}/${_id}`, '2023-01-01')).statusCode, 204);
    assert.equal((await call('GET', `${buckets}/${_id}`, '2024-05-30')).statusCode, 404);
  });
});

test('Terraform cloud_backup_snapshot: create, read, plural data source, delete, read again', async () => {
  await inApiWorld(async (it) => {
    const { call, world } = it;
    assert.equal((await call('GET', cluster, '2024-08-05')).json().stateName, 'IDLE');
    const { id } = (await call('POST', snapshots, '2023-01-01', { description: 'tf', retentionInDays: 5 })).json();
    const read = async () => (await call('GET', `${snapshots}/${id}`, '2023-01-01')).json();
    assert.ok(['queued', 'inProgress'].includes((await read()).status));
    await world.run();
    world.completeTake(0);
    await world.run();
    assert.equal((await read()).status, 'completed');
    const sharded = await call('GET', `${snapshots}/shardedCluster/${id}`, '2023-01-01');
    assert.equal(sharded.statusCode, 200);
    assert.deepEqual([sharded.json().members, sharded.json().snapshotIds], [[], []]);
    const plural = await call('GET', `${snapshots}?includeCount=true&itemsPerPage=100&pageNum=1`, '2023-01-01');
    assert.equal(plural.json().totalCount, 1);
    assert.equal((await call('GET', `${snapshots}/shardedClusters`, '2023-01-01')).statusCode, 200);
    assert.equal((await call('DELETE', `${snapshots}/${id}`, '2023-01-01')).statusCode, 204);
    for (const path of [`${snapshots}/${id}`, `${snapshots}/shardedCluster/${id}`]) {
      assert.equal((await call('GET', path, '2023-01-01')).statusCode, 404, path);
    }
  });
});

test('Terraform cloud_backup_snapshot_restore_job: create, read, plural; a wrong snapshot is told by its code', async () => {
  await inApiWorld(async (it) => {
    const { call } = it;
    const body = { deliveryType: 'automated', targetClusterName: 'shop', targetGroupId: sampleIds.project };
    const wrong = await call('POST', restoreJobs, '2023-01-01', { ...body, snapshotId: sampleIds.unknown });
    assert.equal(wrong.json().errorCode, 'SNAPSHOT_NOT_FOUND');
    const snapshotId = await completedSnapshot(it);
    const created = await call('POST', restoreJobs, '2023-01-01', { ...body, snapshotId });
    const { id } = created.json();
    const read = (await call('GET', `${restoreJobs}/${id}`, '2023-01-01')).json();
    assert.deepEqual([read.snapshotId, read.targetClusterName, read.deliveryUrl], [snapshotId, 'shop', []]);
    assert.equal((await call('GET', restoreJobs, '2023-01-01')).json().totalCount, 1);
    assert.equal((await call('GET', `${restoreJobs}/${sampleIds.unknown}`, '2023-01-01')).statusCode, 404);
  });
});

test('Terraform cloud_backup_snapshot_export_bucket: create, read, delete and wait until no schedule names it', async () => {
  await inApiWorld(async (it) => {
    const { call } = it;
    const iamRoleId = await authorizedRole(it);
    const request = { bucketName: 'exports', cloudProvider: 'AWS', iamRoleId, requirePrivateNetworking: false };
    const { _id } = (await call('POST', buckets, '2024-05-30', request)).json();
    assert.equal((await call('GET', `${buckets}/${_id}`, '2024-05-30')).json().bucketName, 'exports');
    const schedule = `${cluster}/backup/schedule`;
    const exporting = { autoExportEnabled: true, export: { exportBucketId: _id, frequencyType: 'monthly' } };
    const patched = await call('PATCH', schedule, '2024-08-05', exporting);
    assert.equal(patched.statusCode, 200, patched.body);
    assert.deepEqual(patched.json().export, exporting.export);
    const refused = await call('DELETE', `${buckets}/${_id}`, '2023-01-01');
    assert.deepEqual(
      [refused.statusCode, refused.json().errorCode],
      [400, 'EXPORT_BUCKET_DELETE_FAILED_BUCKET_IN_USE'],
    );
    const off = await call('PATCH', schedule, '2024-08-05', { autoExportEnabled: false });
    assert.deepEqual([off.json().autoExportEnabled, off.json().export], [false, undefined]);
    assert.equal((await call('DELETE', `${buckets}/${_id}`, '2023-01-01')).statusCode, 204);
    for (const { name, stateName } of (await call('GET', '/clusters', '2024-08-05')).json().results) {
      assert.equal(stateName, 'IDLE');
      const found = (await call('GET', `/clusters/${name}/backup/schedule`, '2024-08-05')).json();
      assert.notEqual(found.export?.exportBucketId, _id);
    }
    const gone = await call('GET', `${buckets}/${_id}`, '2024-05-30');
    assert.deepEqual([gone.statusCode, gone.json().errorCode], [404, 'EXPORT_BUCKET_NOT_FOUND']);
  });
});

test('legacy scripts: list, keep, restore and the schedule, in the old vocabulary', async () => {
  await inApiWorld(async (it) => {
    const { call, world } = it;
    const snapshotId = await completedSnapshot(it);
    const legacy = `${cluster}/snapshots`;
    const [snapshot] = (await call('GET', legacy, '2023-01-01')).json().results;
    assert.deepEqual([snapshot.id, snapshot.complete, snapshot.parts.length], [snapshotId, true, 1]);
    assert.deepEqual((await call('GET', `${legacy}?completed=false`, '2023-01-01')).json().results, []);
    assert.equal((await call('GET', `${legacy}?completed=maybe`, '2023-01-01')).statusCode, 400);
    const kept = await call('PATCH', `${legacy}/${snapshotId}`, '2023-01-01', {
      ...snapshot,
      expires: null,
      doNotDelete: true,
    });
    assert.deepEqual([kept.statusCode, kept.json().doNotDelete, 'expires' in kept.json()], [200, true, false]);
    const refused = await call('DELETE', `${snapshots}/${snapshotId}`, '2023-01-01');
    assert.equal(refused.json().errorCode, 'CANNOT_DELETE_PROTECTED_SNAPSHOT');
    const jobs = await call('POST', `${cluster}/restoreJobs`, '2023-01-01', {
      snapshotId,
      delivery: { methodName: 'AUTOMATED_RESTORE', targetGroupId: sampleIds.project, targetClusterName: 'shop' },
    });
    assert.equal(jobs.statusCode, 200, jobs.body);
    const [job] = jobs.json().results;
    assert.deepEqual([job.statusName, job.delivery.statusName], ['IN_PROGRESS', 'NOT_STARTED']);
    await world.run();
    world.restore(0).succeed({ documents: 1, bytes: 1, leftOut: nothing });
    await world.run();
    const done = (await call('GET', `${cluster}/restoreJobs/${job.id}`, '2023-01-01')).json();
    assert.deepEqual([done.statusName, done.delivery.statusName], ['FINISHED', 'READY']);
    const downloads = await call('POST', `${cluster}/restoreJobs`, '2023-01-01', {
      snapshotId,
      delivery: { methodName: 'HTTP' },
    });
    assert.equal(downloads.statusCode, 200, downloads.body);
    await world.run();
    world.preparation(0).succeed([file]);
    await world.run();
    const [{ id: downloadId }] = downloads.json().results;
    const link = (await call('GET', `${cluster}/restoreJobs/${downloadId}`, '2023-01-01')).json();
    assert.deepEqual(
      [link.delivery.methodName, link.delivery.statusName, link.hashes[0].hash],
      ['HTTP', 'READY', file.sha1],
    );
    assert.match(link.delivery.url, /\/downloads\/.+\.archive\.gz$/);
    const path = `${cluster}/snapshotSchedule`;
    const schedule = (await call('GET', path, '2023-01-01')).json();
    const echoed = await call('PATCH', path, '2023-01-01', { ...schedule, snapshotIntervalHours: 8 });
    assert.equal(echoed.json().snapshotIntervalHours, 8);
    const interval = await call('PATCH', path, '2023-01-01', { clusterCheckpointIntervalMin: 15 });
    assert.equal(interval.json().errorCode, 'CANNOT_SET_CLUSTER_CHECKPOINT_INTERVAL_FOR_REPLICA_SET');
  });
});
