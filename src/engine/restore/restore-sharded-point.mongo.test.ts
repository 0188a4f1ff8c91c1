import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Document, Timestamp } from 'mongodb';
import { ClusterTailing } from '../../../test/support/cluster-tailing.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import type { ReplicaSet } from '../../../test/support/replica-set.ts';
import { needsServer } from '../../../test/support/server-version.ts';
import { ShardTransaction } from '../../../test/support/shard-transaction.ts';
import { past, type ShardedCluster, useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { readTruth, type Truth } from '../../../test/support/truth.ts';
import { type Timestamp64, timestampOf, timestampParts } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { SourceMember } from '../../mongo/source-member.ts';
import type { TakenSnapshot } from '../take/take-snapshot.ts';

after(() => ClusterTailing.stopAll());
const never = new AbortController().signal;

const bson = (ts: Timestamp64) => new Timestamp(timestampParts(ts));

/** What a snapshot read at that time sees, on each shard. */
async function truthAt(cluster: ShardedCluster, ts: Timestamp64): Promise<Truth[]> {
  const truths: Truth[] = [];
  for (const { set } of cluster.shards) truths.push(await readTruth(set.client, bson(ts)));
  for (const truth of truths) assert.deepEqual([...truth.unreadable], []);
  return truths;
}

async function requireEqual(expected: readonly Truth[], target: ShardedCluster, what: string): Promise<void> {
  for (const [index, truth] of expected.entries()) {
    const found = await readTruth(target.shard(index).set.client, null);
    assert.deepEqual(compareTruth(truth, found), [], `shard ${index}: ${what}`);
  }
}

interface Account {
  _id: number;
  n: number;
}

describe('a point in time of a sharded cluster', () => {
  // What was moved is deleted at once, so that it can be moved back.
  const source = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 0 } });
  // It leaves orphans alone, so that they can be looked at.
  const target = useShardedCluster({ prefix: 't', setParameters: { disableResumableRangeDeleter: true } });
  let fixture: ShardedFixture;
  let tailing: ClusterTailing;
  let first: TakenSnapshot;
  const sets = (): [ReplicaSet, ReplicaSet] => [source().shard(0).set, source().shard(1).set];
  const docs = (set: ReplicaSet) => set.client.db('bank').collection<Account>('accounts');

  before(async () => {
    fixture = await ShardedFixture.create(source());
    const { repository, clusterId } = fixture;
    tailing = new ClusterTailing(source(), { repository, clusterId });
    await source().createDatabase('bank', 0);
    await source().shardCollection('bank', 'accounts');
    const [a, b] = sets();
    await docs(a).insertMany(Array.from({ length: 50 }, (_, _id) => ({ _id, n: 0 })));
    await source().moveRange('bank', 'accounts', 1, { _id: 100 });
    await docs(b).insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: 100 + n, n: 0 })));
    await tailing.mark();
    first = await fixture.take();
  });
  after(async () => await tailing.stop());

  const transfer = async (n: number): Promise<ShardTransaction> => {
    const [a, b] = sets();
    const one = new ShardTransaction();
    await one.run(a, 'bank', { update: 'accounts', updates: [{ q: { _id: n }, u: { $inc: { n: -1 } } }] });
    await one.run(b, 'bank', { update: 'accounts', updates: [{ q: { _id: 100 + n }, u: { $inc: { n: 1 } } }] });
    return one;
  };
  const taken = () => must(fixture.last, 'taken');

  test('is what a snapshot read of every shard sees then, wherever the commits of a transaction over both stand in their oplogs', async () => {
    const [a, b] = sets();
    const one = await transfer(1);
    const moments = new Map<string, Timestamp64>();
    const note = async (name: string) => moments.set(name, await tailing.moveOn());
    await note('before');
    await one.prepare(a);
    await note('prepared on one');
    await one.prepare(b);
    moments.set('just before it is visible', timestampOf(one.commitTimestamp) - 1n);
    moments.set('visible', timestampOf(one.commitTimestamp));
    await note('committed nowhere');
    await one.commit(b);
    await note('committed on one');
    await one.commit(a);
    await note('committed on both');
    await tailing.mark();
    for (const [name, ts] of moments) {
      const expected = await truthAt(source(), ts);
      await fixture.restore(target().uri, taken(), { ts, inclusive: true });
      await requireEqual(expected, target(), name);
      const moved = [
        await docs(target().shard(0).set).findOne({ _id: 1 }),
        await docs(target().shard(1).set).findOne({ _id: 101 }),
      ];
      const done = ts >= timestampOf(one.commitTimestamp);
      assert.deepEqual(
        moved.map((found) => found?.n),
        done ? [-1, 1] : [0, 0],
        name,
      );
    }
  });

  /** Ends capturing while a transaction hangs, and begins it again when it is over. */
  async function capturedUpTo(hanging: () => Promise<Timestamp64>): Promise<Timestamp64> {
    const ts = await hanging();
    await tailing.mark();
    await tailing.stop();
    return ts;
  }

  function tailAgain(): void {
    const { repository, clusterId } = fixture;
    tailing = new ClusterTailing(source(), { repository, clusterId });
  }

  test('takes the word of another shard for a commit that was not captured, and is refused where nobody has one', async () => {
    const [a, b] = sets();
    const known = await transfer(2);
    const told = await capturedUpTo(async () => {
      await known.prepare(b);
      await known.prepare(a);
      await known.commit(b);
      return await tailing.moveOn();
    });
    await known.commit(a);
    const expected = await truthAt(source(), told);
    await fixture.restore(target().uri, taken(), { ts: told, inclusive: true });
    await requireEqual(expected, target(), 'committed on another shard');

    tailAgain();
    await tailing.mark();
    const unknown = await transfer(3);
    const untold = await capturedUpTo(async () => {
      await unknown.prepare(a);
      await unknown.prepare(b);
      return await tailing.moveOn();
    });
    const left = await readTruth(target().shard(0).set.client, null);
    const refused = fixture.restore(target().uri, taken(), { ts: untold, inclusive: true });
    await assert.rejects(refused, /prepared at .* on s\d is not decided as far as the oplogs were captured/);
    assert.deepEqual(compareTruth(left, await readTruth(target().shard(0).set.client, null)), [], 'not touched');
    await unknown.abort(b);
    tailAgain();
    await tailing.mark([b, source().config]);
    await unknown.abort(a);
    await tailing.mark();
    await fixture.restore(target().uri, taken(), { ts: untold, inclusive: true });
    await requireEqual(await truthAt(source(), untold), target(), 'aborted in the end');
  });

  test('is what an increment begins with: it reads what was captured of every replica set instead of their oplogs', async () => {
    const [a, b] = sets();
    const parent = taken();
    for (let n = 0; n < 200; n++)
      await docs(n % 2 === 0 ? a : b).updateOne({ _id: n % 2 === 0 ? 5 : 105 }, { $inc: { n: 1 } });
    await tailing.mark();
    const child = await fixture.take();
    assert.equal(child.header.parentSnapshotId, parent.header.snapshotId);
    const { sliceEntriesRead, scannedCollections } = child.statistics;
    assert.ok(sliceEntriesRead >= 200, `${sliceEntriesRead} entries from slices`);
    assert.equal(scannedCollections, 0);
    await fixture.requireExact(child);
  });

  test('brings along what was sharded, indexed, created and dropped since the snapshot, data and routing', async () => {
    const [a, b] = sets();
    await source().createDatabase('later', 1);
    await source().shardCollection('later', 'things');
    const things = (set: ReplicaSet) => set.client.db('later').collection<Account>('things');
    await things(b).insertMany(Array.from({ length: 20 }, (_, _id) => ({ _id, n: 1 })));
    await source().moveRange('later', 'things', 0, { _id: 10 });
    await things(a).createIndex({ n: -1 }, { name: 'since' });
    const majority = { writeConcern: { w: 'majority' } } as const;
    await things(b).createIndex({ n: -1 }, { name: 'since' });
    await b.client.db('later').collection<Account>('plain').insertOne({ _id: 1, n: 1 }, majority);
    const grown = await tailing.mark();
    const withAll = await truthAt(source(), grown);
    await source().dropCollection('later', 'things');
    await b.client.db('later').collection('plain').drop(majority);
    await docs(a).updateOne({ _id: 6 }, { $inc: { n: 1 } }, majority);
    const shrunk = await tailing.mark();
    const without = await truthAt(source(), shrunk);

    await fixture.restore(target().uri, taken(), { ts: grown, inclusive: true });
    await requireEqual(withAll, target(), 'with all of it');
    const routed = [...(await target().findRouted('later', 'things')).entries()];
    assert.deepEqual(
      routed.map(([shard, found]) => [shard, found.map((one) => Number(one._id)).toSorted((x, y) => x - y)]),
      [
        ['ts0', Array.from({ length: 10 }, (_, n) => 10 + n)],
        ['ts1', Array.from({ length: 10 }, (_, n) => n)],
      ],
    );
    assert.equal((await target().primaryShardOf('later')).id, 'ts1');
    const uuidOn = async (set: ReplicaSet) =>
      (await set.client.db('later').command({ listCollections: 1, filter: { name: 'things' } })).cursor.firstBatch[0]
        .info.uuid;
    assert.deepEqual(await uuidOn(target().shard(0).set), await uuidOn(target().shard(1).set));
    assert.deepEqual(await uuidOn(target().shard(0).set), await target().collectionUuid('later', 'things'));
    await fixture.restore(target().uri, taken(), { ts: shrunk, inclusive: true });
    await requireEqual(without, target(), 'with none of it');
    await assert.rejects(target().findRouted('later', 'things'), /knows later.things/);
  });

  test('brings sharded time series to it: measurements, buckets on the move, and another granularity', async (t) => {
    const missing = needsServer('6.0');
    if (missing !== false) return t.skip(`sharded time series: ${missing}`);
    const buckets = 'system.buckets.measured';
    const lab = (shard: number) =>
      source()
        .shard(shard)
        .set.client.db('lab', { writeConcern: { w: 'majority' } });
    const measure = async (name: string, from: number) => {
      const measured = Array.from({ length: 200 }, (_, n) => ({ t: new Date((from + n) * 1000), m: n % 10, n }));
      await lab(1).collection(name).insertMany(measured);
    };
    await source().createDatabase('lab', 1);
    for (const name of ['measured', 'younger']) {
      const key = { timeseries: { timeField: 't', metaField: 'm' } };
      await source().shardCollection('lab', name, { m: 1 }, key);
      await measure(name, 0);
      if (name === 'measured') await fixture.take();
    }
    const base = taken();
    await source().moveRange('lab', buckets, 0, { meta: 7 });
    await source().moveRange('lab', 'system.buckets.younger', 0, { meta: 2 }, { meta: 4 });
    await measure('measured', 1000);
    await source().modifyCollection('lab', 'measured', { timeseries: { granularity: 'minutes' } });
    await measure('measured', 5000);
    await source().moveRange('lab', buckets, 0, { meta: 1 }, { meta: 3 });
    const ts = await tailing.mark();
    const expected = await truthAt(source(), ts);
    for (const from of [base, first]) {
      await fixture.restore(target().uri, from, { ts, inclusive: true });
      await requireEqual(expected, target(), 'time series');
      for (const name of [buckets, 'system.buckets.younger']) {
        const routed = [...(await source().findRouted('lab', name)).values()];
        assert.deepEqual([...(await target().findRouted('lab', name)).values()], routed, name);
        assert.ok(routed.length === 2 && routed.every((held) => held.length > 0), name);
      }
    }
    const left = { listCollections: 1, filter: { name: buckets } };
    for (const { set } of target().shards) {
      const listed = await set.client.db('lab').command(left);
      assert.equal(listed.cursor.firstBatch[0].options.timeseries.granularity, 'minutes');
      assert.deepEqual(listed.cursor.firstBatch[0].info.uuid, await source().collectionUuid('lab', buckets));
    }
  });

  test('may lie inside migrations: every document is then on the shard that owns it, once, and the rest are orphans to be deleted', async () => {
    const [a] = sets();
    const moments: Timestamp64[] = [];
    let moving = true;
    const watching = (async () => {
      const members = source().sets.map((set) => new SourceMember(set.client, set.name));
      while (moving) for (const member of members) moments.push((await member.sharedTime(never)).ts);
    })();
    const counting = (async () => {
      for (let n = 0; moving; n++) await past(docs(a).updateOne({ _id: 40 + (n % 10) }, { $inc: { n: 1 } }));
    })();
    try {
      await source().moveRange('bank', 'accounts', 1, { _id: 10 }, { _id: 20 });
      await source().moveRange('bank', 'accounts', 0, { _id: 10 }, { _id: 20 });
      await source().moveRange('bank', 'accounts', 1, { _id: 20 }, { _id: 30 });
    } finally {
      moving = false;
      await Promise.all([watching, counting]);
    }
    await tailing.mark();
    const inside: Timestamp64[] = [];
    moments.sort((x, y) => (x < y ? -1 : 1));
    for (const ts of new Set(moments)) if ((await pendingAt(ts)) > 0) inside.push(ts);
    process.stdout.write(`${inside.length} of ${new Set(moments).size} moments lie inside a migration\n`);
    assert.ok(inside.length >= 3, `${inside.length} of ${moments.length} moments lie inside a migration`);
    const chosen = [0, 0.25, 0.5, 0.75, 1].map((part) => must(inside[Math.floor(part * (inside.length - 1))], 'one'));
    for (const ts of [must(moments[0], 'the first'), ...chosen, must(moments.at(-1), 'the last')]) {
      const what = `${timestampParts(ts).t}.${timestampParts(ts).i}`;
      const expected = await truthAt(source(), ts);
      await fixture.restore(target().uri, taken(), { ts, inclusive: true });
      await requireEqual(expected, target(), what);
      const routed = [...(await target().findRouted('bank', 'accounts')).values()].flat();
      const ids = routed.map((one) => Number(one._id)).toSorted((x, y) => x - y);
      assert.deepEqual(ids, [...Array(50).keys(), ...Array.from({ length: 50 }, (_, n) => 100 + n)], what);
      await requireLedgersSettled(what);
    }
  });

  /** Ranges on either shard that a migration of that time is about. */
  async function pendingAt(ts: Timestamp64): Promise<number> {
    let pending = 0;
    for (const set of sets()) {
      const reply = await set.client.db('config').command({
        find: 'rangeDeletions',
        filter: { pending: true },
        readConcern: { level: 'snapshot', atClusterTime: bson(ts) },
      });
      pending += (reply.cursor.firstBatch as Document[]).length;
    }
    return pending;
  }

  /** Whoever does not own a range but has documents of it has a note that they go; no owner has one. */
  async function requireLedgersSettled(what: string): Promise<void> {
    const routed = await target().findRouted('bank', 'accounts');
    for (const { id, set } of target().shards) {
      const deletions = await set.client.db('config').collection('rangeDeletions').find().toArray();
      assert.deepEqual(
        deletions.filter((one) => one.pending === true),
        [],
        what,
      );
      const owned = new Set((routed.get(id) ?? []).map((one) => Number(one._id)));
      const covered = (n: number) =>
        deletions.some(
          ({ range }) => Number(range.min._id) <= n && (typeof range.max._id !== 'number' || n < range.max._id),
        );
      for await (const one of docs(set).find()) {
        const n = Number(one._id);
        assert.notEqual(owned.has(n), covered(n), `${what}: ${n} on ${id} is ${owned.has(n) ? 'owned' : 'an orphan'}`);
      }
    }
  }

  test('is refused while the catalog was being changed, after shards came or went, and outside what is captured', async () => {
    const [a] = sets();
    const left = await readTruth(target().shard(0).set.client, null);
    const restore = async (ts: Timestamp64) => await fixture.restore(target().uri, taken(), { ts, inclusive: true });
    const majority = { writeConcern: { w: 'majority' } } as const;

    const coordinators = a.client
      .db('config')
      .collection<{ _id: number; ns: string }>('localReshardingOperations.recipient');
    await coordinators.insertOne({ _id: 1, ns: 'bank.accounts' }, majority);
    const changing = await tailing.moveOn();
    await coordinators.deleteOne({ _id: 1 }, majority);
    const calm = await tailing.mark();
    await assert.rejects(restore(changing), /a resharding was going on on s0.*not touched/);

    const shards = source().config.client.db('config').collection<{ _id: string; host: string }>('shards');
    await shards.insertOne({ _id: 's9', host: 'rs9/localhost:1' }, majority);
    const grown = await tailing.moveOn();
    await shards.deleteOne({ _id: 's9' }, majority);
    await tailing.mark();
    await assert.rejects(restore(grown), /had the shards s0, s1, s9; the snapshot .* has s0, s1/);

    await assert.rejects(restore(calm + (1_000n << 32n)), /does not cover/);
    await assert.rejects(restore(timestampOf(taken().header.clusterTime) - 1n), /later than the point/);
    assert.deepEqual(compareTruth(left, await readTruth(target().shard(0).set.client, null)), [], 'not touched');
    const expected = await truthAt(source(), calm);
    await restore(calm);
    await requireEqual(expected, target(), 'afterwards');
  });
});
