import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SourceOplog } from '../../../test/exactness/source-oplog.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { asDocumentedUser } from '../../../test/support/documented-target.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { renamed, restoreChosen } from '../../../test/support/restored-collections.ts';
import { SnapshotRig } from '../../../test/support/snapshot-rig.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { must } from '../../lib/assert.ts';

const source = useReplicaSet({ name: 'source' });
const target = useReplicaSet({ name: 'target', auth: true });

test('the documented role is enough, over what is there and to a point in time', async () => {
  const uri = await asDocumentedUser(target());
  const shop = source().client.db('shop');
  await shop.collection('orders').insertMany([{ _id: 1 as never }, { _id: 2 as never }]);
  await shop.createCollection('series', { timeseries: { timeField: 't' } });
  await shop.collection('series').insertOne({ t: new Date(0) });
  await shop.createCollection('few', { viewOn: 'orders', pipeline: [] });
  const rig = await SnapshotRig.create();
  const taken = await rig.take(source().uri);
  await shop.collection('orders').updateOne({ _id: 1 as never }, { $set: { b: 1 } });
  await shop.collection('orders').deleteOne({ _id: 2 as never });
  await shop.collection('series').insertOne({ t: new Date(1) });
  const oplog = await SourceOplog.read(source().client);
  const end = { ts: must(oplog.moments.at(-1), 'there is an oplog').ts, inclusive: true };
  const databases = { shop: 'shop' };
  await restoreChosen(rig, taken, { databases }, { uri });
  const pointInTime = { end, source: oplog };
  await restoreChosen(rig, taken, { databases }, { uri, pointInTime, writeStrategy: 'overwriteExisting', attempt: 2 });
  const names = ['orders', 'series', 'system.buckets.series', 'few'].map((name) => `shop.${name}`);
  const expected = renamed(
    await readTruth(source().client, null),
    Object.fromEntries(names.map((name) => [name, name])),
  );
  const actual = await readTruth(target().client, null);
  assert.deepEqual(compareTruth(expected, actual, { skip: (name) => name.startsWith('admin.') }), []);
});
