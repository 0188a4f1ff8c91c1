import assert from 'node:assert/strict';
import { test } from 'node:test';
import { givenName, readConfig } from '../src/config.ts';
import { describeError, Misconfigured } from '../src/lib/errors.ts';

test('what is given wins over the environment, and that over the defaults', () => {
  const env = { TIDEMARK_DATA_DIR: '/var/lib/tidemark', TIDEMARK_PORT: '9000', TIDEMARK_HOST: '' };
  const config = readConfig(env, { port: 9001 });
  assert.deepEqual(config, {
    dataDir: '/var/lib/tidemark',
    host: '127.0.0.1',
    port: 9001,
    publicUrl: undefined,
    logLevel: 'info',
    concurrency: 2,
    passphrase: undefined,
    copyStores: {},
    repository: undefined,
    objectStores: undefined,
    tlsCert: undefined,
    tlsKey: undefined,
    trustedProxies: [],
    clusterAllow: [],
    clusterIdentities: undefined,
    awsPrincipalArn: undefined,
    gcpServiceAccount: undefined,
    jsonLoss: 'omit',
    verifiedWithinMs: 0,
  });
  const copies = readConfig({ ...env, TIDEMARK_COPY_STORES: 'EU_WEST_1=/a, US_EAST_1=/b/c,' }).copyStores;
  assert.deepEqual(copies, { EU_WEST_1: '/a', US_EAST_1: '/b/c' });
  const remote = readConfig({
    ...env,
    TIDEMARK_COPY_STORES: 'EU_WEST_1=s3://second/copies?region=eu-west-1',
  }).copyStores;
  assert.deepEqual(remote, { EU_WEST_1: 's3://second/copies?region=eu-west-1' });
  const proxies = readConfig({ ...env, TIDEMARK_TRUSTED_PROXIES: '10.1.2.3/8, ::1' }).trustedProxies;
  assert.deepEqual(proxies, ['10.0.0.0/8', '::1/128']);
  assert.equal(readConfig(env).port, 9000);
  assert.equal(readConfig({ ...env, TIDEMARK_VERIFIED_WITHIN: '36h' }).verifiedWithinMs, 36 * 3_600_000);
  assert.equal(readConfig({ ...env, TIDEMARK_VERIFIED_WITHIN: '7d' }).verifiedWithinMs, 7 * 86_400_000);
  assert.equal(
    readConfig({ ...env, TIDEMARK_PUBLIC_URL: 'https://backup.example/tm/' }).publicUrl,
    'https://backup.example/tm',
  );
});

test('an option that cannot be used is named', () => {
  const env = { TIDEMARK_DATA_DIR: 'data' };
  const unusable: [Record<string, string>, string | null, RegExp][] = [
    [{ TIDEMARK_DATA_DIR: '' }, null, /where the data directory is.*--data-dir/],
    [{ TIDEMARK_PORT: '80a' }, 'TIDEMARK_PORT', /80a/],
    [{ TIDEMARK_PORT: '70000' }, 'TIDEMARK_PORT', /70000/],
    [{ TIDEMARK_CONCURRENCY: '0' }, 'TIDEMARK_CONCURRENCY', /0 is not/],
    [{ TIDEMARK_LOG_LEVEL: 'loud' }, 'TIDEMARK_LOG_LEVEL', /loud/],
    [{ TIDEMARK_PUBLIC_URL: 'backup.example' }, 'TIDEMARK_PUBLIC_URL', /backup/],
    [{ TIDEMARK_COPY_STORES: 'here' }, 'TIDEMARK_COPY_STORES', /here/],
    [{ TIDEMARK_COPY_STORES: 'A=/x,A=/y' }, 'TIDEMARK_COPY_STORES', /A is named twice/],
    [{ TIDEMARK_COPY_STORES: 'A=/x,B=/x' }, 'TIDEMARK_COPY_STORES', /x is named twice/],
    [{ TIDEMARK_TLS_CERT: 'cert.pem' }, 'TIDEMARK_TLS_CERT', /no key.*--tls-key/],
    [{ TIDEMARK_TLS_KEY: 'key.pem' }, 'TIDEMARK_TLS_KEY', /no certificate.*--tls-cert/],
    [{ TIDEMARK_TRUSTED_PROXIES: 'proxy.example' }, 'TIDEMARK_TRUSTED_PROXIES', /proxy/],
    [{ TIDEMARK_VERIFIED_WITHIN: '7' }, 'TIDEMARK_VERIFIED_WITHIN', /hours .36h. nor days/],
    [{ TIDEMARK_CLUSTER_ALLOW: 'a b' }, 'TIDEMARK_CLUSTER_ALLOW', /a b/],
  ];
  for (const [variables, name, why] of unusable) {
    assert.throws(
      () => readConfig({ ...env, ...variables }),
      (error) =>
        error instanceof Misconfigured &&
        givenName(error.option ?? '', { ...env, ...variables }) === name &&
        why.test(describeError(error)),
      JSON.stringify(variables),
    );
  }
});
