import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { oplogAfter } from '../../src/engine/replay/slice-oplog.ts';
import { must } from '../../src/lib/assert.ts';
import { readManifest } from '../../src/repository/manifests.ts';
import { compareTruth } from '../support/compare.ts';
import { type MemberSettings, type ReplicaSet, withReplicaSet } from '../support/replica-set.ts';
import { ShardedCluster } from '../support/sharded-cluster.ts';
import { ShardedFixture } from '../support/sharded-fixture.ts';
import { SnapshotFixture } from '../support/snapshot-fixture.ts';
import { Tailing } from '../support/tailing.ts';
import { readTruth } from '../support/truth.ts';

/** A replica set that is not equal members, and what each piece of work makes of it. */
interface Row {
  name: string;
  members: readonly MemberSettings[];
  /** Which of them is killed before anything is done. The set's primary is the first. */
  down?: number;
  /** Which one is read from; by its own connection string where `direct` says so. */
  readFrom: number;
  direct?: boolean;
}

const PASSIVE = { priority: 0, votes: 0 } as const;
const NO_INDEXES = { priority: 0, hidden: true, votes: 0, buildIndexes: false } as const;

const rows: readonly Row[] = [
  { name: 'hidden', members: [{}, PASSIVE, { ...PASSIVE, hidden: true }], readFrom: 2 },
  { name: 'delayed', members: [{}, { ...PASSIVE, hidden: true, secondaryDelaySecs: 3600 }], readFrom: 0 },
  { name: 'an arbiter', members: [{}, { priority: 0 }, { arbiterOnly: true }], readFrom: 1 },
  { name: 'without indexes', members: [{}, NO_INDEXES], readFrom: 1 },
  { name: 'without indexes, by its own connection string', members: [{}, NO_INDEXES], readFrom: 1, direct: true },
  {
    name: 'without indexes and with a vote',
    members: [{}, { priority: 0, buildIndexes: false }],
    readFrom: 1,
  },
  { name: 'without votes', members: [{}, PASSIVE], readFrom: 1 },
  { name: 'down', members: [{}, { priority: 0 }, { priority: 0 }], down: 1, readFrom: 2 },
];

async function fill(set: ReplicaSet, round: number): Promise<void> {
  const db = set.client.db('shop');
  if (round === 1) {
    await db.createCollection('orders', { collation: { locale: 'en' }, validator: { n: { $gte: 0 } } });
    await db.collection('orders').createIndex({ n: 1 }, { unique: true, name: 'by n', commitQuorum: 1 });
  }
  const rows = Array.from({ length: 200 }, (_, i) => ({ n: round * 1_000 + i }));
  await db.collection('orders').insertMany(rows);
  await db.collection('orders').deleteOne({ n: round * 1_000 });
  await db.collection(`younger${round}`).createIndex({ at: -1 }, { commitQuorum: 1 });
  await db.collection(`younger${round}`).insertOne({ at: round });
  // Also for members that may acknowledge nothing: what is compared is what the primary has.
  await set.client.db('admin').command({ appendOplogNote: 1, data: { round }, writeConcern: { w: 'majority' } });
}

describe('members of every configuration', () => {
  after(() => Tailing.stopAll());

  for (const { name, members, down, readFrom, direct } of rows) {
    test(`${name}: a snapshot, an increment, a point of the captured oplog and a restore are exact`, async () => {
      await withReplicaSet({ members }, async (set) => {
        if (down !== undefined) await must(set.members[down], 'a member').kill();
        const source = must(set.members[readFrom], 'a member');
        const uri = direct ? set.directUri(source) : set.uri;
        const fixture = await SnapshotFixture.create(uri);
        const tailing = new Tailing(set, { uri, clusterId: fixture.clusterId, repository: fixture.repository });
        await tailing.begun();

        await fill(set, 1);
        const expected = [await readTruth(set.client, null)];
        const first = await fixture.take();
        assert.equal(first.sourceHost, source.address);

        await fill(set, 2);
        expected.push(await readTruth(set.client, null));
        const second = await fixture.take();
        assert.equal(second.sourceHost, source.address);
        assert.ok(second.statistics.documentsRead < 250, `${second.statistics.documentsRead} documents were read`);

        await fill(set, 3);
        expected.push(await readTruth(set.client, null));
        const point = await tailing.mark();
        await tailing.stop();
        const signal = new AbortController().signal;
        const pointInTime = {
          end: { ts: point, inclusive: true },
          source: await oplogAfter(fixture.repository, second.header, point, signal),
        };

        const restores = [() => fixture.restore(set.uri, first), () => fixture.restore(set.uri, second)];
        restores.push(() => fixture.restore(set.uri, second, { pointInTime }));
        for (const [at, restore] of restores.entries()) {
          await restore();
          const wanted = must(expected[at], 'a truth for each');
          assert.deepEqual(compareTruth(wanted, await readTruth(set.client, null)), [], `restore ${at}`);
        }
      });
    });
  }

  test('a shard with a member without indexes: the snapshot of the cluster, and the next one, have all of them', async () => {
    const cluster = await ShardedCluster.start({ shards: 1, shardMembers: [{}, NO_INDEXES] });
    try {
      await cluster.createDatabase('shop', 0);
      await cluster.shardCollection('shop', 'orders');
      const orders = cluster.shard(0).set.client.db('shop').collection('orders');
      const fixture = await ShardedFixture.create(cluster);
      const { signal } = new AbortController();
      for (const field of ['n', 'm']) {
        await orders.insertOne({ [field]: 1 });
        await orders.createIndex({ [field]: 1 }, { commitQuorum: 1 });
        const { header, sourceHost } = await fixture.take();
        assert.match(sourceHost, new RegExp(must(cluster.shard(0).set.members[1], 'the hidden member').address));
        const name = { clusterId: fixture.clusterId, snapshotId: header.snapshotId };
        const { collections } = await readManifest(fixture.repository, name, { signal });
        const found = must(
          collections.find((entry) => entry.db === 'shop' && entry.name === 'orders'),
          'the collection',
        );
        assert.equal(found.indexes.length, field === 'n' ? 2 : 3);
      }
    } finally {
      await Promise.all(cluster.sets.map((set) => set.stop()));
    }
  });

  test('a primary and an arbiter without their secondary: nothing hangs, and a restore is refused before its target is touched', async () => {
    await withReplicaSet({ members: [{}, { priority: 0 }, { arbiterOnly: true }] }, async (set) => {
      await fill(set, 1);
      const fixture = await SnapshotFixture.create(set.uri);
      const taken = await fixture.take();
      await set.client
        .db('shop')
        .collection('orders')
        .updateMany({}, { $set: { late: true } }, { writeConcern: { w: 'majority' } });
      await must(set.members[1], 'the secondary').kill();
      const before = await readTruth(set.client, null);
      const entries = await set.client
        .db('local')
        .collection('oplog.rs')
        .countDocuments({ op: { $ne: 'n' } });
      await assert.rejects(
        fixture.restore(set.uri, taken, { limits: { majorityMsMax: 1_000 } }),
        /no majority of the members of rs had a write within 1 s \(127\.0\.0\.1:\d+ is DOWN, .*no data of the target was touched/,
      );
      assert.deepEqual(compareTruth(before, await readTruth(set.client, null)), []);
      const after = await set.client
        .db('local')
        .collection('oplog.rs')
        .countDocuments({ op: { $ne: 'n' } });
      assert.equal(after, entries, 'nothing but a note was written');
      await set.client
        .db('shop')
        .collection('orders')
        .insertOne({ n: 5 }, { writeConcern: { w: 1 } });
      await assert.rejects(
        fixture.take({ limits: { waitMsMax: 1_000, memberLossesMax: 0 } }),
        /waited 1 s in vain for its writes to be majority-committed/,
      );
    });
  });

  test('a secondary that dies while a restore works: what waits for it says so and ends', async () => {
    await withReplicaSet({ members: [{}, { priority: 0 }, { arbiterOnly: true }] }, async (set) => {
      await fill(set, 1);
      const fixture = await SnapshotFixture.create(set.uri);
      const taken = await fixture.take();
      const secondary = must(set.members[1], 'the secondary');
      let killed: Promise<void> | null = null;
      const restoring = fixture.restore(set.uri, taken, {
        limits: { stallMsMax: 1_500, lookEveryMs: 50 },
        report: ({ phase }) => {
          if (phase === 'clearing the target') killed ??= secondary.kill();
        },
      });
      await assert.rejects(
        restoring,
        /left the target incomplete: while [a-z ]+, a majority of the members of .* did not get on for 2 s/,
      );
      await must(killed as Promise<void> | null, 'the secondary was killed');
    });
  });
});
