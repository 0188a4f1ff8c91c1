import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Timestamp } from 'mongodb';
import { ClusterTailing } from '../../../test/support/cluster-tailing.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { restoreChosen } from '../../../test/support/restored-collections.ts';
import { type ShardedCluster, useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { readTruth, type Truth } from '../../../test/support/truth.ts';
import { type Timestamp64, timestampParts } from '../../bson/timestamp.ts';
import { SourceMember } from '../../mongo/source-member.ts';
import type { TakenSnapshot } from '../take/take-snapshot.ts';

after(() => ClusterTailing.stopAll());

const DOCUMENTS = 300;
const { signal } = new AbortController();

interface Event {
  _id: number;
  a: number;
  b: number;
  n: number | string;
}

describe('points in time behind a resharding', () => {
  const source = useShardedCluster({
    setParameters: { orphanCleanupDelaySecs: 0, reshardingMinimumOperationDurationMillis: 0 },
  });
  const target = useShardedCluster({ prefix: 't', setParameters: { disableResumableRangeDeleter: true } });
  const alone = useReplicaSet({ name: 'alone' });
  let fixture: ShardedFixture;
  let first: TakenSnapshot;
  let second: TakenSnapshot;
  /** As the times were, before, during and after, of the collection as it was and as it became. */
  const points: { what: string; ts: Timestamp64; expected: Truth[] }[] = [];
  const during: Timestamp64[] = [];

  const events = (shard: number) =>
    source()
      .shard(shard)
      .set.client.db('app', { writeConcern: { w: 'majority' } })
      .collection<Event>('events');

  const truthAt = async (cluster: ShardedCluster, ts: Timestamp64 | null): Promise<Truth[]> => {
    const truths: Truth[] = [];
    for (const { set } of cluster.shards)
      truths.push(await readTruth(set.client, ts === null ? null : new Timestamp(timestampParts(ts))));
    return truths;
  };

  before(async () => {
    await source().createDatabase('app', 0);
    await source().shardCollection('app', 'events', { a: 1 });
    const all = Array.from({ length: DOCUMENTS }, (_, n) => ({ _id: n, a: n, b: (n * 7) % DOCUMENTS, n: 0 }));
    await events(0).insertMany(all);
    await source().moveRange('app', 'events', 1, { a: DOCUMENTS / 2 });
    for (const shard of [0, 1]) await events(shard).createIndex({ n: 1, b: 1 });
    fixture = await ShardedFixture.create(source());
    const tailing = new ClusterTailing(source(), fixture);
    const note = async (what: string) => {
      const ts = await tailing.mark();
      points.push({ what, ts, expected: await truthAt(source(), ts) });
    };
    await tailing.mark();
    first = await fixture.take();
    for (const shard of [0, 1]) await events(shard).updateMany({ n: 0 }, { $set: { n: 1 } });
    await note('before it');
    let under = true;
    const watching = (async () => {
      const member = new SourceMember(source().config.client, 'config');
      while (under) during.push((await member.sharedTime(signal)).ts);
    })();
    await source()
      .reshardCollection('app', 'events', { b: 1 })
      .finally(() => {
        under = false;
      });
    await watching;
    for (const shard of [0, 1]) await events(shard).updateMany({ b: { $lt: 20 } }, { $set: { n: 'resharded' } });
    await note('behind it');
    second = await fixture.take();
    await source().moveRange('app', 'events', 0, { b: DOCUMENTS - 60 });
    for (const shard of [0, 1]) await events(shard).deleteMany({ b: { $gt: DOCUMENTS - 30 } });
    await note('behind it and the snapshot that followed');
    await tailing.stop();
  });

  test('are exact from the snapshot that followed it, and from the one before', async () => {
    const wanted = points.flatMap((point, index) =>
      index === 2
        ? [
            { ...point, taken: first },
            { ...point, taken: second },
          ]
        : [{ ...point, taken: first }],
    );
    for (const { what, ts, expected, taken } of wanted) {
      await fixture.restore(target().uri, taken, { ts, inclusive: true });
      for (const [index, truth] of (await truthAt(target(), null)).entries())
        assert.deepEqual(compareTruth(expected[index] as Truth, truth), [], `${what}: shard ${index}`);
      const routed = [...(await target().findRouted('app', 'events')).values()].flat();
      const left = what === 'behind it and the snapshot that followed' ? DOCUMENTS - 29 : DOCUMENTS;
      assert.equal(new Set(routed.map(({ _id }) => _id)).size, left, what);
      assert.equal(routed.length, left, what);
    }
  });

  test('have their chosen collections whole in a replica set', async () => {
    for (const { what, ts } of points) {
      const point = { end: { ts, inclusive: true }, slices: fixture.repository };
      const run = { uri: alone().uri, pointInTime: point, writeStrategy: 'overwriteExisting' as const };
      await restoreChosen(fixture, first, { collections: { 'app.events': 'app.events' } }, run);
      const left = what === 'behind it and the snapshot that followed' ? DOCUMENTS - 29 : DOCUMENTS;
      assert.equal(await alone().client.db('app').collection('events').countDocuments(), left, what);
    }
  });

  test('are refused while it is under way, before anything is touched', async () => {
    const middle = during[Math.floor(during.length / 2)] as Timestamp64;
    const untouched = await truthAt(target(), null);
    await assert.rejects(
      fixture.restore(target().uri, first, { ts: middle, inclusive: true }),
      /a resharding was going on on .*not touched/,
    );
    assert.deepEqual(await truthAt(target(), null), untouched);
  });
});
