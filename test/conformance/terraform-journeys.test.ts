import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleIds } from '../samples/rows.ts';
import { type ApiWorld, inApiWorld } from '../support/api-world.ts';

/**
 * The calls of Terraform's provider for the resources around backups: create, read, update, delete and import (which is
 * a read), in its versions and order. Schedules and compliance policies are in `e2e/schedule-journeys.test.ts`,
 * snapshots, restores and exports in `client-journeys.test.ts`. Raw calls send a content type on every method.
 */

type Method = Parameters<ApiWorld['call']>[0];
const v2 = '/api/atlas/v2';
const group = `${v2}/groups/${sampleIds.project}`;
const org = `${v2}/orgs/${sampleIds.organization}`;

/** As the organization's owner, as who runs Terraform is one. Asserts the status; gives the body. */
async function ask(
  { api }: ApiWorld,
  method: Method,
  url: string,
  { version = '2023-01-01', body, expect = 200 }: { version?: string; body?: unknown; expect?: number } = {},
) {
  const response = await api.call(method, url, {
    version,
    token: api.organizationToken,
    headers: { 'content-type': `application/vnd.atlas.${version}+json` },
    ...(body === undefined ? {} : { body }),
  });
  assert.equal(response.statusCode, expect, `${method} ${url}: ${response.body}`);
  return response.body === '' ? null : response.json();
}

test('mongodbatlas_project: create, the five reads of a refresh, update, delete', async () => {
  await inApiWorld(async (it) => {
    const { id } = await ask(it, 'POST', `${v2}/groups`, {
      body: { name: 'made-by-terraform', orgId: sampleIds.organization },
      expect: 201,
    });
    const project = `${v2}/groups/${id}`;
    const settings = await ask(it, 'GET', `${project}/settings`);
    const changed = await ask(it, 'PATCH', `${project}/settings`, {
      body: { ...settings, isDataExplorerEnabled: false },
    });
    assert.equal(changed.isDataExplorerEnabled, false);
    const read = await ask(it, 'GET', project);
    assert.equal(read.withDefaultAlertsSettings, true, 'where it was not said');
    assert.deepEqual([read.name, read.clusterCount, read.orgId], ['made-by-terraform', 0, sampleIds.organization]);
    await ask(it, 'POST', `${project}/managedSlowMs/enable`, { expect: 204 });
    assert.equal((await ask(it, 'GET', `${project}/teams`)).totalCount, 0);
    assert.deepEqual(await ask(it, 'GET', `${project}/limits`), []);
    assert.equal((await ask(it, 'GET', `${project}/settings`)).isDataExplorerEnabled, false);
    assert.deepEqual((await ask(it, 'GET', `${project}/ipAddresses`)).services.clusters, []);
    assert.equal(await ask(it, 'GET', `${project}/managedSlowMs`), true);
    await ask(it, 'DELETE', `${project}/managedSlowMs/disable`, { expect: 204 });
    const renamed = await ask(it, 'PATCH', project, {
      body: { name: 'renamed', tags: [{ key: 'team', value: 'shop' }] },
    });
    assert.deepEqual([renamed.name, renamed.tags], ['renamed', [{ key: 'team', value: 'shop' }]]);
    assert.equal((await ask(it, 'GET', `${v2}/groups/byName/renamed`)).id, id);
    // Before it deletes, it waits until there are no clusters: a missing count makes it panic.
    assert.equal((await ask(it, 'GET', `${project}/clusters`, { version: '2024-08-05' })).totalCount, 0);
    await ask(it, 'DELETE', project, { expect: 204 });
    assert.equal((await ask(it, 'GET', project, { expect: 404 })).errorCode, 'GROUP_NOT_FOUND');
  });
});

test('mongodbatlas_advanced_cluster: create is refused with the way; import, update of what concerns backup, delete', async () => {
  await inApiWorld(async (it) => {
    const clusters = `${group}/clusters`;
    const description = { name: 'new', clusterType: 'REPLICASET', backupEnabled: true, replicationSpecs: [] };
    const refused = await ask(it, 'POST', clusters, { version: '2024-10-23', body: description, expect: 400 });
    assert.equal(refused.errorCode, 'FEATURE_UNSUPPORTED');
    assert.match(refused.detail, /api\/tidemark\/v1/);
    const shop = `${clusters}/shop`;
    const imported = await ask(it, 'GET', shop, { version: '2024-08-05' });
    assert.deepEqual([imported.stateName, imported.replicationSpecs.length], ['IDLE', 1]);
    await ask(it, 'GET', `${group}/containers?providerName=AWS`);
    const args = await ask(it, 'GET', `${shop}/processArgs`, { version: '2024-08-05' });
    await ask(it, 'PATCH', `${shop}/processArgs`, { version: '2024-08-05', body: args });
    const change = {
      pitEnabled: true,
      retainBackups: true,
      terminationProtectionEnabled: true,
      replicationSpecs: null,
    };
    const updated = await ask(it, 'PATCH', shop, { version: '2024-10-23', body: change });
    assert.deepEqual([updated.pitEnabled, updated.terminationProtectionEnabled], [true, true]);
    assert.equal((await ask(it, 'GET', shop, { version: '2024-08-05' })).stateName, 'IDLE');
    const held = await ask(it, 'DELETE', `${shop}?retainBackups=true`, { version: '2023-02-01', expect: 400 });
    assert.equal(held.errorCode, 'CANNOT_TERMINATE_CLUSTER_WHEN_TERMINATION_PROTECTION_ENABLED');
    await ask(it, 'PATCH', shop, { version: '2024-10-23', body: { terminationProtectionEnabled: false } });
    // The tailer of its oplog stops with its cluster; it is at work until then.
    await ask(it, 'PATCH', shop, { version: '2024-10-23', body: { pitEnabled: false } });
    await it.world.run();
    const deleted = await ask(it, 'DELETE', `${shop}?retainBackups=true`, { version: '2023-02-01', expect: 202 });
    assert.deepEqual(deleted, {});
    const gone = await ask(it, 'GET', shop, { version: '2024-08-05', expect: 404 });
    assert.equal(gone.errorCode, 'CLUSTER_NOT_FOUND');
  });
});

test('mongodbatlas_cloud_provider_access_setup and _authorization: create, read, authorize, delete', async () => {
  await inApiWorld(async (it) => {
    const access = `${group}/cloudProviderAccess`;
    const { roleId, ...setUp } = await ask(it, 'POST', access, { body: { providerName: 'AWS' } });
    assert.deepEqual([setUp.authorizedDate, setUp.iamAssumedRoleArn], [null, null]);
    assert.match(setUp.atlasAssumedRoleExternalId, /^[0-9a-f-]{36}$/);
    assert.equal((await ask(it, 'GET', `${access}/${roleId}`)).providerName, 'AWS');
    const iamAssumedRoleArn = 'arn:aws:iam::123456789012:role/exports';
    const authorized = await ask(it, 'PATCH', `${access}/${roleId}`, {
      body: { providerName: 'AWS', iamAssumedRoleArn },
    });
    assert.equal(authorized.iamAssumedRoleArn, iamAssumedRoleArn);
    assert.equal((await ask(it, 'GET', access)).awsIamRoles.length, 1);
    await ask(it, 'DELETE', `${access}/AWS/${roleId}`, { expect: 204 });
    assert.equal(
      (await ask(it, 'GET', `${access}/${roleId}`, { expect: 404 })).errorCode,
      'CLOUD_PROVIDER_ACCESS_ROLE_NOT_FOUND',
    );
  });
});

test('mongodbatlas_api_key, _project_api_key and _access_list_api_key: create, read, update, delete', async () => {
  await inApiWorld(async (it) => {
    const keys = `${org}/apiKeys`;
    const created = await ask(it, 'POST', keys, { body: { desc: 'tf', roles: ['ORG_MEMBER'] } });
    assert.match(created.privateKey, /^[0-9a-f-]{36}$/);
    const one = `${keys}/${created.id}`;
    assert.match((await ask(it, 'GET', one)).privateKey, /^\*{8}-/);
    const updated = await ask(it, 'PATCH', one, { body: { desc: 'other', roles: ['ORG_READ_ONLY'] } });
    assert.deepEqual(
      [updated.desc, updated.roles],
      ['other', [{ orgId: sampleIds.organization, roleName: 'ORG_READ_ONLY' }]],
    );
    assert.equal((await ask(it, 'GET', keys)).totalCount, 1);
    const list = await ask(it, 'POST', `${one}/accessList`, {
      body: [{ cidrBlock: '203.0.113.0/24' }, { ipAddress: '198.51.100.7' }],
    });
    assert.equal(list.totalCount, 2);
    const entry = `${one}/accessList/${encodeURIComponent('203.0.113.0/24')}`;
    assert.equal((await ask(it, 'GET', entry)).cidrBlock, '203.0.113.0/24');
    await ask(it, 'DELETE', entry, { expect: 204 });
    assert.equal((await ask(it, 'GET', entry, { expect: 404 })).errorCode, 'ACCESS_LIST_ENTRY_NOT_FOUND');
    const inProject = `${group}/apiKeys/${created.id}`;
    await ask(it, 'POST', inProject, { body: [{ roles: ['GROUP_READ_ONLY'] }] });
    await ask(it, 'PATCH', inProject, { body: { roles: ['GROUP_OWNER'] } });
    assert.equal((await ask(it, 'GET', `${group}/apiKeys`)).totalCount, 1);
    await ask(it, 'DELETE', inProject, { expect: 204 });
    await ask(it, 'DELETE', one, { expect: 204 });
    assert.equal((await ask(it, 'GET', one, { expect: 404 })).errorCode, 'API_KEY_NOT_FOUND');
  });
});

test('mongodbatlas_service_account, _secret, _project_assignment and _access_list_entry: create, read, update, delete', async () => {
  await inApiWorld(async (it) => {
    const version = '2024-08-05';
    const accounts = `${org}/serviceAccounts`;
    const body = { name: 'tf', description: 'of terraform', roles: ['ORG_MEMBER'], secretExpiresAfterHours: 24 };
    const created = await ask(it, 'POST', accounts, { version, body, expect: 201 });
    const [first] = created.secrets;
    assert.match(first.secret, /^mdb_sa_sk_/);
    const one = `${accounts}/${created.clientId}`;
    const [shown] = (await ask(it, 'GET', one, { version })).secrets;
    assert.deepEqual([shown.id, shown.secret], [first.id, undefined]);
    const updated = await ask(it, 'PATCH', one, {
      version,
      body: { name: 'other', description: 'd', roles: ['ORG_READ_ONLY'] },
    });
    assert.deepEqual([updated.name, updated.roles], ['other', ['ORG_READ_ONLY']]);
    const second = await ask(it, 'POST', `${one}/secrets`, {
      version,
      body: { secretExpiresAfterHours: 24 },
      expect: 201,
    });
    await ask(it, 'DELETE', `${one}/secrets/${first.id}`, { version, expect: 204 });
    assert.deepEqual(
      (await ask(it, 'GET', one, { version })).secrets.map(({ id }: { id: string }) => id),
      [second.id],
    );
    await ask(it, 'POST', `${one}/accessList`, { version, body: [{ ipAddress: '198.51.100.7' }] });
    assert.equal((await ask(it, 'GET', `${one}/accessList`, { version })).totalCount, 1);
    await ask(it, 'DELETE', `${one}/accessList/198.51.100.7`, { version, expect: 204 });
    const invited = `${group}/serviceAccounts/${created.clientId}`;
    await ask(it, 'POST', `${invited}:invite`, { version, body: { roles: ['GROUP_READ_ONLY'] } });
    assert.deepEqual((await ask(it, 'GET', invited, { version })).roles, ['GROUP_READ_ONLY']);
    assert.equal((await ask(it, 'GET', `${one}/groups`, { version })).totalCount, 1);
    await ask(it, 'DELETE', invited, { version, expect: 204 });
    await ask(it, 'DELETE', one, { version, expect: 204 });
    assert.equal((await ask(it, 'GET', one, { version, expect: 404 })).errorCode, 'SERVICE_ACCOUNT_NOT_FOUND');
  });
});

test('mongodbatlas_project_ip_access_list: create, read, delete; its status claims nothing', async () => {
  await inApiWorld(async (it) => {
    const list = `${group}/accessList`;
    const made = await ask(it, 'POST', list, {
      body: [{ cidrBlock: '203.0.113.0/24', comment: 'office' }],
      expect: 201,
    });
    assert.equal(made.totalCount, 1);
    const entry = `${list}/${encodeURIComponent('203.0.113.0/24')}`;
    assert.equal((await ask(it, 'GET', entry)).comment, 'office');
    assert.deepEqual(await ask(it, 'GET', `${entry}/status`), { STATUS: 'PENDING' });
    await ask(it, 'DELETE', entry, { expect: 204 });
    await ask(it, 'GET', entry, { expect: 404 });
  });
});

test('data sources mongodbatlas_project, _organization and _advanced_cluster(s): users, and a cluster without a container', async () => {
  await inApiWorld(async (it) => {
    for (const users of [`${group}/users`, `${org}/users`]) {
      const list = await ask(it, 'GET', `${users}?itemsPerPage=0&pageNum=0`, { version: '2025-02-19' });
      assert.deepEqual([list.results, list.totalCount], [[], 0]);
    }
    const { results } = await ask(it, 'GET', `${group}/clusters?itemsPerPage=0`, { version: '2024-08-05' });
    for (const { replicationSpecs } of results) {
      for (const { regionConfigs } of replicationSpecs) {
        for (const region of regionConfigs) {
          // For any other provider the data source asks for a container of its region, and fails where there is none.
          assert.equal(region.providerName, 'TENANT');
          assert.ok(region.regionName.length > 0 && region.electableSpecs.instanceSize.length > 0);
        }
      }
    }
    assert.equal(results.length, 1);
  });
});

test('data sources of other kinds of clusters: flex, shared tier and serverless tell what they are not', async () => {
  await inApiWorld(async (it) => {
    const flex = { version: '2024-11-13', expect: 400 };
    for (const path of ['', '/backup/snapshots', '/backup/restoreJobs', `/backup/snapshots/${sampleIds.unknown}`])
      assert.equal(
        (await ask(it, 'GET', `${group}/flexClusters/shop${path}`, flex)).errorCode,
        'CANNOT_USE_NON_FLEX_CLUSTER_IN_FLEX_API',
      );
    assert.deepEqual((await ask(it, 'GET', `${group}/flexClusters`, { version: '2024-11-13' })).results, []);
    for (const path of ['snapshots', 'restores', `snapshots/${sampleIds.unknown}`, `restores/${sampleIds.unknown}`])
      assert.equal(
        (await ask(it, 'GET', `${group}/clusters/shop/backup/tenant/${path}`, { expect: 400 })).errorCode,
        'FEATURE_UNSUPPORTED',
      );
    const serverless = await ask(it, 'GET', `${group}/serverless/shop/backup/snapshots`, { expect: 400 });
    assert.equal(serverless.errorCode, 'CANNOT_USE_CLUSTER_IN_SERVERLESS_INSTANCE_API');
  });
});
