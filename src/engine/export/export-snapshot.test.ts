import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raw } from '../../../test/exactness/raw-values.ts';
import {
  assertWhole,
  bucket,
  completed,
  contents,
  emptyOf,
  exportInto,
  orders,
  prefix,
  sizeOf,
  withSnapshot,
} from '../../../test/support/export-fixture.ts';
import { exportedObjects } from '../../../test/support/exported.ts';
import { FaultyStore, writeFaults } from '../../../test/support/faulty-store.ts';
import { Fault } from '../../lib/errors.ts';
import type { Progress } from '../../lib/progress.ts';
import type { ObjectStore } from '../../storage/object-store.ts';

test('an export is the documents of every collection, how to make them, and what says that it is whole', async () => {
  const repository = await withSnapshot(contents);
  const store = bucket();
  const reports: Progress[] = [];
  const exported = await exportInto(store, repository, { report: (progress) => reports.push(progress) });
  const objects = await exportedObjects(store, prefix);
  assertWhole(objects, contents);
  assert.ok([...objects.keys()].filter((name) => name.startsWith('shop/orders/')).length > 3, 'several files');
  assert.deepEqual(JSON.parse((objects.get('shop/orders/metadata.json') as Buffer).toString()), {
    indexes: [{ v: { $numberInt: '2' }, key: { _id: { $numberInt: '1' } }, name: '_id_' }],
    uuid: Buffer.from('orders'.padEnd(16)).toString('hex'),
    collectionName: 'orders',
    options: { collation: { locale: 'de' } },
  });
  assert.equal(
    JSON.parse((objects.get('shop/a%2Fb%25%2E/metadata.json') as Buffer).toString()).collectionName,
    'a/b%.',
  );
  const whole = JSON.parse((objects.get('.complete') as Buffer).toString());
  assert.equal(whole.snapshotInitiationDate, '2026-08-10T03:27:08.123Z');
  assert.deepEqual(whole.customData, completed.customData);
  assert.equal(whole.totalFiles, objects.size - 1);
  assert.deepEqual(exported, {
    collections: 4,
    documents: 42,
    bytes: sizeOf(contents),
    files: objects.size - 1,
    leftOut: { named: [], count: 0 },
  });
  assert.equal((await store.head('exported_snapshots/.permissioncheck'))?.sizeBytes, 0);
  assert.deepEqual(
    [reports[0]?.collectionsDone, reports.at(-1)?.collectionsDone, reports.at(-1)?.collectionsTotal],
    [0, 4, 4],
  );
});

test('views, system collections and the databases of the server are left out', async () => {
  const repository = await withSnapshot({ orders }, (entries) => [
    ...entries,
    emptyOf('a view', { type: 'view', uuid: null }),
    emptyOf('system.views', {}),
    emptyOf('system.users', { db: 'admin' }),
    emptyOf('mine', { db: 'admin' }),
    emptyOf('settings', { db: 'config' }),
  ]);
  const store = bucket();
  const exported = await exportInto(store, repository);
  assert.equal(exported.collections, 2);
  const folders = new Set(
    [...(await exportedObjects(store, prefix)).keys()].map((name) => name.split('/').slice(0, -1).join('/')),
  );
  assert.deepEqual([...folders].sort(), ['', 'admin/mine', 'shop/orders']);
});

test('cut off at any write and taken up again, an export is the same objects, complete once', async () => {
  const repository = await withSnapshot(contents);
  const whole = bucket();
  await exportInto(whole, repository);
  const expected = await exportedObjects(whole, prefix);
  const writes = expected.size + 1;
  for (let faultyWrite = 1; faultyWrite <= writes; faultyWrite++) {
    for (const fault of writeFaults) {
      const store = bucket();
      const faulty = new FaultyStore(store, { faultyWrite, fault });
      await assert.rejects(exportInto(faulty, repository), (error) => error instanceof Fault);
      const left = await exportedObjects(store, prefix);
      const happened = fault === 'killed after' || fault === 'unacknowledged';
      assert.equal(
        left.has('.complete'),
        faultyWrite === writes && happened,
        `only a whole export is called one: ${faultyWrite} ${fault}`,
      );
      const again = new FaultyStore(store);
      const exported = await exportInto(again, repository, { resumed: true });
      assert.deepEqual(await exportedObjects(store, prefix), expected, `${faultyWrite} ${fault}`);
      assert.equal(exported.files, expected.size - 1);
      assert.ok(again.writes <= writes - left.size + 1, 'what is there is not put again, but for .complete');
    }
  }
});

test('a bucket that may not be listed is written again, and nothing in it is replaced', async () => {
  const repository = await withSnapshot(contents);
  const store = bucket();
  await assert.rejects(exportInto(new FaultyStore(store, { faultyWrite: 6 }), repository));
  const blind: ObjectStore = {
    description: 'a bucket for writing',
    put: async (objectKey, body, options) => await store.put(objectKey, body, options),
    get: async () => await Promise.reject(new Error('denied')),
    head: async () => await Promise.reject(new Error('denied')),
    list: () => {
      throw new Error('denied');
    },
    delete: async () => await Promise.reject(new Error('nothing is deleted')),
  };
  await exportInto(blind, repository, { resumed: true });
  assertWhole(await exportedObjects(store, prefix), contents);
});

test('a store that refuses is named, with the object, and keeps no mark of completeness', async () => {
  const repository = await withSnapshot(contents);
  const store = bucket();
  const full: ObjectStore = {
    description: 'a full bucket',
    put: async (objectKey, body, options) => {
      if (objectKey.endsWith('metadata.json'))
        throw new Fault({ op: 'put', subject: 'x', message: 'no room', retryable: true });
      await store.put(objectKey, body, options);
    },
    get: async (objectKey) => await store.get(objectKey),
    head: async (objectKey) => await store.head(objectKey),
    list: (from) => store.list(from),
    delete: async (objectKey) => await store.delete(objectKey),
  };
  await assert.rejects(exportInto(full, repository), (error) => {
    assert.ok(error instanceof Fault && error.retryable);
    assert.match(error.message, /metadata\.json could not be written to a full bucket: no room/);
    return true;
  });
  assert.ok(!(await exportedObjects(store, prefix)).has('.complete'));
});

test('an export that is told to stop stops', async () => {
  const repository = await withSnapshot(contents);
  const stop = new AbortController();
  const store = bucket();
  const stopping = new FaultyStore(store, { beforeWrite: async () => stop.abort(new Error('stop')) });
  await assert.rejects(exportInto(stopping, repository, { signal: stop.signal }), /stop/);
  assert.ok((await exportedObjects(store, prefix)).size < 3);
});

test('documents that a reader would take for others are left out and named, in a resumed export too', async () => {
  const odd = [5, 17].map((_id) => raw({ _id, x: { $oid: 'no hex' } }));
  const repository = await withSnapshot({ ...contents, orders: [...orders.slice(18), ...odd] });
  const store = bucket();
  const cutOff = new FaultyStore(store, { faultyWrite: 6 });
  await assert.rejects(exportInto(cutOff, repository));
  for (const into of [bucket(), store]) {
    const { leftOut, documents } = await exportInto(into, repository, { resumed: into === store });
    assert.deepEqual([leftOut.count, documents], [2, orders.length - 18 + odd.length + 2]);
    assert.deepEqual(leftOut.named.map(({ namespace, kind, name }) => [namespace, kind, name]).sort(), [
      ['shop.orders', 'document', '{"$numberInt":"17"}'],
      ['shop.orders', 'document', '{"$numberInt":"5"}'],
    ]);
    const objects = await exportedObjects(into, prefix);
    assertWhole(objects, { ...contents, orders: orders.slice(18) });
    const complete = JSON.parse(objects.get('.complete')?.toString('utf8') ?? '');
    assert.deepEqual(complete.leftOut, { named: leftOut.named, count: 2 });
  }
});

test('where nothing may be left out the export fails, and names what would have been', async () => {
  const odd = raw({ _id: 5, x: { $numberLong: '5' } });
  const repository = await withSnapshot({ ...contents, orders: [...orders.slice(6), odd] });
  const store = bucket();
  await assert.rejects(exportInto(store, repository, { jsonLoss: 'fail' }), (error) => {
    assert.ok(error instanceof Fault && !error.retryable);
    assert.match(error.message, /document \{"\$numberInt":"5"\} of shop\.orders/);
    return true;
  });
  assert.ok(!(await exportedObjects(store, prefix)).has('.complete'));
});
