import assert from 'node:assert/strict';
import { test } from 'node:test';
import { madeCallers } from '../../test/support/made-callers.ts';
import { openMemoryCatalog } from '../../test/support/memory-catalog.ts';
import { insertOrganization } from '../catalog/organizations.ts';
import { createIdSource } from '../lib/ids.ts';
import { systemRandom } from '../lib/random.ts';
import { SecretBox } from '../lib/secret-box.ts';
import { catalogAuthStores } from './catalog-stores.ts';
import { basicCredentials, createClientCredentials } from './client-credentials.ts';
import { hashOfSecret } from './credential-mint.ts';
import { LoginThrottle } from './login-throttle.ts';

const form = 'application/x-www-form-urlencoded';

async function fixture() {
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
  const { account } = await madeCallers({ catalog, clock, ids, secretBox }, organizationId);
  const credentials = createClientCredentials({
    ...stores,
    clock,
    random: systemRandom,
    throttle: new LoginThrottle({ clock }),
  });
  const basic = (id = account.clientId, secret = account.secret) =>
    `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const ask = (authorization: string | undefined, body: string, contentType: string | undefined = form) =>
    credentials.issueToken({ authorization, contentType, body, remoteAddress: '192.0.2.1' });
  return { time, catalog, stores, account, credentials, basic, ask };
}

test('credentials are read percent-encoded and plain', () => {
  const read = (text: string) => basicCredentials(`Basic ${Buffer.from(text).toString('base64')}`);
  assert.deepEqual(read('id:a%2Bb%2Fc'), { clientId: 'id', secret: 'a+b/c' });
  assert.deepEqual(read('id:plain_-.~'), { clientId: 'id', secret: 'plain_-.~' });
  assert.deepEqual(read('id:50%'), { clientId: 'id', secret: '50%' });
  assert.deepEqual(read('id:a:b'), { clientId: 'id', secret: 'a:b' });
  assert.equal(read('no colon'), null);
  assert.equal(basicCredentials('Bearer x'), null);
  assert.equal(basicCredentials(undefined), null);
});

test('a token is issued for an hour and only its hash is kept', async () => {
  const { ask, basic, stores, time, account } = await fixture();
  const answer = await ask(basic(), 'grant_type=client_credentials');
  assert.equal(answer.status, 200);
  assert.equal(answer.body?.token_type, 'Bearer');
  assert.equal(answer.body?.expires_in, 3600);
  assert.equal(answer.headers['cache-control'], 'no-store');
  const token = String(answer.body?.access_token);
  const live = await stores.accessTokens.findLive(hashOfSecret(token), time.ms);
  assert.equal(live?.account.clientId, account.clientId);
  assert.equal(await stores.accessTokens.findLive(token, time.ms), null);
  assert.equal(await stores.accessTokens.findLive(hashOfSecret(token), time.ms + 3_600_000), null);
});

test('refusals are those of RFC 6749', async () => {
  const { ask, basic, account } = await fixture();
  const good = 'grant_type=client_credentials';
  const table: [string | undefined, string, string | undefined, number, string][] = [
    [undefined, good, form, 401, 'invalid_client'],
    [basic(account.clientId, 'wrong'), good, form, 401, 'invalid_client'],
    [basic('mdb_sa_id_000000000000000000000000'), good, form, 401, 'invalid_client'],
    [basic(), 'grant_type=password', form, 400, 'unsupported_grant_type'],
    [basic(), '', form, 400, 'invalid_request'],
    [basic(), '{}', 'application/json', 400, 'invalid_request'],
  ];
  for (const [authorization, body, contentType, status, error] of table) {
    const answer = await ask(authorization, body, contentType);
    assert.equal(answer.status, status, body);
    assert.equal(answer.body?.error, error);
    assert.equal(typeof answer.body?.error_description, 'string');
    assert.equal('www-authenticate' in answer.headers, status === 401);
  }
});

test('an expired secret gets no token', async () => {
  const { ask, basic, time } = await fixture();
  time.ms += 24 * 3_600_000;
  assert.equal((await ask(basic(), 'grant_type=client_credentials')).body?.error, 'invalid_client');
});

test('revoking ends a token; an unknown one is answered alike', async () => {
  const { ask, basic, credentials, stores, time } = await fixture();
  const token = String((await ask(basic(), 'grant_type=client_credentials')).body?.access_token);
  const revoke = (body: string, authorization = basic()) =>
    credentials.revokeToken({ authorization, contentType: form, body, remoteAddress: '192.0.2.1' });
  assert.equal((await revoke(`token=${token}`, 'Basic eDp5')).status, 401);
  assert.notEqual(await stores.accessTokens.findLive(hashOfSecret(token), time.ms), null);
  assert.equal((await revoke(`token=${token}&token_type_hint=access_token`)).status, 200);
  assert.equal(await stores.accessTokens.findLive(hashOfSecret(token), time.ms), null);
  assert.equal((await revoke('token=unknown')).status, 200);
  assert.equal((await revoke('')).body?.error, 'invalid_request');
});
