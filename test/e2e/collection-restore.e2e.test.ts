import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { compareTruth } from '../support/compare.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { besides, renamed } from '../support/restored-collections.ts';
import { ServedTidemark, until } from '../support/served-tidemark.ts';
import { readTruth, type Truth } from '../support/truth.ts';

interface JobBody {
  id: string;
  state: string;
  errorMessage?: string;
  restoredDocuments: number;
  totalDocuments: number;
}

interface CollectionBody {
  sourceNamespace: string;
  effectiveTargetNamespace?: string;
  state: string;
}

const DOCUMENTS = 40_000;
const VERSION = '2025-03-12';

const TRIES_MAX = 20;

describe('collection restores over the API', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target' });
  let tidemark: ServedTidemark;
  let snapshotId: string;
  let truth: Truth;

  before(async () => {
    const shop = source().client.db('shop');
    const rows = Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i, who: i % 9, pad: `${i}`.repeat(40) }));
    await shop.collection<{ _id: number }>('orders').insertMany(rows);
    await shop.collection('orders').createIndex({ who: 1 });
    await shop.collection('small').insertOne({ _id: 1 as never });
    await shop.createCollection('series', { timeseries: { timeField: 't' } });
    await shop.collection('series').insertOne({ t: new Date(0), n: 1 });
    await shop.createCollection('few', { viewOn: 'orders', pipeline: [{ $match: { who: 1 } }] });
    tidemark = await ServedTidemark.create();
    await tidemark.addCluster('Source', source().uri);
    await tidemark.addCluster('Target', target().uri);
    const cluster = `/api/atlas/v2/groups/${tidemark.credentials.projectId}/clusters/Source`;
    await tidemark.client.patch(cluster, { pitEnabled: true }, '2024-10-23');
    const status = `/api/tidemark/v1/groups/${tidemark.credentials.projectId}/clusters/Source/continuousBackup`;
    await until('the capture has begun', async () => {
      return (await tidemark.client.get<{ captured: object | null }>(status)).captured;
    });
    const { id } = await tidemark.requestSnapshot('Source');
    assert.equal((await tidemark.whenSnapshotEnds('Source', id)).status, 'completed');
    snapshotId = id;
    truth = await readTruth(source().client, null);
  });

  after(async () => await tidemark.remove());

  const path = (rest = '') =>
    `/api/atlas/v2/groups/${tidemark.credentials.projectId}/clusters/Source/collectionRestoreJobs${rest}`;

  const request = async (change: object): Promise<JobBody> =>
    await tidemark.client.post<JobBody>(
      path(),
      {
        targetClusterName: 'Target',
        targetGroupId: tidemark.credentials.projectId,
        indexStrategy: 'ALL',
        writeStrategy: 'CREATE_NEW',
        ...change,
      },
      VERSION,
    );

  const get = async (id: string) => await tidemark.client.get<JobBody>(path(`/${id}`), VERSION);

  const ended = async (id: string) =>
    await until(`collection restore ${id} ends`, async () => {
      const job = await get(id);
      return ['SUCCESSFUL', 'FAILED', 'CANCELED'].includes(job.state) ? job : null;
    });

  const collectionsOf = async (id: string) =>
    (await tidemark.client.get<{ results: CollectionBody[] }>(path(`/${id}/collections?itemsPerPage=500`), VERSION))
      .results;

  const now = async () => await readTruth(target().client, null);

  async function expectOnly(before: Truth, expected: Truth, names: Record<string, string>): Promise<void> {
    assert.deepEqual(compareTruth(besides(before, renamed(expected, names)), await now()), []);
  }

  test('a database and a collection of a snapshot, beside what is there', async () => {
    await target()
      .client.db('shop')
      .collection('orders')
      .insertOne({ _id: 'mine' as never });
    const before = await now();
    const { id, state } = await request({ snapshotId, databases: [{ sourceNamespace: 'shop' }] });
    assert.equal(state, 'INITIALIZING');
    await assert.rejects(request({ snapshotId, databases: [{ sourceNamespace: 'shop' }] }), /IN_PROGRESS/);
    const job = await ended(id);
    assert.deepEqual([job.state, job.errorMessage], ['SUCCESSFUL', undefined]);
    assert.equal(job.restoredDocuments, DOCUMENTS + 2);
    assert.equal(job.totalDocuments, DOCUMENTS + 2);
    const names = ['orders', 'small', 'series', 'system.buckets.series', 'few'];
    await expectOnly(before, truth, Object.fromEntries(names.map((name) => [`shop.${name}`, `shop_restored.${name}`])));
    const collections = await collectionsOf(id);
    assert.deepEqual(collections.map(({ sourceNamespace, state: of }) => `${sourceNamespace} ${of}`).sort(), [
      'shop.few SUCCESSFUL',
      'shop.orders SUCCESSFUL',
      'shop.series SUCCESSFUL',
      'shop.small SUCCESSFUL',
    ]);
    const one = await tidemark.client.get<CollectionBody>(path(`/${id}/collections/shop.orders`), VERSION);
    assert.equal(one.effectiveTargetNamespace, 'shop_restored.orders');
  });

  test('a collection as it was before it was emptied, in the place of what became of it', async () => {
    const { operationTime } = await source()
      .client.db('admin')
      .command({ appendOplogNote: 1, data: { here: 1 }, writeConcern: { w: 'majority' } });
    await source().client.db('shop').collection('orders').deleteMany({ who: 3 });
    const wanted = {
      oplogTs: operationTime.getHighBits() >>> 0,
      oplogInc: operationTime.getLowBits() >>> 0,
      collections: [{ sourceNamespace: 'shop.orders' }],
      targetClusterName: 'Source',
      writeStrategy: 'OVERWRITE_EXISTING',
    };
    const { id } = await until('the point is captured', async () => {
      return await request(wanted).catch((error: unknown) => {
        if (String(error).includes('INVALID_PIT_RESTORE_TIME')) return null;
        throw error;
      });
    });
    assert.equal((await ended(id)).state, 'SUCCESSFUL');
    assert.deepEqual(compareTruth(truth, await readTruth(source().client, null)), []);
  });

  test('a name that the backup does not have: the job fails, and nothing was touched', async () => {
    const before = await now();
    const named = [{ sourceNamespace: 'shop.small' }, { sourceNamespace: 'shop.none' }];
    const job = await ended((await request({ snapshotId, collections: named })).id);
    assert.equal(job.state, 'FAILED');
    assert.match(job.errorMessage ?? '', /^shop\.none is not in the backup/);
    assert.deepEqual(
      (await collectionsOf(job.id)).map(({ state }) => state),
      ['NOT_RESTORED', 'NOT_FOUND'],
    );
    assert.deepEqual(compareTruth(before, await now()), []);
  });

  /** A restore that is being loaded: it has made its own collections on the target. */
  async function loading(databaseSuffix: string): Promise<string> {
    const { id } = await request({
      snapshotId,
      collections: [{ sourceNamespace: 'shop.orders' }, { sourceNamespace: 'shop.series' }],
      databaseSuffix,
      writeStrategy: 'OVERWRITE_EXISTING',
    });
    await until('the restore has begun to load', async () => {
      const staged = await target()
        .client.db(`shop${databaseSuffix}`)
        .listCollections({ name: /^tidemark_restore_/ })
        .toArray();
      return staged.length > 0 || (await get(id)).state === 'SUCCESSFUL' ? true : null;
    });
    return id;
  }

  test('the process is killed while it loads: the next start ends it, and leaves nothing of the first', async () => {
    const before = await now();
    const id = await loading('_again');
    await tidemark.kill();
    await tidemark.restart();
    assert.equal((await ended(id)).state, 'SUCCESSFUL');
    const names = ['orders', 'series', 'system.buckets.series'];
    await expectOnly(before, truth, Object.fromEntries(names.map((name) => [`shop.${name}`, `shop_again.${name}`])));
  });

  test('it is cancelled while it loads: the target is as it was', async () => {
    const { projectId } = tidemark.credentials;
    for (let tries = 1; ; tries++) {
      const before = await now();
      // Each time beside what is there: a series that is replaced has to go before the other is made.
      const id = await loading(`_cancelled_${tries}`);
      const task = `/api/tidemark/v1/groups/${projectId}/clusters/Source/collectionRestoreJobs/${id}/task`;
      await tidemark.client.delete(task).catch(() => undefined);
      const job = await ended(id);
      // It was quicker than we were: another.
      if (job.state === 'SUCCESSFUL' && tries < TRIES_MAX) continue;
      assert.deepEqual([job.state, job.errorMessage], ['CANCELED', 'cancelled on request']);
      assert.deepEqual(compareTruth(before, await now()), []);
      const states = (await collectionsOf(id)).map(({ state }) => state);
      return assert.deepEqual(states, ['NOT_RESTORED', 'NOT_RESTORED']);
    }
  });
});
