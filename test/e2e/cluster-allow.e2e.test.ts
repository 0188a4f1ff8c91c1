import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { initDataDirectory } from '../../src/compose/make-data-directory.ts';
import { composeService } from '../../src/compose/service.ts';
import { readConfig } from '../../src/config.ts';

/** What whoever may register clusters can make the service do, over the socket. */
test('by the API a cluster is where the operator lets it be, and nothing else is connected to', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'tidemark-allow-'));
  const dataDir = join(parent, 'data');
  const made = await initDataDirectory({ dataDir });
  const listening = createServer().listen(0, '127.0.0.1');
  await once(listening, 'listening');
  let connections = 0;
  listening.on('connection', (socket) => {
    connections++;
    socket.destroy();
  });
  const { port } = listening.address() as AddressInfo;
  const given = { dataDir, port: 0, logLevel: 'silent', clusterAllow: ['10.0.0.0/8', '*.db.example.com'] } as const;
  const service = await composeService(readConfig({}, given));
  try {
    const base = `${(await service.listen()).replace(/\/+$/, '')}/api`;
    const { clientId, secret } = made.serviceAccount;
    const grant = { grant_type: 'client_credentials', client_id: clientId, client_secret: secret };
    const issued = await fetch(`${base}/oauth/token`, { method: 'POST', body: new URLSearchParams(grant) });
    const { access_token: token } = (await issued.json()) as { access_token: string };
    const register = async (connectionString: string, more: object = {}) => {
      const response = await fetch(`${base}/tidemark/v1/groups/${made.projectId}/clusters`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Shop', connectionString, ...more }),
      });
      const { errorCode, detail } = (await response.json()) as { errorCode: string; detail: string };
      return { status: response.status, errorCode, detail };
    };
    const cases: [connectionString: string, errorCode: string, detail: RegExp][] = [
      [`mongodb://127.0.0.1:${port}/`, 'CLUSTER_UNREACHABLE', /clusters may not be there \(--cluster-allow\)/],
      [`mongodb://localhost:${port}/`, 'CLUSTER_UNREACHABLE', /clusters may not be there/],
      ['mongodb://169.254.169.254:80/', 'CLUSTER_UNREACHABLE', /link-local or metadata/],
      [`mongodb://127.0.0.1:${port}/?proxyHost=127.0.0.1`, 'INVALID_CLUSTER_URI', /proxyHost is not taken by the API/],
      [
        `mongodb://127.0.0.1:${port}/?tls=true&tlsCAFile=/etc/hostname`,
        'INVALID_CLUSTER_URI',
        /tlsCAFile is not taken/,
      ],
      [
        `mongodb://127.0.0.1:${port}/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:k8s`,
        'INVALID_CLUSTER_URI',
        /authMechanismProperties is not taken/,
      ],
      [`mongodb://127.0.0.1:${port}/?authMechanism=MONGODB-AWS`, 'INVALID_CLUSTER_URI', /MONGODB-AWS/],
      ['mongodb://%2Ftmp%2Fmongodb-27017.sock/', 'INVALID_CLUSTER_URI', /neither an address nor a name/],
    ];
    for (const [connectionString, errorCode, detail] of cases) {
      const answer = await register(connectionString);
      assert.deepEqual([answer.status, answer.errorCode], [400, errorCode], connectionString);
      assert.match(answer.detail, detail, connectionString);
    }
    const unknown = await register(`mongodb://127.0.0.1:${port}/`, { identity: 'production' });
    assert.deepEqual([unknown.status, unknown.errorCode], [400, 'INVALID_CLUSTER_URI']);
    assert.equal(connections, 0);
  } finally {
    await service.close();
    listening.close();
    await rm(parent, { recursive: true });
  }
});
