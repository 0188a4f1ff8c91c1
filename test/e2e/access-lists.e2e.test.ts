import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { initDataDirectory } from '../../src/compose/make-data-directory.ts';
import { composeService } from '../../src/compose/service.ts';
import { readConfig } from '../../src/config.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';

/**
 * Access lists over the socket: where a request comes from is the socket's word, and a proxy's only where it is
 * trusted.
 */
for (const trustedProxies of [[], ['127.0.0.0/8']]) {
  const trusted = trustedProxies.length > 0;
  test(`an access list is held against ${trusted ? 'what a trusted proxy says' : 'the socket, whatever a header says'}`, async () => {
    const parent = await mkdtemp(join(tmpdir(), 'tidemark-access-'));
    const dataDir = join(parent, 'data');
    const made = await initDataDirectory({ dataDir });
    const service = await composeService(readConfig({}, { dataDir, port: 0, logLevel: 'silent', trustedProxies }));
    try {
      const base = `${(await service.listen()).replace(/\/+$/, '')}/api`;
      const { clientId, secret } = made.serviceAccount;
      const tokenFrom = async (from: string) => {
        const response = await fetch(`${base}/oauth/token`, {
          method: 'POST',
          headers: { 'x-forwarded-for': from },
          body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: secret }),
        });
        return ((await response.json()) as { access_token: string }).access_token;
      };
      const token = await tokenFrom('203.0.113.7');
      const ask = async (method: string, path: string, from: string, body?: object) => {
        const response = await fetch(`${base}/atlas/v2${path}`, {
          method,
          headers: {
            authorization: `Bearer ${token}`,
            accept: 'application/vnd.atlas.2024-08-05+json',
            'content-type': 'application/json',
            'x-forwarded-for': from,
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { status: response.status, body: (await response.json()) as Record<string, unknown> };
      };
      const list = `/orgs/${made.organizationId}/serviceAccounts/${clientId}/accessList`;
      const home = trusted ? '203.0.113.0/24' : '127.0.0.1/32';
      const elsewhere = trusted ? '198.51.100.1' : '203.0.113.7';
      const shut = await ask('POST', list, elsewhere, [{ cidrBlock: '192.0.2.0/24' }]);
      assert.deepEqual([shut.status, shut.body.errorCode], [400, 'CHANGE_SHUTS_OUT_CALLER']);
      assert.equal((await ask('POST', list, '203.0.113.7', [{ cidrBlock: home }])).status, 200);
      assert.equal((await ask('GET', '/orgs', '203.0.113.7')).status, 200);
      const away = await ask('GET', '/orgs', elsewhere);
      assert.equal(away.status, trusted ? 403 : 200);
      if (trusted) {
        assert.deepEqual(away.body, {
          detail: 'IP address 198.51.100.1 is not allowed to access this resource.',
          error: 403,
          errorCode: 'IP_ADDRESS_NOT_ON_ACCESS_LIST',
          parameters: ['198.51.100.1'],
          reason: 'Forbidden',
        });
        assert.match(await tokenFrom(elsewhere), /^[\w-]{20,}$/);
      }
      const { results } = (await ask('GET', list, '203.0.113.7')).body as { results: { requestCount: number }[] };
      assert.ok((results[0]?.requestCount ?? 0) >= 1);
    } finally {
      await service.close();
      await rm(parent, { recursive: true });
    }
  });
}

test('where nobody can call any more the operator of the host lets them in again, while the service runs', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'tidemark-locked-out-'));
  const dataDir = join(parent, 'data');
  const made = await initDataDirectory({ dataDir });
  const service = await composeService(readConfig({}, { dataDir, port: 0, logLevel: 'silent' }));
  const at = ['--data-dir', dataDir];
  try {
    const base = `${(await service.listen()).replace(/\/+$/, '')}/api`;
    const { clientId, secret } = made.serviceAccount;
    const grant = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret };
    const issued = await fetch(`${base}/oauth/token`, { method: 'POST', body: new URLSearchParams(grant) });
    const { access_token: token } = (await issued.json()) as { access_token: string };
    const headers = { authorization: `Bearer ${token}`, accept: 'application/vnd.atlas.2024-08-05+json' };
    const status = async () => (await fetch(`${base}/atlas/v2/orgs`, { headers })).status;
    const { accessLists, organizations, serviceAccounts } = service.domain;
    const place = { organizationId: made.organizationId };
    const { id } = await serviceAccounts.get({ place, clientId });
    await accessLists.add({ owner: { kind: 'serviceAccount', id }, entries: [{ ipAddress: '192.0.2.7' }] });
    await organizations.updateSettings(made.organizationId, { apiAccessListRequired: true });
    assert.equal(await status(), 403);

    const shown = (await runTidemark(['access', 'show', ...at])) as {
      apiAccessListRequired: boolean;
      callers: object[];
    };
    assert.deepEqual([shown.apiAccessListRequired, shown.callers.length], [true, 2]);
    await assert.rejects(runTidemark(['key', 'create', ...at]), /--access/);
    const key = (await runTidemark(['key', 'create', '--access', '192.0.2.9', ...at])) as { roles: string[] };
    assert.deepEqual(key.roles, ['ORG_OWNER']);
    const one = (await runTidemark(['access', 'reset', '--caller', clientId, ...at])) as { emptied: object[] };
    assert.deepEqual(one.emptied, [{ caller: clientId, accessList: ['192.0.2.7/32'] }]);
    assert.equal(await status(), 200);
    const again = (await runTidemark(['access', 'reset', ...at])) as { wasRequired: boolean; emptied: object[] };
    assert.deepEqual([again.wasRequired, again.emptied.length], [false, 1]);
  } finally {
    await service.close();
    await rm(parent, { recursive: true });
  }
});
