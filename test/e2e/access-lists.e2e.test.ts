import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { initDataDirectory } from '../../src/compose/make-data-directory.ts';
import { composeService } from '../../src/compose/service.ts';
import { readConfig } from '../../src/config.ts';

/** Access lists over the socket: where a request comes from is the socket's word, and a proxy's only where it is trusted. */
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
      assert.equal((await ask('POST', list, elsewhere, [{ cidrBlock: home }])).status, 200);
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
