import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FaultProxy } from '../../test/support/fault-proxy.ts';
import {
  type ObjectStoreServer,
  startAzurite,
  startFakeGcs,
  startMoto,
  startVersity,
  whyNoServer,
} from '../../test/support/object-servers.ts';
import { systemClock } from '../lib/clock.ts';
import { systemRandom } from '../lib/random.ts';
import type { AzurePlace } from './azure.ts';
import { checkBucket, PERMISSION_CHECK } from './check-bucket.ts';
import type { GcsPlace } from './gcs.ts';
import { type BucketFacts, openBucketStore, openStoreAt, type StoreAccess } from './open-store.ts';
import { requireConditionalPuts } from './require-conditional-puts.ts';
import type { S3Place } from './s3.ts';
import { StoreFault, type StoreProblem } from './store-fault.ts';
import type { StoreRule } from './store-rules.ts';

/**
 * Export buckets and repositories as the service opens them: by role, by the operator's rules, by the environment; each
 * on its real server.
 */
const role = {
  id: 'a'.repeat(24),
  assumedRoleArn: 'arn:aws:iam::123456789012:role/exports',
  externalId: 'b1c1d1e1-0000-4000-8000-000000000000',
  azureAppId: 'app-1',
  azureTenantId: 'tenant-1',
};
const quick = { attemptsMax: 2, backoffMs: 5 };

function accessBy(rules: StoreRule[], env: StoreAccess['env'] = {}): StoreAccess {
  return { rules, env, clock: systemClock, random: systemRandom };
}

const problemIs = (problem: StoreProblem) => (error: unknown) => {
  assert.ok(error instanceof StoreFault, String(error));
  assert.equal(error.problem, problem, error.message);
  return true;
};

describe('an export bucket on a server that speaks S3', { skip: await whyNoServer('versitygw') }, () => {
  let server: ObjectStoreServer<S3Place>;
  let rule: StoreRule;
  const facts: BucketFacts = { provider: 'AWS', bucketName: 'exports', serviceUrl: null, role };
  before(async () => {
    server = await startVersity();
    await server.createBucket('exports');
    const { credentials } = server.place('exports');
    rule = { provider: 'AWS', bucket: 'exports*', endpoint: server.endpoint, ...credentials } as StoreRule;
  });
  after(async () => {
    await server.stop();
  });

  test('one that can be written is found so, told its region, and left empty', async () => {
    const store = await openBucketStore(facts, accessBy([rule]), quick);
    assert.equal(await checkBucket(store), 'us-east-1');
    assert.equal(await store.head(PERMISSION_CHECK), null);
    await store.put('exported_snapshots/Ünï cödé/x.json.gz', Buffer.from('x'), { ifAbsent: true });
  });

  test('what is wrong with one is told apart', async () => {
    const missing = await openBucketStore({ ...facts, bucketName: 'exports-2' }, accessBy([rule]), quick);
    await assert.rejects(checkBucket(missing), problemIs('noBucket'));
    const stranger = accessBy([{ ...rule, accessKeyId: 'stranger', secretAccessKey: 'x' }]);
    await assert.rejects(checkBucket(await openBucketStore(facts, stranger, quick)), problemIs('credentials'));
    const nobody = accessBy([{ ...rule, endpoint: 'http://127.0.0.1:1' }]);
    await assert.rejects(checkBucket(await openBucketStore(facts, nobody, quick)), problemIs('unreachable'));
  });

  test('read-only is refused; not being allowed to delete is no obstacle', async () => {
    const proxy = await FaultProxy.start(server.endpoint);
    try {
      const store = await openBucketStore(facts, accessBy([{ ...rule, endpoint: proxy.endpoint }]), quick);
      const denied = { status: 403, body: '<Error><Code>AccessDenied</Code><Message>no</Message></Error>' };
      proxy.fault = ({ method }) => (method === 'PUT' ? denied : null);
      await assert.rejects(checkBucket(store), problemIs('denied'));
      proxy.fault = ({ method }) => (method === 'DELETE' ? denied : null);
      assert.equal(await checkBucket(store), 'us-east-1');
      assert.notEqual(await store.head(PERMISSION_CHECK), null);
    } finally {
      await proxy.stop();
    }
  });

  test('a repository there is opened by its URL, with credentials of the environment’s default chain or of a rule', async () => {
    const place = `s3://exports/repository/one?endpoint=${server.endpoint}`;
    const store = await openStoreAt(place, accessBy([rule]));
    await requireConditionalPuts(store);
    await store.put('a', Buffer.from('x'));
    assert.match(store.description, /^s3:\/\/exports\/repository\/one at http/);
    const root = await openStoreAt('s3://exports/repository', accessBy([rule]));
    assert.equal((await root.get('one/a')).toString(), 'x');
  });

  test('a server that ignores conditions is found out before a repository is made', async () => {
    const store = await openStoreAt('s3://exports/ignorant', accessBy([rule]));
    const ignorant = Object.assign(Object.create(store), {
      put: async (objectKey: string, body: Uint8Array) => await store.put(objectKey, body),
      delete: async (objectKey: string) => await store.delete(objectKey),
    }) as typeof store;
    await assert.rejects(requireConditionalPuts(ignorant), /overwrites an object/);
  });
});

describe('an export bucket of AWS', { skip: await whyNoServer('moto') }, () => {
  let server: ObjectStoreServer<S3Place>;
  const facts: BucketFacts = { provider: 'AWS', bucketName: 'exports', serviceUrl: null, role };
  before(async () => {
    server = await startMoto();
    await server.createBucket('exports');
  });
  after(async () => {
    await server.stop();
  });

  test('is opened under the assumed role, with its external id', async () => {
    const proxy = await FaultProxy.start(server.endpoint);
    try {
      const { credentials } = server.place('exports');
      const rule = { provider: 'AWS', endpoint: server.endpoint, stsEndpoint: proxy.endpoint, ...credentials };
      const store = await openBucketStore(facts, accessBy([rule as StoreRule]), quick);
      assert.equal(await checkBucket(store), 'us-east-1');
      assert.equal(proxy.requests.length, 1);
      const denied = { status: 403, body: '<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>' };
      proxy.fault = () => denied;
      const untrusted = await openBucketStore(facts, accessBy([rule as StoreRule]), quick);
      await assert.rejects(checkBucket(untrusted), problemIs('role'));
    } finally {
      await proxy.stop();
    }
  });
});

describe('an export bucket of Azure', { skip: await whyNoServer('azurite') }, () => {
  let server: ObjectStoreServer<AzurePlace>;
  before(async () => {
    server = await startAzurite();
    await server.createBucket('exports');
  });
  after(async () => {
    await server.stop();
  });

  test('is reached by its service URL or by a rule, and tried', async () => {
    const account = 'devstoreaccount1';
    const serviceUrl = `https://${account}.blob.core.windows.net`;
    const facts: BucketFacts = { provider: 'AZURE', bucketName: 'exports', serviceUrl, role };
    const { accountKey } = server.place('exports').credentials as { accountKey: string };
    const rule: StoreRule = { provider: 'AZURE', account, role: 'app-1', endpoint: server.endpoint, accountKey };
    const store = await openBucketStore(facts, accessBy([rule]), quick);
    assert.equal(await checkBucket(store), null);
    assert.match(
      (await openBucketStore(facts, accessBy([]), quick)).description,
      / at https:\/\/devstoreaccount1\.blob/,
    );
    const missing = await openBucketStore({ ...facts, bucketName: 'nowhere' }, accessBy([rule]), quick);
    await assert.rejects(checkBucket(missing), problemIs('noBucket'));
    const env = { AZURE_STORAGE_KEY: accountKey };
    const repository = await openStoreAt(`azure://${account}/exports/r?endpoint=${server.endpoint}`, accessBy([], env));
    await requireConditionalPuts(repository);
  });
});

describe('an export bucket of Google Cloud', { skip: await whyNoServer('fake-gcs-server') }, () => {
  let server: ObjectStoreServer<GcsPlace>;
  before(async () => {
    server = await startFakeGcs();
    await server.createBucket('exports');
  });
  after(async () => {
    await server.stop();
  });

  test('is tried, and a repository there is opened by its URL', async () => {
    const facts: BucketFacts = { provider: 'GCP', bucketName: 'exports', serviceUrl: null, role };
    const rule: StoreRule = { provider: 'GCP', endpoint: server.endpoint, anonymous: true };
    assert.equal(await checkBucket(await openBucketStore(facts, accessBy([rule]), quick)), 'US-CENTRAL1');
    const missing = await openBucketStore({ ...facts, bucketName: 'nowhere' }, accessBy([rule]), quick);
    await assert.rejects(checkBucket(missing), problemIs('noBucket'));
    await requireConditionalPuts(await openStoreAt('gs://exports/r', accessBy([rule])));
    const unsigned = accessBy([{ provider: 'GCP', endpoint: server.endpoint, keyFile: '/nonexistent/key.json' }]);
    await assert.rejects(checkBucket(await openBucketStore(facts, unsigned, quick)), problemIs('credentials'));
  });
});
