import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleClusterName, sampleIds } from '../../../test/samples/rows.ts';
import { type ApiFixture, apiFixture } from '../../../test/support/api-fixture.ts';
import { digestHa1, expectedResponse } from '../../auth/digest.ts';
import type { Domain } from '../../domain/domain.ts';
import type { Logger } from '../../lib/logger.ts';

/** What every request meets before and after its operation: names, headers, failed logins, the log. */

const groups = '/api/atlas/v2/groups';
const snapshots = `${groups}/${sampleIds.project}/clusters/${sampleClusterName}/backup/snapshots`;

interface Line {
  level: string;
  message: string;
  [field: string]: unknown;
}

/** A logger that keeps what it is told. */
function recorder(): { log: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ ...fields, level, message });
  const log = { info: at('info'), warn: at('warn'), error: at('error'), debug: at('debug'), child: () => log };
  return { log: log as unknown as Logger, lines };
}

async function digest(
  fixture: ApiFixture,
  apiKey: { publicKey: string; privateKey: string },
  { target = groups, remote = '192.0.2.1' }: { target?: string; remote?: string } = {},
) {
  const ask = async (authorization?: string) =>
    await fixture.server.inject({
      method: 'GET',
      url: groups,
      remoteAddress: remote,
      headers: {
        accept: 'application/vnd.atlas.2023-01-01+json',
        ...(authorization === undefined ? {} : { authorization }),
      },
    });
  const nonce = /nonce="([^"]+)"/.exec(String((await ask()).headers['www-authenticate']))?.[1] ?? '';
  const { publicKey: username, privateKey } = apiKey;
  const answer = { username, nonce, uri: target, response: '', cnonce: 'ab', nc: '00000001', count: 1 };
  const response = expectedResponse(digestHa1(username, privateKey), 'GET', answer);
  return await ask(
    `Digest username="${username}", realm="MMS Public API", nonce="${nonce}", uri="${target}", response="${response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="ab"`,
  );
}

test('no header and no target of a stranger gets into a link', async () => {
  const { call } = await apiFixture();
  for (const headers of [
    { host: 'evil.example' },
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    { 'x-forwarded-server': 'evil.example', 'x-host': 'evil.example', 'x-original-url': 'http://evil.example/' },
    { forwarded: 'host=evil.example;proto=https', 'x-original-host': 'evil.example', 'x-rewrite-url': '/evil' },
  ]) {
    const response = await call('GET', snapshots, { headers });
    assert.equal(response.statusCode, 200);
    assert.ok(!response.body.includes('evil'), JSON.stringify(headers));
  }
  const document = await call('GET', '/api/atlas/v2/openapi.json', { token: null, headers: { host: 'evil.example' } });
  assert.ok(!document.body.includes('evil'));
});

test('every answer has the headers that keep browsers from misusing it, and none may be cached', async () => {
  const { call } = await apiFixture();
  const refused = { token: null };
  for (const response of [
    await call('GET', snapshots),
    await call('GET', snapshots, refused),
    await call('GET', '/nowhere'),
    await call('POST', '/api/oauth/token', refused),
    await call('GET', '/downloads/x/y', refused),
    await call('OPTIONS', groups),
  ]) {
    const { headers } = response;
    assert.match(String(headers['cache-control']), /\bno-store\b/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['referrer-policy'], 'strict-origin-when-cross-origin');
    assert.equal(headers['strict-transport-security'], undefined);
  }
});

test('guessing a key becomes slow, for who guesses and from where; its owner gets in from elsewhere', async () => {
  const { log, lines } = recorder();
  const fixture = await apiFixture({ log });
  const apiKey = await fixture.apiKeyWith('GROUP_OWNER');
  const wrong = { ...apiKey, privateKey: 'wrong' };
  for (let n = 0; n < 5; n++) assert.equal((await digest(fixture, wrong)).statusCode, 401);
  const slowed = await digest(fixture, wrong);
  assert.deepEqual([slowed.statusCode, slowed.json().errorCode], [429, 'TOO_MANY_FAILED_LOGINS']);
  assert.equal(slowed.headers['retry-after'], '1');
  assert.equal((await digest(fixture, apiKey)).statusCode, 429, 'the right answer is not told from a wrong one');
  assert.equal((await digest(fixture, apiKey, { remote: '203.0.113.9' })).statusCode, 200);
  fixture.time.ms += 1000;
  assert.equal((await digest(fixture, apiKey)).statusCode, 200);
  const refused = lines.filter(({ message, reason }) => message === 'request refused' && reason !== undefined);
  assert.equal(refused.length, 5);
  assert.equal(refused[4]?.claimed, apiKey.publicKey);
  assert.match(String(refused[4]?.reason), /wrong, 5 times lately/);
});

test('guessing a client secret becomes slow in the same way', async () => {
  const fixture = await apiFixture();
  const { clientId, secret } = await fixture.accountWith('GROUP_OWNER');
  const ask = async (given: string, remoteAddress = '192.0.2.1') =>
    await fixture.server.inject({
      method: 'POST',
      url: '/api/oauth/token',
      remoteAddress,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=client_credentials&client_id=${clientId}&client_secret=${given}`,
    });
  for (let n = 0; n < 5; n++) assert.equal((await ask('wrong')).statusCode, 401);
  const slowed = await ask(secret);
  assert.deepEqual([slowed.statusCode, slowed.headers['retry-after']], [429, '1']);
  assert.equal((await ask(secret, '203.0.113.9')).statusCode, 200);
  fixture.time.ms += 1000;
  assert.equal((await ask(secret)).statusCode, 200);
});

test('a digest answer whose target names a host as well is taken for its path', async () => {
  const fixture = await apiFixture();
  const apiKey = await fixture.apiKeyWith('GROUP_OWNER');
  assert.equal((await digest(fixture, apiKey, { target: `http://here.example${groups}` })).statusCode, 200);
  assert.equal((await digest(fixture, apiKey, { target: `http://here.example${groups}/x` })).statusCode, 401);
});

test('what changes something or is refused is one line: who, from where, what, to what, how it ended', async () => {
  const { log, lines } = recorder();
  const fixture = await apiFixture({ log });
  const { call } = fixture;
  const reader = await fixture.tokenWith('GROUP_READ_ONLY');
  await call('GET', snapshots);
  await call('POST', snapshots, { body: { description: 'secret words', retentionInDays: 3 } });
  await call('POST', snapshots, { token: reader, body: { retentionInDays: 3 } });
  await call('GET', `${snapshots}/ffffffffffffffffffffffff?secret=words`);
  await call('GET', '/downloads/0123/file.gz', { token: null });
  await call('GET', groups, { token: null });
  const told = lines.filter(({ level }) => level === 'info');
  assert.deepEqual(
    told.map(({ message, method, operation, resource, status, errorCode }) => [
      message,
      method,
      operation,
      resource,
      status,
      errorCode,
    ]),
    [
      ['request done', 'POST', 'takeGroupClusterBackupSnapshots', snapshots, 200, undefined],
      ['request refused', 'POST', 'takeGroupClusterBackupSnapshots', snapshots, 401, 'USER_UNAUTHORIZED'],
      [
        'request refused',
        'GET',
        'getGroupClusterBackupSnapshot',
        `${snapshots}/ffffffffffffffffffffffff`,
        404,
        'SNAPSHOT_NOT_FOUND',
      ],
      ['request refused', 'GET', null, '/downloads/…/file.gz', 404, 'DOWNLOAD_NOT_FOUND'],
    ],
  );
  assert.ok(!JSON.stringify(told).includes('words'));
  const [first] = told;
  assert.deepEqual(
    [typeof first?.requestId, typeof first?.tookMs, first?.remote, typeof first?.caller],
    ['string', 'number', '127.0.0.1', 'object'],
  );
});

test('a fault of ours is an error with its reason, and the line of the request says that it failed', async () => {
  const { log, lines } = recorder();
  const failing = { take: async () => Promise.reject(new Error('the disk is full')) };
  const { call } = await apiFixture({ log, domain: { snapshots: failing as unknown as Domain['snapshots'] } });
  await call('POST', snapshots, { body: { description: 'd', retentionInDays: 3 } });
  assert.deepEqual(
    lines.filter(({ level }) => level !== 'debug').map(({ level, message }) => [level, message]),
    [
      ['error', 'a request failed'],
      ['info', 'request failed'],
    ],
  );
});
