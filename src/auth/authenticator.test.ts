import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { madeCallers } from '../../test/support/made-callers.ts';
import { openMemoryCatalog } from '../../test/support/memory-catalog.ts';
import { insertOrganization } from '../catalog/organizations.ts';
import { createIdSource } from '../lib/ids.ts';
import { systemRandom } from '../lib/random.ts';
import { SecretBox } from '../lib/secret-box.ts';
import { type Authentication, createAuthenticator } from './authenticator.ts';
import { catalogAuthStores } from './catalog-stores.ts';
import { nonceLifeMs } from './nonces.ts';

const md5 = (text: string) => createHash('md5').update(text).digest('hex');

/** What a client answers, written from the standard and not from the code under test. */
function answerTo(
  challenge: string,
  request: { method: string; uri: string; user: string; password: string; nc?: string },
): string {
  const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1] ?? '';
  const { method, uri, user, password, nc = '00000001' } = request;
  const cnonce = '0011223344556677';
  const response = md5(
    `${md5(`${user}:MMS Public API:${password}`)}:${nonce}:${nc}:${cnonce}:auth:${md5(`${method}:${uri}`)}`,
  );
  return `Digest username="${user}", realm="MMS Public API", nonce="${nonce}", uri="${uri}", response="${response}", algorithm="MD5", qop=auth, nc=${nc}, cnonce="${cnonce}"`;
}

async function fixture(options: { proxiedPath?: string } = {}) {
  const time = { ms: 1_700_000_000_000 };
  const clock = { nowMs: () => time.ms, monotonicMs: () => time.ms, sleep: async () => {} };
  const catalog = await openMemoryCatalog(clock);
  const ids = createIdSource(clock, systemRandom);
  const organizationId = ids.next();
  await catalog.transact((writer) =>
    insertOrganization(writer, { id: organizationId, name: 'o', createdAtMs: time.ms }),
  );
  const stores = catalogAuthStores(catalog);
  const secretBox = new SecretBox(systemRandom.bytes(32), systemRandom);
  const { apiKey, account } = await madeCallers({ catalog, clock, ids, secretBox }, organizationId);
  const authenticator = createAuthenticator({ stores, clock, random: systemRandom, secretBox, ...options });
  const challenge = async () =>
    challengeOf(
      await authenticator.authenticate({
        method: 'GET',
        target: '/',
        authorization: undefined,
        remoteAddress: '127.0.0.1',
      }),
    );
  const request = {
    method: 'GET',
    uri: '/api/atlas/v2?pretty=true',
    user: apiKey.publicKey,
    password: apiKey.privateKey,
  };
  const call = (authorization: string, target = request.uri, method = 'GET') =>
    authenticator.authenticate({ method, target, authorization, remoteAddress: '127.0.0.1' });
  return { time, apiKey, account, organizationId, authenticator, challenge, request, call };
}

function challengeOf(authentication: Authentication): string {
  assert.ok('challenge' in authentication);
  return authentication.challenge;
}

test('an API key passes by digest, with its roles', async () => {
  const { challenge, request, call, apiKey, organizationId } = await fixture();
  assert.match(apiKey.publicKey, /^[a-z]{8}$/);
  assert.match(apiKey.privateKey, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  const { caller } = await call(answerTo(await challenge(), request));
  assert.deepEqual(caller, {
    kind: 'apiKey',
    id: apiKey.id,
    name: apiKey.publicKey,
    organizationId,
    roles: [{ role: 'ORG_OWNER', organizationId, projectId: null }],
  });
});

test('wrong key, wrong user, other target and other method are refused, not as stale', async () => {
  const { challenge, request, call } = await fixture();
  const answers = [
    await call(answerTo(await challenge(), { ...request, password: 'wrong' })),
    await call(answerTo(await challenge(), { ...request, user: 'nobodyxx' })),
    await call(answerTo(await challenge(), request), '/api/atlas/v2/groups'),
    await call(answerTo(await challenge(), request), request.uri, 'POST'),
    await call('Digest nonsense'),
    await call('Basic dTpw'),
    await call(''),
  ];
  for (const answer of answers) assert.match(challengeOf(answer), /stale=false$/);
});

test('a nonce may be used again with a higher count only, and is stale when old', async () => {
  const { challenge, request, call, time } = await fixture();
  const first = await challenge();
  assert.ok((await call(answerTo(first, request))).caller);
  assert.match(challengeOf(await call(answerTo(first, request))), /stale=true$/);
  assert.ok((await call(answerTo(first, { ...request, nc: '00000002' }))).caller);
  time.ms += nonceLifeMs;
  assert.match(challengeOf(await call(answerTo(first, { ...request, nc: '00000003' }))), /stale=true$/);
});

test('behind a proxy that takes a path away, the public target counts too', async () => {
  const { challenge, request, call } = await fixture({ proxiedPath: '/backup/' });
  const outside = { ...request, uri: `/backup${request.uri}` };
  assert.ok((await call(answerTo(await challenge(), outside), request.uri)).caller);
  assert.ok((await call(answerTo(await challenge(), request), request.uri)).caller);
  const other = { ...request, uri: `/other${request.uri}` };
  assert.equal((await call(answerTo(await challenge(), other), request.uri)).caller, null);
});

test('an access token passes until it ends', async () => {
  const { account, authenticator, call, time } = await fixture();
  assert.match(account.clientId, /^mdb_sa_id_[a-f0-9]{24}$/);
  assert.match(account.secret, /^mdb_sa_sk_[A-Za-z0-9_-]{40}$/);
  const issued = await authenticator.clientCredentials.issueToken({
    authorization: `Basic ${Buffer.from(`${account.clientId}:${account.secret}`).toString('base64')}`,
    contentType: 'application/x-www-form-urlencoded',
    remoteAddress: '192.0.2.1',
    body: 'grant_type=client_credentials',
  });
  const header = `Bearer ${issued.body?.access_token}`;
  assert.equal((await call(header)).caller?.name, account.clientId);
  assert.match(challengeOf(await call(`${header}x`)), /^Digest /);
  time.ms += 3_600_000;
  assert.equal((await call(header)).caller, null);
});
