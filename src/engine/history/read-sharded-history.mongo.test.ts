import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BSON } from 'mongodb';
import { ClusterTailing } from '../../../test/support/cluster-tailing.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import type { HistoryItem } from './history-item.ts';
import { readShardedHistory } from './read-sharded-history.ts';

after(() => ClusterTailing.stopAll());

const EVER = (1n << 63n) - 1n;
const idOf = (n: number) => Buffer.from([0x10, n, 0, 0, 0]);
const cluster = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 0 } });

test('the history of a document goes with it from shard to shard, and tells of no move', async () => {
  const fixture = await ShardedFixture.create(cluster());
  const { repository, clusterId } = fixture;
  await cluster().createDatabase('shop', 0);
  await cluster().shardCollection('shop', 'orders');
  const orders = (shard: number) =>
    cluster().shard(shard).set.client.db('shop').collection<{ _id: number; n: number }>('orders');
  await cluster().moveRange('shop', 'orders', 1, { _id: 1000 });
  // On the second shard an orphan: to those who look the first has the document.
  await orders(0).insertOne({ _id: 20, n: 1 });
  await orders(1).insertOne({ _id: 20, n: -1 });
  // Captured is what comes after.
  const note = { appendOplogNote: 1, data: {}, writeConcern: { w: 'majority' } };
  const moveOn = async () => {
    for (const set of cluster().sets) await set.client.db('admin').command(note);
  };
  await moveOn();
  const tailing = new ClusterTailing(cluster(), { repository, clusterId });
  await tailing.mark();
  const range = [{ _id: 5 }, { _id: 10 }] as const;
  const snapshots: { id: string; ts: Timestamp64; replicaSetNames: string[] }[] = [];
  const take = async () => {
    // Else it may be of the very time of the write before.
    await moveOn();
    const { header } = await fixture.take();
    const ts = timestampOf(header.clusterTime);
    snapshots.push({ id: header.snapshotId, ts, replicaSetNames: ['rs0', 'rs1', 'cfg'] });
  };
  await orders(0).insertOne({ _id: 7, n: 0 });
  await take();
  await orders(0).updateOne({ _id: 7 }, { $set: { n: 1 } });
  await cluster().moveRange('shop', 'orders', 1, ...range);
  await orders(1).updateOne({ _id: 7 }, { $set: { n: 2 } });
  await take();
  await orders(1).updateOne({ _id: 7 }, { $inc: { n: 1 } });
  // What is moved away is deleted before it can come back.
  await cluster().moveRange('shop', 'orders', 0, ...range);
  await orders(0).updateOne({ _id: 7 }, { $inc: { n: 1 } });
  await orders(0).deleteOne({ _id: 7 }, { writeConcern: { w: 'majority' } });
  await moveOn();
  const end = await tailing.mark();
  await tailing.stop();

  const history = async (window: { from?: Timestamp64; to?: Timestamp64; id?: number }): Promise<string[]> => {
    const items: HistoryItem[] = [];
    const options = {
      repository,
      clusterId,
      namespace: { db: 'shop', name: 'orders' },
      id: idOf(window.id ?? 7),
      snapshots,
    };
    const shards = [
      { shardName: 's0', replicaSetName: 'rs0' },
      { shardName: 's1', replicaSetName: 'rs1' },
    ];
    const { from = 0n, to = EVER } = window;
    const { signal } = new AbortController();
    for await (const item of readShardedHistory({ ...options, shards, from, to, signal, report: () => undefined }))
      items.push(item);
    return items.map((item) => {
      if (item.kind === 'unknown') return `unknown: ${item.cause}`;
      const content = item.document === null ? item.content : String(BSON.deserialize(item.document).n);
      return `${item.operation} on ${item.shardName}: ${content}`;
    });
  };
  const whole = await history({});
  assert.match(whole[0] ?? '', /unknown: s0.*nothing was captured before/);
  assert.deepEqual(
    whole.filter((line) => !line.startsWith('unknown')),
    [
      'insert on s0: 0',
      'update on s0: 1',
      'update on s1: 2',
      'update on s1: 3',
      'update on s0: 4',
      'delete on s0: absent',
    ],
  );
  assert.match(whole.at(-1) ?? '', /not captured yet/);
  const [, second] = snapshots;
  assert.deepEqual(await history({ from: second?.ts ?? 0n, to: second?.ts ?? 0n }), ['update on s1: 2']);
  assert.deepEqual(await history({ from: end, to: end }), ['delete on s0: absent']);
  const orphaned = await history({ id: 20 });
  assert.deepEqual(
    orphaned.filter((line) => !line.startsWith('unknown')),
    ['snapshot on s0: 1'],
  );
});
