import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCommandLine } from '../../test/support/command-line.ts';
import { compareTruth } from '../../test/support/compare.ts';
import { createDirectory } from '../../test/support/mongod.ts';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { besides, renamed } from '../../test/support/restored-collections.ts';
import { readTruth, type Truth } from '../../test/support/truth.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';

interface Answer {
  jobId?: string;
  collections: { source: string; target: string; state: string; documents: number }[];
}

describe('tidemark collection restore', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target' });
  let directory: string;
  let dataDir: string;
  let truth: Truth;

  before(async () => {
    directory = await createDirectory();
    dataDir = join(directory, 'data');
    const shop = source().client.db('shop');
    await shop.collection('orders').insertMany([{ _id: 1 as never }, { _id: 2 as never }]);
    await shop.collection('orders').createIndex({ a: 1 }, { expireAfterSeconds: 60 });
    await source()
      .client.db('lab')
      .collection('runs')
      .insertOne({ _id: 1 as never });
    await runTidemark(['init', '--data-dir', dataDir]);
    await runTidemark(['cluster', 'add', 'Source', '--uri', source().uri, '--data-dir', dataDir]);
    await runTidemark(['cluster', 'add', 'Target', '--uri', target().uri, '--data-dir', dataDir]);
    await runTidemark(['snapshot', 'take', 'Source', '--data-dir', dataDir]);
    truth = await readTruth(source().client, null);
  });

  after(async () => await rm(directory, { recursive: true, force: true }));

  const restore = async (...rest: string[]): Promise<Answer> =>
    (await runTidemark(['collection', 'restore', ...rest, '--snapshot', 'latest'])) as Answer;

  test('a database and a renamed collection into a registered cluster, as a job', async () => {
    const before = await readTruth(target().client, null);
    const done = await restore('lab', 'shop.orders=mine.orders', '--to', 'Target', '--data-dir', dataDir);
    const names = { 'lab.runs': 'lab.runs', 'shop.orders': 'mine.orders' };
    const expected = besides(before, renamed(truth, names));
    assert.deepEqual(compareTruth(expected, await readTruth(target().client, null)), []);
    assert.match(done.jobId ?? '', /^[0-9a-f]{24}$/);
    assert.deepEqual(done.collections.map(({ source: from, target: to, documents }) => [from, to, documents]).sort(), [
      ['lab.runs', 'lab.runs', 1],
      ['shop.orders', 'mine.orders', 2],
    ]);
  });

  test('from a repository by itself, in the place of what is there, without the indexes of expiry', async () => {
    await target()
      .client.db('mine')
      .collection('orders')
      .insertOne({ _id: 'more' as never });
    const place = ['--repository', join(dataDir, 'repository'), '--uri', target().uri];
    const how = ['--overwrite', '--yes', '--indexes', 'allExceptTtl'];
    const done = await restore('shop.orders=mine.orders', ...place, ...how);
    assert.deepEqual(
      done.collections.map(({ state }) => state),
      ['SUCCESSFUL'],
    );
    const orders = target().client.db('mine').collection('orders');
    assert.equal(await orders.countDocuments(), 2);
    assert.deepEqual(Object.keys(await orders.indexInformation()), ['_id_']);
  });

  test('what is repeated says under which name it was put, and why', async () => {
    const args = ['collection', 'restore', 'lab', 'shop.orders=mine.orders', '--snapshot', 'latest', '--to', 'Target'];
    const { output, errors } = await runCommandLine([...args, '--data-dir', dataDir]);
    const lab = 'lab.runs -> lab_restored.runs (what is called lab.runs was there before, and stays as it is)';
    const orders =
      'shop.orders -> mine.orders_restored (what is called mine.orders was there before, and stays as it is)';
    assert.ok(output.includes(`  ${lab}\n`) && output.includes(`  ${orders}\n`), output + errors);
    const other = await runCommandLine([...args, '--collection-suffix', '_new', '--data-dir', dataDir]);
    assert.match(other.output, /shop\.orders -> mine\.orders_new\n/);
    assert.doesNotMatch(other.output, /mine\.orders was there/);
  });

  test('says what is wrong', async () => {
    const to = ['--to', 'Target', '--data-dir', dataDir];
    await assert.rejects(restore('shop.none', ...to), /shop\.none is not in the backup/);
    await assert.rejects(restore('shop.orders', ...to, '--overwrite'), /--yes/);
    await assert.rejects(restore('shop.orders=other', ...to), /collection that of a collection/);
    await assert.rejects(restore('admin', '--uri', target().uri, '--data-dir', dataDir), /name that cannot be: admin/);
  });
});
