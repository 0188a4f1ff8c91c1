import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { initDataDirectory } from '../../src/compose/make-data-directory.ts';
import { composeOffline, type Workspace } from '../../src/compose/service.ts';
import type { ExportBucketRequest } from '../../src/domain/exports/export-buckets.ts';
import { Refusal } from '../../src/domain/refusals/refusals.ts';
import { openAzureStore } from '../../src/storage/azure.ts';
import { openGcsStore } from '../../src/storage/gcs.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { openS3Store } from '../../src/storage/s3.ts';
import { collect } from '../support/collect.ts';
import { FaultProxy } from '../support/fault-proxy.ts';
import { startAzurite, startFakeGcs, startVersity, whyNoServer } from '../support/object-servers.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { until } from '../support/served-tidemark.ts';

/**
 * The whole way of an export through the service: roles, the operator's file of object stores, buckets that are tried,
 * jobs; to a real server of each kind.
 */
const reasons = await Promise.all((['versitygw', 'azurite', 'fake-gcs-server'] as const).map(whyNoServer));
const skip = reasons.find((reason) => reason !== false) ?? false;
const AZURE_ACCOUNT = 'devstoreaccount1';

describe('exports to S3, Azure and Google Cloud', { skip }, () => {
  const source = useReplicaSet({ name: 'source' });
  const stops: (() => Promise<void>)[] = [];
  const stores = new Map<string, ObjectStore>();
  const requests = new Map<string, ExportBucketRequest>();
  let s3Proxy: FaultProxy;
  let directory: string;
  let workspace: Workspace;
  let projectId: string;
  let snapshotId: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tidemark-export-'));
    const [s3, azure, gcs] = await Promise.all([startVersity(), startAzurite(), startFakeGcs()]);
    s3Proxy = await FaultProxy.start(s3.endpoint);
    stops.push(() => s3Proxy.stop(), s3.stop, azure.stop, gcs.stop);
    await Promise.all([s3, azure, gcs].map(async (server) => await server.createBucket('exports')));
    const options = { objectKeys: 'any' as const };
    stores.set('AWS', openS3Store(s3.place('exports'), options));
    stores.set('AZURE', openAzureStore(azure.place('exports'), options));
    stores.set('GCP', openGcsStore(gcs.place('exports'), options));
    const objectStores = join(directory, 'stores.json');
    const { accessKeyId, secretAccessKey } = s3.place('exports').credentials ?? {};
    const rules = [
      { provider: 'AWS', endpoint: s3Proxy.endpoint, accessKeyId, secretAccessKey },
      { provider: 'AZURE', account: AZURE_ACCOUNT, endpoint: azure.endpoint, ...azure.place('exports').credentials },
      { provider: 'GCP', endpoint: gcs.endpoint, anonymous: true },
    ];
    await writeFile(objectStores, JSON.stringify({ objectStores: rules }), { mode: 0o600 });
    const dataDir = join(directory, 'data');
    ({ projectId } = await initDataDirectory({ dataDir }));
    const gcpServiceAccount = 'tidemark@example.iam.gserviceaccount.com';
    workspace = await composeOffline({ dataDir, objectStores, gcpServiceAccount, worker: true });
    await prepare();
  });
  after(async () => {
    await workspace?.close();
    for (const stop of stops) await stop();
    await rm(directory, { recursive: true, force: true });
  });

  async function prepare(): Promise<void> {
    const { cloudProviderAccess, clusters, snapshots } = workspace.domain;
    const rows = Array.from({ length: 2_000 }, (_, n) => ({ n, text: `${n}`.repeat(50) }));
    await source().client.db('shop').collection('ördérs & more').insertMany(rows);
    await clusters.register({ projectId, name: 'Shop', uri: source().uri });
    const taken = await snapshots.take({ projectId, clusterName: 'Shop', retentionInDays: 1 });
    snapshotId = taken.id;
    await until('the snapshot is completed', async () => {
      const { status } = await snapshots.get({ projectId, clusterName: 'Shop', snapshotId });
      return status === 'completed' ? true : null;
    });
    const aws = await cloudProviderAccess.create({ projectId, cloudProvider: 'AWS' });
    const assumedRoleArn = 'arn:aws:iam::123456789012:role/exports';
    await cloudProviderAccess.authorize({ projectId, roleId: aws.id, cloudProvider: 'AWS', assumedRoleArn });
    const application = { appId: 'app', tenantId: 'tenant', servicePrincipalId: 'principal' };
    const azure = await cloudProviderAccess.create({ projectId, cloudProvider: 'AZURE', azure: application });
    const gcp = await cloudProviderAccess.create({ projectId, cloudProvider: 'GCP' });
    const bucketName = 'exports';
    const serviceUrl = `https://${AZURE_ACCOUNT}.blob.core.windows.net`;
    requests.set('AWS', { projectId, cloudProvider: 'AWS', bucketName, iamRoleId: aws.id });
    requests.set('AZURE', { projectId, cloudProvider: 'AZURE', bucketName, roleId: azure.id, serviceUrl });
    requests.set('GCP', { projectId, cloudProvider: 'GCP', bucketName, roleId: gcp.id });
  }

  function requestTo(provider: string): ExportBucketRequest {
    const request = requests.get(provider);
    assert.ok(request !== undefined);
    return request;
  }

  async function exportInto(exportBucketId: string) {
    const { exportJobs } = workspace.domain;
    const cluster = { projectId, clusterName: 'Shop' };
    const job = await exportJobs.create({ ...cluster, snapshotId, exportBucketId, customData: [] });
    return await until('the export ends', async () => {
      const found = await exportJobs.get({ ...cluster, exportJobId: job.id });
      return found.state === 'Successful' || found.state === 'Failed' ? found : null;
    });
  }

  /** What is in the bucket, without the parts of the names that are of one job. */
  async function contentOf(store: ObjectStore, prefix: string): Promise<Map<string, string>> {
    const content = new Map<string, string>();
    for (const { objectKey } of await collect(store.list(prefix))) {
      const body = await store.get(objectKey);
      const plain = objectKey.endsWith('.gz') ? gunzipSync(body) : body;
      // What the completion says is of that job.
      const digest = objectKey.endsWith('.complete') ? '' : createHash('sha256').update(plain).digest('hex');
      content.set(objectKey.slice(prefix.length), digest);
    }
    return content;
  }

  test('the same snapshot is the same set of objects everywhere', async () => {
    const contents: Map<string, string>[] = [];
    for (const [provider, store] of stores) {
      const bucket = await workspace.domain.exportBuckets.create(requestTo(provider));
      assert.equal(bucket.region, provider === 'AWS' ? 'us-east-1' : null);
      assert.deepEqual(await collect(store.list('')), [], 'nothing of the trying is left');
      const job = await exportInto(bucket.id);
      assert.equal(job.state, 'Successful', JSON.stringify(job));
      contents.push(await contentOf(store, job.prefix));
    }
    const [first, ...others] = contents;
    assert.ok(first !== undefined && [...first.keys()].some((name) => name.includes('ördérs & more')));
    assert.equal([...first.keys()].filter((name) => name.endsWith('.complete')).length, 1);
    for (const other of others) assert.deepEqual(other, first);
  });

  test('a bucket that is not there, or lets nobody in, is refused with what is wrong', async () => {
    const { exportBuckets } = workspace.domain;
    for (const provider of ['AWS', 'AZURE', 'GCP']) {
      const missing = exportBuckets.create({ ...requestTo(provider), bucketName: 'never-made' });
      const isRefused = (error: unknown) => error instanceof Refusal && error.code === 'EXPORT_BUCKET_NAME_INVALID';
      await assert.rejects(missing, isRefused, provider);
    }
    s3Proxy.fault = ({ method }) => (method === 'PUT' ? { status: 403 } : null);
    await assert.rejects(
      exportBuckets.create(requestTo('AWS')),
      (error) => error instanceof Refusal && error.code === 'EXPORT_BUCKET_VALIDATION_FAILED',
    );
    s3Proxy.fault = () => 'reset';
    await assert.rejects(
      exportBuckets.create(requestTo('AWS')),
      (error) => error instanceof Refusal && error.code === 'EXPORT_BUCKET_CONNECTION_FAILED',
    );
    s3Proxy.fault = () => null;
  });

  test('a bucket that goes read-only in mid-export fails the job with the reason, and the next job works', async () => {
    const bucket = await workspace.domain.exportBuckets.create(requestTo('AWS'));
    let puts = 0;
    s3Proxy.fault = ({ method }) => (method === 'PUT' && ++puts > 1 ? { status: 403 } : null);
    const failed = await exportInto(bucket.id);
    s3Proxy.fault = () => null;
    assert.equal(failed.state, 'Failed');
    const store = stores.get('AWS');
    assert.ok(store !== undefined && puts > 1);
    const left = await contentOf(store, failed.prefix);
    assert.equal([...left.keys()].filter((name) => name.endsWith('.complete')).length, 0);
    assert.equal((await exportInto(bucket.id)).state, 'Successful');
  });
});
