import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { type InitializedDataDirectory, initDataDirectory } from '../../src/compose/make-data-directory.ts';
import { composeService, type Service } from '../../src/compose/service.ts';
import { readConfig } from '../../src/config.ts';

/**
 * The service as `tidemark serve` makes it, on a fresh data directory, asked with the credentials that `tidemark init`
 * printed. No cluster is needed for what is asked here.
 */
const run = promisify(execFile);
const readHeaders = { accept: 'application/vnd.atlas.2025-03-12+json' };

let dataDir: string;
let made: InitializedDataDirectory;
let service: Service;
let base: string;
let token: string;

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tidemark-api-'));
  made = await initDataDirectory({ dataDir, organizationName: 'Acme', projectName: 'Shop' });
  service = await composeService(readConfig({}, { dataDir, port: 0, logLevel: 'silent' }));
  base = (await service.listen()).replace(/\/+$/, '');
  token = await issueToken();
});

after(async () => {
  await service.close();
  await rm(dataDir, { recursive: true });
});

async function issueToken(): Promise<string> {
  const { clientId, secret } = made.serviceAccount;
  const response = await fetch(`${base}/api/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${encodeURIComponent(secret)}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  assert.equal(response.status, 200);
  const { access_token: issued } = (await response.json()) as { access_token: string };
  return issued;
}

async function ask(path: string, options: RequestInit = {}) {
  const headers = { ...readHeaders, authorization: `Bearer ${token}`, ...options.headers };
  const response = await fetch(base + path, { ...options, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

test('the account that init made owns its organization and sees its project', async () => {
  const organizations = await ask('/api/atlas/v2/orgs?includeCount=true&itemsPerPage=50&name=&pageNum=1');
  assert.deepEqual([organizations.body.totalCount, organizations.body.results[0].id], [1, made.organizationId]);
  const projects = await ask(`/api/atlas/v2/orgs/${made.organizationId}/groups?itemsPerPage=50&pageNum=0`);
  assert.deepEqual(
    projects.body.results.map(({ id, name }: { id: string; name: string }) => [id, name]),
    [[made.projectId, 'Shop']],
  );
  const project = await ask('/api/atlas/v2/groups/byName/Shop');
  assert.equal(project.body.id, made.projectId);
  assert.match(project.body.links[0].href, new RegExp(`^${base}/api/atlas/v2/groups/`));
});

test('the API key that init printed passes by digest with a real curl', async (t) => {
  const { publicKey, privateKey } = made.apiKey;
  const arguments_ = [
    '--silent',
    '--user',
    `${publicKey}:${privateKey}`,
    '--digest',
    '--header',
    `Accept: ${readHeaders.accept}`,
  ];
  const asked = await run('curl', [...arguments_, `${base}/api/atlas/v2?pretty=true`]).catch(
    (error: { code?: string }) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    },
  );
  if (asked === null) return t.skip('no curl here');
  const status = JSON.parse(asked.stdout);
  assert.equal(status.apiKey.publicKey, publicKey);
  assert.deepEqual(status.apiKey.roles, [{ orgId: made.organizationId, roleName: 'ORG_OWNER' }]);
});

test('a fresh project has no buckets, no clusters, and refuses what is no connection string', async () => {
  const group = `/groups/${made.projectId}`;
  assert.deepEqual((await ask(`/api/atlas/v2${group}/backup/exportBuckets`)).body.results, []);
  assert.deepEqual((await ask(`/api/atlas/v2${group}/clusters`)).body.results, []);
  const registered = await ask(`/api/tidemark/v1${group}/clusters`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'orders',
      connectionString: 'http://u:hunter2@127.0.0.1/',
    }),
  });
  assert.equal(registered.status, 400);
  assert.equal(registered.body.errorCode, 'INVALID_CLUSTER_URI');
  assert.ok(!JSON.stringify(registered.body).includes('hunter2'));
  for (const below of ['backup/exports', 'backup/restoreJobs', 'backupCheckpoints', 'backup/snapshots']) {
    const missing = await ask(`/api/atlas/v2${group}/clusters/orders/${below}`);
    assert.deepEqual([missing.status, missing.body.errorCode], [404, 'CLUSTER_NOT_FOUND'], below);
  }
});

test('a revoked token is refused with the challenge', async () => {
  const { clientId, secret } = made.serviceAccount;
  const revoked = await fetch(`${base}/api/oauth/revoke`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` },
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
  });
  assert.equal(revoked.status, 200);
  const refused = await ask('/api/atlas/v2/groups');
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Digest realm="MMS Public API"/);
  token = await issueToken();
  assert.equal((await ask('/api/atlas/v2/groups')).status, 200);
});
