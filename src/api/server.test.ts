import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { sampleClusterName, sampleIds } from '../../test/samples/rows.ts';
import { apiFixture } from '../../test/support/api-fixture.ts';
import { selfSigned } from '../../test/support/self-signed.ts';
import type { Domain } from '../domain/domain.ts';
import type { Logger } from '../lib/logger.ts';

const v2 = '/api/atlas/v2';
const project = `${v2}/groups/${sampleIds.project}`;
const cluster = `${project}/clusters/${sampleClusterName}`;
const snapshots = `${cluster}/backup/snapshots`;
const snapshot = `${snapshots}/${sampleIds.snapshot}`;
const buckets = `${project}/backup/exportBuckets`;

test('without a credential there is a digest challenge, first and alone, and nothing happens', async () => {
  const { call, calls } = await apiFixture();
  for (const [method, url] of [
    ['GET', snapshot],
    ['POST', snapshots],
    ['GET', `${v2}/nothing/here`],
    ['GET', '/'],
    ['PUT', snapshot],
  ] as const) {
    const response = await call(method, url, { token: null, ...(method === 'POST' ? { body: {} } : {}) });
    assert.equal(response.statusCode, 401, url);
    assert.match(String(response.headers['www-authenticate']), /^Digest realm="MMS Public API", domain="", nonce=/);
    assert.equal(response.headers['content-type'], 'application/json');
    assert.deepEqual(response.json(), {
      detail: 'You are not authorized for this resource.',
      error: 401,
      errorCode: 'UNEXPECTED_ERROR',
      reason: 'Unauthorized',
    });
  }
  assert.deepEqual(calls, []);
});

test('an answer names its resource version, whatever later date was asked for', async () => {
  const { call } = await apiFixture();
  for (const [url, version, answered] of [
    [snapshot, '2024-05-30', '2023-01-01'],
    [buckets, '2025-02-19', '2024-05-30'],
    [buckets, '2023-01-01', '2023-01-01'],
    [buckets, '2024-05-29', '2023-01-01'],
    [`${cluster}/backup/exports`, '2025-03-12', '2023-01-01'],
    [cluster, '2024-10-23', '2024-08-05'],
  ] as const) {
    const response = await call('GET', url, { version });
    assert.equal(response.statusCode, 200, url);
    assert.equal(response.headers['content-type'], `application/vnd.atlas.${answered}+json;charset=utf-8`);
  }
});

test('a request that names no version is refused as Atlas refuses it', async () => {
  const { call } = await apiFixture();
  for (const accept of [
    'application/json',
    '*/*',
    'application/vnd.atlas.2022-01-01+json',
    'application/vnd.atlas.2999-01-01+json',
  ]) {
    const response = await call('GET', snapshot, { version: null, headers: { accept } });
    assert.equal(response.statusCode, 406, accept);
    assert.equal(response.headers['content-type'], 'application/json');
    assert.deepEqual(response.json(), {
      detail: 'Invalid accept header or version date.',
      error: 406,
      errorCode: 'INVALID_VERSION_DATE',
      parameters: [],
      reason: 'Not Acceptable',
    });
  }
});

test('a superseded version says so on answers and on errors', async () => {
  const { call } = await apiFixture();
  const old = await call('GET', buckets, { version: '2023-01-01' });
  assert.equal(old.headers.deprecation, 'Thu, 30 May 2024 00:00:00 GMT');
  assert.equal(old.headers.sunset, 'Thu, 1 Jul 2027 00:00:00 GMT');
  const failed = await call('GET', `${buckets}?itemsPerPage=-1`, { version: '2023-01-01' });
  assert.equal(failed.statusCode, 400);
  assert.equal(failed.headers.sunset, 'Thu, 1 Jul 2027 00:00:00 GMT');
  const current = await call('GET', buckets, { version: '2024-05-30' });
  assert.equal(current.headers.deprecation, undefined);
  assert.equal(current.headers.sunset, undefined);
});

test('the operations that Atlas was recorded to answer with a Location do so, and no others', async () => {
  const { call } = await apiFixture();
  const settings = await call('GET', `${project}/settings`);
  assert.equal(settings.headers.location, 'http://backup.example:8080//api/atlas/v1.0');
  assert.equal((await call('GET', project)).headers.location, undefined);
});

test('envelope wraps one object, adds a status to a list, and leaves errors alone', async () => {
  const { call } = await apiFixture();
  const plain = (await call('GET', snapshot)).json();
  assert.deepEqual((await call('GET', `${snapshot}?envelope=true`)).json(), { status: 200, content: plain });
  const list = (await call('GET', snapshots)).json();
  assert.deepEqual((await call('GET', `${snapshots}?envelope=true`)).json(), { ...list, status: 200 });
  const error = await call('GET', `${snapshots}/${sampleIds.unknown}?envelope=true`);
  assert.equal(error.statusCode, 404);
  assert.equal(error.json().errorCode, 'SNAPSHOT_NOT_FOUND');
});

test('pretty indents and changes nothing else', async () => {
  const { call } = await apiFixture();
  const plain = await call('GET', snapshot);
  const pretty = await call('GET', `${snapshot}?pretty=true`);
  assert.match(pretty.body, /\n {2}"/);
  assert.doesNotMatch(plain.body, /\n/);
  assert.deepEqual(pretty.json(), plain.json());
});

test('lists page, count, and link', async () => {
  const { call } = await apiFixture();
  const all = (await call('GET', snapshots)).json();
  assert.equal(all.totalCount, 4);
  assert.equal(all.results.length, 4);
  assert.deepEqual(all.links, [
    { href: `http://backup.example:8080${snapshots}?includeCount=true&pageNum=1&itemsPerPage=100`, rel: 'self' },
  ]);
  const second = (await call('GET', `${snapshots}?itemsPerPage=1&pageNum=2`)).json();
  assert.deepEqual(second.results, [all.results[1]]);
  assert.deepEqual(
    second.links.map(({ rel }: { rel: string }) => rel),
    ['self', 'previous', 'next'],
  );
  const last = (await call('GET', `${snapshots}?itemsPerPage=2&pageNum=2`)).json();
  assert.deepEqual(
    last.links.map(({ rel }: { rel: string }) => rel),
    ['self', 'previous'],
  );
  const beyond = (await call('GET', `${snapshots}?pageNum=9`)).json();
  assert.deepEqual(beyond.results, []);
  assert.equal(beyond.totalCount, 4);
  const uncounted = (await call('GET', `${snapshots}?includeCount=false`)).json();
  assert.ok(!('totalCount' in uncounted));
  assert.match(uncounted.links[0].href, /\?includeCount=false&pageNum=1/);
});

test('links start with the public URL where there is one', async () => {
  const { call } = await apiFixture({ publicUrl: 'https://backup.example/atlas/' });
  const { links } = (await call('GET', snapshot)).json();
  assert.equal(links[0].href, `https://backup.example/atlas${snapshot}`);
});

test('an unknown path is 404 and a known one with another method 405, both in JSON', async () => {
  const { call } = await apiFixture();
  const unknown = await call('GET', `${project}/nothing?pretty=true`);
  assert.equal(unknown.statusCode, 404);
  assert.equal(unknown.headers['content-type'], 'application/json');
  assert.equal(unknown.headers['x-error-code'], 'RESOURCE_NOT_FOUND');
  assert.deepEqual(unknown.json().parameters, [`${project}/nothing`]);
  for (const method of ['PUT', 'POST', 'OPTIONS'] as const) {
    const refused = await call(method, snapshot);
    assert.equal(refused.statusCode, 405, method);
    assert.equal(refused.json().errorCode, 'METHOD_NOT_ALLOWED');
    assert.equal(refused.headers.allow, 'GET, HEAD, PATCH, DELETE');
  }
});

test('HEAD answers like GET, without the body', async () => {
  const { call } = await apiFixture();
  const head = await call('HEAD', snapshot);
  assert.equal(head.statusCode, 200);
  assert.equal(head.body, '');
  assert.match(String(head.headers['content-type']), /^application\/vnd\.atlas\./);
});

test('a path that cannot be decoded is the caller’s fault', async () => {
  const { call } = await apiFixture();
  const response = await call('GET', `${project}/clusters/%zz`);
  assert.equal(response.statusCode, 400);
  assert.equal(response.json().errorCode, 'VALIDATION_ERROR');
});

test('the sharded paths do not collide with a snapshot id', async () => {
  const { call } = await apiFixture();
  const list = await call('GET', `${snapshots}/shardedClusters`);
  assert.equal(list.statusCode, 200);
  assert.deepEqual(list.json(), {
    links: [{ href: `http://backup.example:8080${snapshots}/shardedClusters`, rel: 'self' }],
    results: [],
    totalCount: 0,
  });
  const one = (await call('GET', `${snapshots}/shardedCluster/${sampleIds.snapshot}`)).json();
  assert.deepEqual([one.members, one.snapshotIds, one.type], [[], [], 'replicaSet']);
});

test('request bodies: vendor type, plain JSON or none; other types 415; too large 413', async () => {
  const { call, calls } = await apiFixture();
  const body = { description: 'd', retentionInDays: 2, id: 'echoed', links: null };
  for (const type of ['application/vnd.atlas.2023-01-01+json', 'application/json; charset=utf-8']) {
    const response = await call('POST', snapshots, { body, headers: { 'content-type': type } });
    assert.equal(response.statusCode, 200, type);
  }
  assert.deepEqual(calls.at(-1), {
    name: 'snapshots.take',
    argument: { projectId: sampleIds.project, clusterName: sampleClusterName, description: 'd', retentionInDays: 2 },
  });
  const taken = calls.length;
  const form = await call('POST', snapshots, {
    body: 'a=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  assert.equal(form.statusCode, 415);
  const early = await call('POST', snapshots, {
    body,
    headers: { 'content-type': 'application/vnd.atlas.2022-01-01+json' },
  });
  assert.equal(early.json().errorCode, 'INVALID_VERSION_DATE');
  const large = await call('POST', snapshots, { body: { description: 'x'.repeat(1024 * 1024) } });
  assert.equal(large.statusCode, 413);
  assert.equal(large.json().error, 413);
  assert.equal(calls.length, taken);
});

test('a Content-Type without a body is nobody’s concern', async () => {
  const { call } = await apiFixture();
  const headers = { 'content-type': 'application/vnd.atlas.2023-01-01+json' };
  assert.equal((await call('GET', snapshot, { headers })).statusCode, 200);
  assert.equal((await call('DELETE', snapshot, { headers })).statusCode, 204);
  assert.equal((await call('GET', snapshot, { headers: { 'content-type': 'nonsense' } })).statusCode, 200);
});

test('a deletion answers 204 with the type and no body', async () => {
  const { call } = await apiFixture();
  const response = await call('DELETE', `${snapshot}?pretty=true`);
  assert.equal(response.statusCode, 204);
  assert.equal(response.body, '');
  assert.equal(response.headers['content-type'], 'application/vnd.atlas.2023-01-01+json;charset=utf-8');
});

test('requests are counted, and refused beyond the limit', async () => {
  const { call, time } = await apiFixture({ rateLimit: { limit: 2, windowMs: 60_000 } });
  assert.equal((await call('GET', snapshot)).headers['ratelimit-remaining'], '1');
  assert.equal((await call('GET', snapshot)).headers['ratelimit-limit'], '2');
  const refused = await call('GET', snapshot);
  assert.equal(refused.statusCode, 429);
  assert.equal(refused.json().errorCode, 'RATE_LIMITED');
  assert.equal(refused.headers['retry-after'], '60');
  time.ms += 60_000;
  assert.equal((await call('GET', snapshot)).statusCode, 200);
});

test('what fails inside is 500, with a request id and no word of what it was', async () => {
  const { call } = await apiFixture({
    domain: {
      checkpoints: {
        list: async () => {
          throw new Error('password hunter2');
        },
        get: async () => assert.fail('not asked for'),
      },
    },
  });
  const response = await call('GET', `${project}/clusters/${sampleClusterName}/backupCheckpoints`);
  assert.equal(response.statusCode, 500);
  assert.equal(response.json().errorCode, 'UNEXPECTED_ERROR');
  assert.ok(!response.body.includes('hunter2'));
  assert.ok(response.headers['x-request-id']);
});

test('the older list of export buckets holds those of AWS only', async () => {
  const { call } = await apiFixture();
  const providersIn = async (version: string) =>
    (await call('GET', buckets, { version }))
      .json()
      .results.map((bucket: { cloudProvider: string }) => bucket.cloudProvider);
  assert.deepEqual(await providersIn('2023-01-01'), ['AWS', 'AWS']);
  assert.deepEqual(await providersIn('2024-05-30'), ['AWS', 'AWS', 'AZURE', 'GCP']);
});

test('clients that probe for flex clusters get the codes on which they go on', async () => {
  const { call } = await apiFixture();
  const flex = `${project}/flexClusters`;
  for (const below of [
    '',
    '/backup/snapshots',
    `/backup/snapshots/${sampleIds.snapshot}`,
    '/backup/restoreJobs',
    `/backup/restoreJobs/${sampleIds.snapshot}`,
  ]) {
    const known = await call('GET', `${flex}/${sampleClusterName}${below}`, { version: '2024-11-13' });
    assert.equal(known.statusCode, 400, below);
    assert.equal(known.headers['content-type'], 'application/json');
    assert.equal(known.json().errorCode, 'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API');
    assert.deepEqual(known.json().parameters, [sampleClusterName]);
    const unknown = await call('GET', `${flex}/elsewhere${below}`, { version: '2024-11-13' });
    assert.equal(unknown.json().errorCode, 'CLUSTER_NOT_FOUND');
  }
  assert.deepEqual((await call('GET', flex)).json().results, []);
});

test('the list filter for a point in time takes one way of saying it', async () => {
  const { call, calls } = await apiFixture();
  const asked = async (query: string) => (await call('GET', `${snapshots}?${query}`)).statusCode;
  assert.equal(await asked('pointInTimeUtcSeconds=1760000000'), 200);
  assert.equal(await asked('oplogTs=1760000000&oplogInc=4'), 200);
  assert.deepEqual(
    calls.map(({ argument }) => (argument as { closestBefore?: unknown }).closestBefore),
    [{ seconds: 1760000000 }, { seconds: 1760000000, increment: 4 }],
  );
  assert.equal(await asked('oplogTs=1760000000'), 400);
  assert.equal(await asked('oplogInc=1'), 400);
  assert.equal(await asked('pointInTimeUtcSeconds=1&oplogTs=1&oplogInc=1'), 400);
});

test('a restore needs the role where it lands, too', async () => {
  const { call, calls, tokenWith } = await apiFixture();
  const token = await tokenWith('GROUP_BACKUP_RECOVERY_OPERATOR');
  const restore = (targetGroupId: string) =>
    call('POST', `${cluster}/backup/restoreJobs`, {
      token,
      body: { deliveryType: 'automated', snapshotId: sampleIds.snapshot, targetGroupId, targetClusterName: 'lab' },
    });
  assert.equal((await restore(sampleIds.project)).statusCode, 200);
  for (const target of [sampleIds.siblingProject, sampleIds.foreignProject, sampleIds.unknown]) {
    const refused = await restore(target);
    assert.equal(refused.statusCode, 403);
    assert.equal(refused.json().errorCode, 'CANNOT_RESTORE_TO_TARGET');
  }
  assert.equal(calls.length, 1);
  const owner = await tokenWith('ORG_OWNER');
  const allowed = await call('POST', `${cluster}/backup/restoreJobs`, {
    token: owner,
    body: {
      deliveryType: 'automated',
      snapshotId: sampleIds.snapshot,
      targetGroupId: sampleIds.siblingProject,
      targetClusterName: 'lab',
    },
  });
  assert.equal(allowed.statusCode, 200);
});

test('lists of organizations and projects show what the caller may see', async () => {
  const { call, tokenWith } = await apiFixture();
  const names = async (url: string, token: string) =>
    (await call('GET', url, { token })).json().results.map(({ name }: { name: string }) => name);
  const reader = await tokenWith('GROUP_READ_ONLY');
  const owner = await tokenWith('ORG_OWNER');
  const stranger = await tokenWith();
  assert.deepEqual(await names(`${v2}/groups`, reader), ['Shop']);
  assert.deepEqual(await names(`${v2}/groups?pageNum=0`, owner), ['Shop', 'Lab']);
  assert.deepEqual(await names(`${v2}/groups`, stranger), []);
  assert.deepEqual(await names(`${v2}/orgs?name=`, reader), ['Acme']);
  assert.deepEqual(await names(`${v2}/orgs?name=zzz`, reader), []);
  assert.deepEqual(await names(`${v2}/orgs`, stranger), ['Others']);
  assert.deepEqual(await names(`${v2}/orgs/${sampleIds.organization}/groups?name=la`, owner), ['Lab']);
  assert.equal((await call('GET', `${v2}/groups/byName/Shop`, { token: reader })).json().id, sampleIds.project);
  assert.equal((await call('GET', `${v2}/groups/byName/Lab`, { token: reader })).statusCode, 404);
});

test('the system status names the API key that asks', async () => {
  const { call } = await apiFixture();
  const status = await call('GET', v2);
  assert.equal(status.statusCode, 200);
  assert.deepEqual(
    [status.json().appName, status.json().build, status.json().apiKey],
    ['MongoDB Atlas', '0.0.0-test', null],
  );
});

test('what clients ask beside the versioned API: their own address, and those of a control plane that is not there', async () => {
  const fixture = await apiFixture();
  const own = await fixture.call('GET', '/api/private/ipinfo', { version: null });
  assert.deepEqual([own.statusCode, own.json()], [200, { currentIpv4Address: '127.0.0.1' }]);
  assert.equal((await fixture.call('GET', '/api/private/ipinfo', { version: null, token: null })).statusCode, 401);
  const path = '/api/atlas/v2/unauth/controlPlaneIPAddresses';
  const plane = await fixture.call('GET', path, { version: '2023-11-15', token: null });
  assert.deepEqual([plane.statusCode, plane.json()], [200, { inbound: {}, outbound: {} }]);
  for (const url of ['/api/private/v1.0/telemetry/events', '/api/private/unauth/account/device/authorize']) {
    const response = await fixture.call('POST', url, { version: null, body: '{}' });
    assert.deepEqual([response.statusCode, response.json().errorCode], [404, 'RESOURCE_NOT_FOUND']);
  }
});

test('what callers prove themselves with is not logged, whether it is taken or refused, nor what they send', async () => {
  const lines: string[] = [];
  const write = (...said: unknown[]) => void lines.push(inspect(said, { depth: 6 }));
  const log = { info: write, warn: write, error: write, debug: write, child: () => log } as unknown as Logger;
  const failing = { take: async () => Promise.reject(new Error('the disk is full')) };
  const fixture = await apiFixture({ log, domain: { snapshots: failing as unknown as Domain['snapshots'] } });
  const { clientId, secret } = await fixture.accountWith('GROUP_OWNER');
  const token = await fixture.tokenWith('GROUP_OWNER');
  const groups = '/api/atlas/v2/groups';
  const basic = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
  await fixture.call('GET', groups, { token });
  await fixture.call('GET', groups, { token: `${token}x` });
  for (const authorization of [basic, `Digest ${secret}`, secret])
    assert.equal((await fixture.call('GET', groups, { token: null, headers: { authorization } })).statusCode, 401);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  for (const given of [secret, `${secret}x`])
    await fixture.call('POST', '/api/oauth/token', {
      token: null,
      version: null,
      body: `grant_type=client_credentials&client_id=${clientId}&client_secret=${given}`,
      headers: form,
    });
  const body = { description: 'said in confidence' };
  const failed = await fixture.call(
    'POST',
    `${groups}/${sampleIds.project}/clusters/${sampleClusterName}/backup/snapshots`,
    { body },
  );
  assert.equal(failed.statusCode, 500);
  const said = lines.join('\n');
  assert.match(said, /request refused/);
  assert.match(said, /the disk is full/);
  for (const hidden of [secret, token, basic.slice(6), 'said in confidence']) assert.ok(!said.includes(hidden), hidden);
});

test('our own operations speak plain JSON and need no version', async () => {
  const { call, calls } = await apiFixture();
  const clusters = `/api/tidemark/v1/groups/${sampleIds.project}/clusters`;
  const list = await call('GET', clusters, { version: null });
  assert.equal(list.headers['content-type'], 'application/json;charset=utf-8');
  assert.ok(!list.body.includes('password'));
  const body = { name: 'fresh', connectionString: 'mongodb://user:password@db/' };
  const registered = await call('POST', clusters, {
    version: null,
    body,
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(registered.statusCode, 201);
  const given = { uri: body.connectionString, giver: 'client', parts: {} };
  assert.deepEqual(calls.at(-1)?.argument, { projectId: sampleIds.project, name: 'fresh', ...given });
  const pem = selfSigned(Date.UTC(2026, 10, 30)).cert;
  const reconnected = await call('PATCH', `${clusters}/${sampleClusterName}`, {
    version: null,
    body: { connectionString: body.connectionString, tlsCa: pem, identity: 'production' },
    headers: { 'content-type': 'application/json' },
  });
  assert.deepEqual([reconnected.statusCode, reconnected.json().overriddenOptions], [200, ['maxPoolSize']]);
  const name = { projectId: sampleIds.project, clusterName: sampleClusterName };
  assert.deepEqual(calls.at(-1)?.argument, { ...name, ...given, parts: { identity: 'production', ca: pem } });
  assert.ok(!registered.body.includes('password'));
  const again = await call('POST', clusters, { version: null, body: { ...body, name: sampleClusterName } });
  assert.equal(again.statusCode, 409);
  assert.equal(
    (await call('DELETE', `${clusters}/${sampleClusterName}?deleteSnapshots=true`, { version: null })).statusCode,
    204,
  );
  assert.deepEqual(calls.at(-1)?.argument, {
    projectId: sampleIds.project,
    clusterName: sampleClusterName,
    deleteSnapshots: true,
  });
  const task = await call('GET', `${clusters}/${sampleClusterName}/snapshots/${sampleIds.snapshot}/task`, {
    version: null,
  });
  assert.deepEqual([task.json().state, task.json().progress.namespace], ['running', 'shop.orders']);
});
