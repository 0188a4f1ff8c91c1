import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { must } from '../../src/lib/assert.ts';
import { compareTruth } from '../support/compare.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { restoreArchive } from '../support/restore-archive.ts';
import { ServedTidemark, until } from '../support/served-tidemark.ts';
import { readTruth } from '../support/truth.ts';

/**
 * The service as it is run: a snapshot of a real server, its link, the file in two parts, and what is made of it
 * elsewhere by the driver alone.
 */

const source = useReplicaSet({ name: 'source' });
const target = useReplicaSet({ name: 'target' });

interface JobBody {
  id: string;
  deliveryUrl: string[];
  failed: boolean;
  finishedAt?: string;
}

test('a snapshot leaves the service as a file that makes another server equal to the source', async () => {
  const shop = source().client.db('shop');
  const orders = Array.from({ length: 20_000 }, (_, n) => ({ _id: n as never, text: Math.sin(n).toString(36) }));
  await shop.collection('orders').insertMany(orders);
  await shop.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' } });
  await shop
    .collection('series')
    .insertMany(orders.slice(0, 500).map((_, n) => ({ t: new Date(n * 1e4), m: n % 3, n })));
  await shop.createCollection('view', { viewOn: 'orders', pipeline: [] });
  const tidemark = await ServedTidemark.create();
  try {
    await tidemark.addCluster('shop', source().uri);
    const { id: snapshotId } = await tidemark.requestSnapshot('shop');
    assert.equal((await tidemark.whenSnapshotEnds('shop', snapshotId)).status, 'completed');
    const path = tidemark.path('shop', 'restoreJobs');
    const body = { deliveryType: 'download', snapshotId };
    const { id } = await tidemark.client.post<JobBody>(path, body, '2023-01-01');
    const job = async () => await tidemark.client.get<JobBody>(`${path}/${id}`, '2023-01-01');
    const { deliveryUrl } = await until('the link is there', async () => {
      const found = await job();
      assert.equal(found.failed, false);
      return found.deliveryUrl.length > 0 ? found : null;
    });
    const url = must(deliveryUrl[0], 'a link');
    const half = await fetch(url, { headers: { range: 'bytes=0-99999' } });
    assert.equal(half.status, 206);
    const first = Buffer.from(await half.arrayBuffer());
    const rest = await fetch(url, {
      headers: { range: `bytes=${first.length}-`, 'if-range': half.headers.get('etag') ?? '' },
    });
    const file = Buffer.concat([first, Buffer.from(await rest.arrayBuffer())]);
    const { port } = await target().primary();
    await restoreArchive(gunzipSync(file), target().client, port);
    const skip = (namespace: string) => namespace.startsWith('admin.');
    const differences = compareTruth(await readTruth(source().client, null), await readTruth(target().client, null), {
      skip,
    });
    assert.deepEqual(differences, []);
    await until('the link is used up', async () => ((await job()).finishedAt === undefined ? null : true));
    assert.equal((await fetch(url)).status, 410);
  } finally {
    await tidemark.remove();
  }
});
