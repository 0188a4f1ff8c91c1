import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { withReplicaSet } from '../../test/support/replica-set.ts';
import { selfSigned } from '../../test/support/self-signed.ts';
import { must } from '../lib/assert.ts';
import { systemClock } from '../lib/clock.ts';
import { Fault } from '../lib/errors.ts';
import { parseHostRule } from '../lib/host-rules.ts';
import { readClusterIdentities } from './connection/cluster-identities.ts';
import { adminOf, connectCluster, setConnectionPolicy } from './connection/connect.ts';
import { whyRefused, withParts } from './connection/connection-string.ts';

after(() => setConnectionPolicy({}));

/** Who the server takes the connection for. */
async function signedInAs(kept: string): Promise<string[]> {
  const client = await connectCluster(kept);
  try {
    const { authInfo } = await adminOf(client).command({ connectionStatus: 1 });
    return (authInfo.authenticatedUsers as { user: string; db: string }[]).map(({ user, db }) => `${db}.${user}`);
  } finally {
    await client.close();
  }
}

test('certificates of the request, and those of an identity, are what the servers are shown and held against', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-certificates-'));
  const { cert, key } = selfSigned(systemClock.nowMs());
  const pem = join(directory, 'server.pem');
  await writeFile(pem, `${cert}${key}`, { mode: 0o600 });
  const args = ['--tlsMode', 'preferTLS', '--tlsCertificateKeyFile', pem, '--tlsCAFile', pem];
  try {
    await withReplicaSet({ auth: true, args: [...args, '--tlsAllowConnectionsWithoutCertificates'] }, async (set) => {
      const admin = await set.primary();
      const roles = [{ role: 'root', db: 'admin' }];
      await set.command(admin, { createUser: 'CN=localhost', roles }, '$external');
      const place = `mongodb://${must(set.members[0], 'a member').address}/?tls=true&directConnection=true`;
      const uri = `${place}&authMechanism=MONGODB-X509`;

      // Without the authority the server is not believed.
      await assert.rejects(connectCluster(place, { timeoutMs: 2_000 }), /certificate/);
      assert.deepEqual(await signedInAs(withParts(place, { ca: cert })), []);

      const parts = { ca: cert, certificateKey: `${cert}${key}` };
      assert.equal(whyRefused(uri, 'client', parts), null);
      assert.deepEqual(await signedInAs(withParts(uri, parts)), ['$external.CN=localhost']);

      const file = join(directory, 'identities.json');
      const options = { tls: 'true', tlsCAFile: pem, tlsCertificateKeyFile: pem, authMechanism: 'MONGODB-X509' };
      const identity = { name: 'backup', hosts: ['127.0.0.1'], options };
      await writeFile(file, JSON.stringify({ clusterIdentities: [identity] }), { mode: 0o600 });
      setConnectionPolicy({ identities: await readClusterIdentities(file) });
      assert.deepEqual(await signedInAs(withParts(place, { identity: 'backup' })), ['$external.CN=localhost']);

      // The file went away after the start: whoever asks does not learn where it was.
      const gone = new Map([
        [
          'backup',
          {
            ...identity,
            hosts: [must(parseHostRule('127.0.0.1'), 'an address')],
            options: { ...options, tlsCAFile: `${pem}.gone` },
          },
        ],
      ]);
      setConnectionPolicy({ identities: gone });
      await assert.rejects(connectCluster(withParts(place, { identity: 'backup' })), (error) => {
        assert.ok(error instanceof Fault);
        assert.ok(!`${error.message} ${error.hint}`.includes(directory), error.message);
        return true;
      });
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('a file of identities that cannot be used says which one and why, and no secret', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-identities-'));
  const file = join(directory, 'identities.json');
  try {
    const good = { name: 'a', hosts: ['db.example.com'], password: 'hush' };
    const cases: [content: unknown, why: RegExp][] = [
      [[], /it has no list "clusterIdentities"/],
      [{ clusterIdentities: [{ ...good, hosts: [] }] }, /identity 1\): its "hosts" is a list/],
      [{ clusterIdentities: [{ ...good, hosts: ['mongodb://a/'] }] }, /its host mongodb:\/\/a\/ is neither/],
      [{ clusterIdentities: [{ ...good, options: { maxPoolSize: '1' } }] }, /its options take no "maxPoolSize"/],
      [{ clusterIdentities: [{ ...good, options: { tls: true } }] }, /its option "tls" is a string/],
      [{ clusterIdentities: [{ ...good, options: { tlsCAFile: '/nowhere' } }] }, /the tlsCAFile of a cannot be read/],
      [{ clusterIdentities: [good, good] }, /a is named twice/],
      [{ clusterIdentities: [{ ...good, role: 'x' }] }, /an identity takes no "role"/],
    ];
    for (const [content, why] of cases) {
      await writeFile(file, JSON.stringify(content), { mode: 0o600 });
      await assert.rejects(readClusterIdentities(file), (error) => {
        assert.ok(error instanceof Fault);
        assert.match(error.message, why);
        assert.ok(!error.message.includes('hush'));
        return true;
      });
    }
    await writeFile(file, 'not JSON, but hush');
    await assert.rejects(readClusterIdentities(file), /it is not JSON/);
    await writeFile(file, JSON.stringify({ clusterIdentities: [good] }));
    assert.deepEqual([...(await readClusterIdentities(file)).keys()], ['a']);
  } finally {
    await rm(directory, { recursive: true });
  }
});
