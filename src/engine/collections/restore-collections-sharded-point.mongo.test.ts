import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { BSON, type Document, Timestamp } from 'mongodb';
import { ClusterTailing } from '../../../test/support/cluster-tailing.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { asDocumentedUser } from '../../../test/support/documented-target.ts';
import { MemoryJournal } from '../../../test/support/memory-journal.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { besides, type CollectionRun, renamed, restoreChosen } from '../../../test/support/restored-collections.ts';
import { fillRouted, routedCollections } from '../../../test/support/routed-collections.ts';
import { serverIs } from '../../../test/support/server-version.ts';
import { ShardTransaction } from '../../../test/support/shard-transaction.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { type CollectionTruth, readTruth, type Truth } from '../../../test/support/truth.ts';
import { findId, idBytes } from '../../bson/raw-bson.ts';
import { type Timestamp64, timestampOf, timestampParts } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { describeError } from '../../lib/errors.ts';
import type { TakenSnapshot } from '../take/take-snapshot.ts';

after(() => ClusterTailing.stopAll());

/** What is written is at or before the newest time that a majority knows. */
const MAJORITY = { writeConcern: { w: 'majority' } } as const;
const hasShardedSeries = () => serverIs('6.0');

describe('chosen collections of a sharded cluster at a point in time', () => {
  /** What was moved stays where it was, as orphans that nobody writes to any more. */
  const source = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 3600 } });
  /** By the user that the documentation gives, which may do no more than it has to. */
  const target = useReplicaSet({ name: 'target', cacheGb: 1, auth: true });
  let uri: string;
  let fixture: ShardedFixture;
  let taken: TakenSnapshot;
  let tailing: ClusterTailing;
  /** What clients of the cluster saw of `shop` then, by the time. */
  const seen = new Map<string, { ts: Timestamp64; truth: Truth }>();
  const sharded = [...routedCollections.map(({ name }) => name), 'moving', 'later'];

  const shop = (shard: number) => source().shard(shard).set.client.db('shop', MAJORITY);

  before(async () => {
    uri = await asDocumentedUser(target());
    await fillRouted(source());
    await source().shardCollection('shop', 'moving', { k: 1 });
    const numbered = Array.from({ length: 60 }, (_, n) => ({ _id: n as never, k: n, v: 0 }));
    await shop(0).collection('moving').insertMany(numbered);
    await source().moveRange('shop', 'moving', 1, { k: 40 });
    if (hasShardedSeries()) {
      sharded.push('system.buckets.series');
      await source().shardCollection('shop', 'series', { m: 1 }, { timeseries: { timeField: 't', metaField: 'm' } });
      const measured = Array.from({ length: 100 }, (_, n) => ({ t: new Date(n * 1000), m: n % 10, n }));
      await shop(0).collection('series').insertMany(measured);
      await source().moveRange('shop', 'system.buckets.series', 1, { meta: 8 });
    }
    fixture = await ShardedFixture.create(source());
    tailing = new ClusterTailing(source(), fixture);
    await tailing.mark();
    taken = await fixture.take();
    await writeOn();
    await tailing.stop();
  });

  /** What clients see now: the documents that each shard owns, in collections as the first owner has them. */
  async function note(what: string, ts: Timestamp64): Promise<void> {
    const truth: Truth = { collections: new Map(), unreadable: new Map() };
    const shards = new Map<string, Truth>();
    for (const { id, set } of source().shards)
      shards.set(id, await readTruth(set.client, new Timestamp(timestampParts(ts))));
    const has = async (name: string) =>
      (await source()
        .config.client.db('config')
        .collection('collections')
        .findOne({ _id: `shop.${name}` as never })) !== null;
    for (const name of sharded) {
      if (!(await has(name))) continue;
      let joined: CollectionTruth | undefined;
      for (const [id, documents] of await source().findRouted('shop', name)) {
        const own = must(shards.get(id)?.collections.get(`shop.${name}`), `${id} has ${name}`);
        joined ??= { ...own, documents: new Map() };
        for (const { _id } of documents) {
          const key = keyOf(_id);
          joined.documents?.set(
            key,
            must(own.documents?.get(key), `${id} holds ${String(_id)} of ${name} at the time`),
          );
        }
      }
      truth.collections.set(`shop.${name}`, must(joined, `${name} is somewhere`));
    }
    for (const name of ['plain', ...(hasShardedSeries() ? ['series'] : [])])
      truth.collections.set(`shop.${name}`, must(shards.get('s0')?.collections.get(`shop.${name}`), 'on its primary'));
    seen.set(what, { ts, truth });
  }

  async function writeOn(): Promise<void> {
    // Each shard's own, and not the orphans.
    for (const { name } of routedCollections) {
      for (const [id, documents] of await source().findRouted('shop', name)) {
        const at = shop(id === 's0' ? 0 : 1).collection<Document>(name);
        const ids = documents.map(({ _id }) => _id);
        await at.updateMany({ _id: { $in: ids } }, { $set: { 'w.x': id, list: [1] } });
        await at.deleteMany({ _id: { $in: ids.filter((_, index) => index % 3 === 0) } });
      }
    }
    await shop(0)
      .collection('plain')
      .insertOne({ _id: 3 as never, zero: new Timestamp({ t: 0, i: 0 }) });
    await shop(1)
      .collection('plain')
      .insertOne({ _id: 4 as never });
    await note('written', await tailing.mark());

    await source().moveRange('shop', 'moving', 1, { k: 20 }, { k: 30 });
    await shop(1)
      .collection('moving')
      .updateMany({ k: { $gte: 20, $lt: 30 } }, { $set: { v: 'moved' } });
    await shop(1).collection('moving').deleteOne({ k: 25 });
    await shop(0)
      .collection('moving')
      .updateMany({ k: { $lt: 20 } }, { $inc: { v: 1 } });
    await source().shardCollection('shop', 'later', { _id: 1 });
    const later = Array.from({ length: 20 }, (_, n) => ({ _id: n as never, n }));
    await shop(0).collection('later').insertMany(later);
    await source().moveRange('shop', 'later', 1, { _id: 10 });
    for (const shard of [0, 1]) await shop(shard).collection('later').createIndex({ n: -1 }, { name: 'since' });
    for (const shard of [0, 1])
      await shop(shard).command({
        collMod: 'moving',
        validator: { k: { $gte: 0 } },
        validationLevel: 'moderate',
        ...MAJORITY,
      });
    if (hasShardedSeries()) {
      await source().moveRange('shop', 'system.buckets.series', 1, { meta: 3 }, { meta: 5 });
      const more = Array.from({ length: 30 }, (_, n) => ({ t: new Date(200_000 + n * 1000), m: n % 3, n }));
      await shop(0).collection('series').insertMany(more);
    }
    await note('moved and made', await tailing.mark());

    const both = new ShardTransaction();
    const [a, b] = [source().shard(0).set, source().shard(1).set];
    for (const [set, k] of [
      [a, 1],
      [b, 50],
    ] as const)
      await both.run(set, 'shop', { update: 'moving', updates: [{ q: { k }, u: { $set: { v: 'both' } } }] });
    await both.prepare(a);
    await both.prepare(b);
    const visible = timestampOf(both.commitTimestamp);
    await both.commit(b);
    await tailing.moveOn();
    await both.commit(a);
    await tailing.mark();
    await note('just before a transaction over both is visible', visible - 1n);
    await note('when it is', visible);
  }

  const restore = async (point: Timestamp64, wanted: Record<string, string>, run: CollectionRun = {}) =>
    await restoreChosen(
      fixture,
      taken,
      { collections: wanted },
      {
        uri,
        pointInTime: { end: { ts: point, inclusive: true }, slices: fixture.repository },
        ...run,
      },
    );

  const namesOf = (truth: Truth, db: string) =>
    Object.fromEntries([...truth.collections.values()].map(({ name }) => [`shop.${name}`, `${db}.${name}`]));
  const askedFor = (names: Record<string, string>) =>
    Object.fromEntries(Object.entries(names).filter(([from]) => !from.includes('system.')));

  test('is what its clients saw then, byte for byte, whatever was moved, written, sharded or changed since', async () => {
    assert.equal(seen.size, 4);
    for (const [what, { ts, truth }] of seen) {
      const before = await readTruth(target().client, null);
      const db = `at${[...seen.keys()].indexOf(what)}`;
      const names = namesOf(truth, db);
      const { result, journal } = await restore(ts, askedFor(names));
      assert.equal(result.leftOut.count, 0, what);
      assert.ok((result.replayed?.operations ?? 0) > 100, `${what}: ${result.replayed?.operations} operations`);
      const found = await readTruth(target().client, null);
      assert.deepEqual(compareTruth(besides(before, renamed(truth, names)), found), [], what);
      for (const record of journal.records) {
        const name = record.source.replace('shop.series', 'shop.system.buckets.series');
        const count = must(truth.collections.get(name)?.documents, `${name} has documents`).size;
        assert.equal(record.restoredDocuments, count, `${what}: ${name}`);
      }
    }
  });

  test('replaces what is there, and leaves nothing of its own names behind', async () => {
    const { ts, truth } = must(seen.get('moved and made'), 'seen');
    const names = namesOf(truth, 'at0');
    const before = await readTruth(target().client, null);
    await restore(ts, askedFor(names), { writeStrategy: 'overwriteExisting' });
    const found = await readTruth(target().client, null);
    assert.deepEqual(compareTruth(besides(before, renamed(truth, names)), found), []);
  });

  test('a failure half way takes away every part, and so does the attempt after a crash', async () => {
    const { ts, truth } = must(seen.get('written'), 'seen');
    const before = await readTruth(target().client, null);
    for (const phase of ['loading documents', 'replaying the oplog', 'bringing together what the shards own']) {
      const stop = new AbortController();
      let reached = false;
      const run = {
        signal: stop.signal,
        report: (progress: { phase: string }) => {
          if (progress.phase !== phase) return;
          reached = true;
          stop.abort();
        },
      };
      await assert.rejects(restore(ts, askedFor(namesOf(truth, 'undone')), run));
      assert.ok(reached, phase);
      assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), [], phase);
    }
    // A process that dies takes nothing away: what it had made is there, and its journal names it.
    const journal = new MemoryJournal();
    const name = 'tidemark_restore_aaaaaaaaaaaaaaaaaaaaaaaa_1_0';
    for (const made of [name, `${name}_1`]) await target().client.db('undone').createCollection(made);
    await journal.begin([
      {
        ...{ source: 'shop.moving', target: 'undone.moving', effectiveTarget: 'undone.moving', state: 'IN_PROGRESS' },
        ...{ stagedName: name, stagedUuid: null, totalDocuments: 0, restoredDocuments: 0 },
        ...{ indexState: 'NOT_STARTED', indexError: null },
      },
    ]);
    await restore(ts, { 'shop.moving': 'undone.moving' }, { journal, attempt: 2 });
    const left = await target().client.db('undone').listCollections().toArray();
    assert.deepEqual(
      left.map(({ name }) => name).filter((one) => one !== 'system.views'),
      ['moving'],
    );
  });

  test('two documents of one _id on two shards, neither an orphan at the point, are said before anything is in its place', async () => {
    await source().shardCollection('shop', 'twice', { k: 1 });
    await source().moveRange('shop', 'twice', 1, { k: 5 });
    const tail = new ClusterTailing(source(), fixture);
    await tail.mark();
    const base = await fixture.take({ parent: null });
    for (const shard of [0, 1])
      await shop(shard)
        .collection('twice')
        .insertOne({ _id: 1 as never, k: shard * 10 });
    const ts = await tail.mark();
    await tail.stop();
    const before = await readTruth(target().client, null);
    const point = { end: { ts, inclusive: true }, slices: fixture.repository };
    const run = { uri, pointInTime: point };
    await assert.rejects(restoreChosen(fixture, base, { collections: { 'shop.twice': 'fresh.twice' } }, run), (error) =>
      /shop\.twice.* on several shards .*same _id/.test(describeError(error)),
    );
    assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), []);
  });
});

/** Of a document, as `Truth` has it. */
function keyOf(_id: unknown): string {
  const document = Buffer.from(BSON.serialize({ _id }));
  return idBytes(document, must(findId(document, 0), 'it has one')).toString('hex');
}
