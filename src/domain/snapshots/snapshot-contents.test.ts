import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../../test/support/domain-world.ts';
import { Refusal } from '../refusals/refusals.ts';
import { byDatabase } from './create-snapshot-contents.ts';

const page = { pageNum: 1, itemsPerPage: 2, includeCount: true };
const refused = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;

test('contents are in order, without the server’s own', () => {
  const found = byDatabase(
    [
      ['shop', 'orders'],
      ['admin', 'system.users'],
      ['shop', 'system.js'],
      ['lab', 'runs'],
      ['config', 'transactions'],
      ['shop', 'customers'],
    ].map(([db = '', collection = '']) => ({ db, collection })),
  );
  assert.deepEqual(
    [...found],
    [
      ['lab', ['runs']],
      ['shop', ['customers', 'orders']],
    ],
  );
});

test('what a completed snapshot holds is listed page by page, and found by name', async () => {
  await inWorld({}, async (world) => {
    const cluster = await world.withCluster();
    world.startWorker();
    world.manifests.held = ['a', 'b', 'c'].flatMap((db) => ['x', 'y.z'].map((collection) => ({ db, collection })));
    const name = { ...cluster, snapshotId: await world.takeWhole(cluster) };
    const contents = world.domain.snapshotContents;
    assert.deepEqual(await contents.listDatabases({ ...name, page }), { items: ['a', 'b'], totalCount: 3 });
    const second = { ...page, pageNum: 2, includeCount: false };
    assert.deepEqual(await contents.listDatabases({ ...name, page: second }), { items: ['c'] });
    assert.deepEqual(await contents.listCollections({ ...name, databaseName: 'b', page }), {
      items: ['x', 'y.z'],
      totalCount: 2,
    });
    await contents.requireDatabase({ ...name, databaseName: 'c' });
    await contents.requireCollection({ ...name, databaseName: 'c', collectionName: 'y.z' });
    await assert.rejects(contents.requireDatabase({ ...name, databaseName: 'd' }), refused('RESOURCE_NOT_FOUND'));
    await assert.rejects(
      contents.requireCollection({ ...name, databaseName: 'c', collectionName: 'z' }),
      refused('RESOURCE_NOT_FOUND'),
    );
    const running = await world.domain.snapshots.take(cluster);
    await assert.rejects(
      contents.listDatabases({ ...cluster, snapshotId: running.id, page }),
      refused('CANNOT_LIST_INCOMPLETE_SNAPSHOT'),
    );
    await world.domain.snapshots.delete(name);
    await assert.rejects(contents.listDatabases({ ...name, page }), refused('SNAPSHOT_NOT_FOUND'));
  });
});
