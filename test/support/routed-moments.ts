import { BSON, type Document, Timestamp } from 'mongodb';
import { findId, idBytes } from '../../src/bson/raw-bson.ts';
import { type Timestamp64, timestampOf, timestampParts } from '../../src/bson/timestamp.ts';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import { must } from '../../src/lib/assert.ts';
import { ClusterTailing } from './cluster-tailing.ts';
import { fillRouted, routedCollections } from './routed-collections.ts';
import { serverIs } from './server-version.ts';
import { ShardTransaction } from './shard-transaction.ts';
import type { ShardedCluster } from './sharded-cluster.ts';
import { ShardedFixture } from './sharded-fixture.ts';
import { type CollectionTruth, readTruth, type Truth } from './truth.ts';

/** What is written is at or before the newest time that a majority knows. */
const MAJORITY = { writeConcern: { w: 'majority' } } as const;
const hasShardedSeries = () => serverIs('6.0');
const BUCKETS = 'system.buckets.series';

/** What clients of a cluster saw of its database `shop` at a time. */
export interface Moment {
  ts: Timestamp64;
  /** Each shard's own, by its id: no orphans. */
  shards: Map<string, Truth>;
  /** All of them together, in collections as the first owner has them. */
  together: Truth;
}

/**
 * A sharded cluster with a snapshot, its captured oplogs, and moments behind it: between them documents are written,
 * moved, sharded and changed, on shards that keep orphans of all that was ever moved.
 */
export class RoutedMoments {
  readonly fixture: ShardedFixture;
  readonly taken: TakenSnapshot;
  readonly moments = new Map<string, Moment>();
  readonly #cluster: ShardedCluster;
  readonly #tailing: ClusterTailing;
  readonly #sharded: string[];

  private constructor(
    cluster: ShardedCluster,
    { fixture, taken, tailing }: { fixture: ShardedFixture; taken: TakenSnapshot; tailing: ClusterTailing },
  ) {
    this.#cluster = cluster;
    this.fixture = fixture;
    this.taken = taken;
    this.#tailing = tailing;
    const series = hasShardedSeries() ? [BUCKETS] : [];
    this.#sharded = [...routedCollections.map(({ name }) => name), 'moving', 'later', ...series];
  }

  static async make(cluster: ShardedCluster): Promise<RoutedMoments> {
    await fillRouted(cluster);
    await cluster.shardCollection('shop', 'moving', { k: 1 });
    const shop = cluster.shard(0).set.client.db('shop', MAJORITY);
    const numbered = Array.from({ length: 60 }, (_, n) => ({ _id: n as never, k: n, v: 0 }));
    await shop.collection('moving').insertMany(numbered);
    await cluster.moveRange('shop', 'moving', 1, { k: 40 });
    if (hasShardedSeries()) {
      await cluster.shardCollection('shop', 'series', { m: 1 }, { timeseries: { timeField: 't', metaField: 'm' } });
      const measured = Array.from({ length: 100 }, (_, n) => ({ t: new Date(n * 1000), m: n % 10, n }));
      await shop.collection('series').insertMany(measured);
      await cluster.moveRange('shop', BUCKETS, 1, { meta: 8 });
    }
    const fixture = await ShardedFixture.create(cluster);
    const tailing = new ClusterTailing(cluster, fixture);
    await tailing.mark();
    const made = new RoutedMoments(cluster, { fixture, taken: await fixture.take(), tailing });
    await made.#writeOn();
    await tailing.stop();
    return made;
  }

  #shop(shard: number) {
    return this.#cluster.shard(shard).set.client.db('shop', MAJORITY);
  }

  async #writeOn(): Promise<void> {
    // Each shard's own, and not the orphans.
    for (const { name } of routedCollections) {
      for (const [id, documents] of await this.#cluster.findRouted('shop', name)) {
        const at = this.#shop(id === 's0' ? 0 : 1).collection<Document>(name);
        const ids = documents.map(({ _id }) => _id);
        await at.updateMany({ _id: { $in: ids } }, { $set: { 'w.x': id, list: [1] } });
        await at.deleteMany({ _id: { $in: ids.filter((_, index) => index % 3 === 0) } });
      }
    }
    await this.#shop(0)
      .collection('plain')
      .insertOne({ _id: 3 as never, zero: new Timestamp({ t: 0, i: 0 }) });
    await this.#shop(1)
      .collection('plain')
      .insertOne({ _id: 4 as never });
    await this.#note('written', await this.#tailing.mark());

    const moving = (shard: number) => this.#shop(shard).collection('moving');
    await this.#cluster.moveRange('shop', 'moving', 1, { k: 20 }, { k: 30 });
    await moving(1).updateMany({ k: { $gte: 20, $lt: 30 } }, { $set: { v: 'moved' } });
    await moving(1).deleteOne({ k: 25 });
    await moving(0).updateMany({ k: { $lt: 20 } }, { $inc: { v: 1 } });
    // Keys may be changed, within what their shard owns: 3 is where nobody goes, and 19 moves on.
    await moving(0).updateOne({ k: 3 }, { $set: { k: 2.5 } });
    await moving(0).updateOne({ k: 4 }, { $set: { k: 35.5 } });
    await this.#cluster.moveRange('shop', 'moving', 1, { k: 35 }, { k: 37 });
    await this.#cluster.shardCollection('shop', 'later', { _id: 1 });
    const later = Array.from({ length: 20 }, (_, n) => ({ _id: n as never, n }));
    await this.#shop(0).collection('later').insertMany(later);
    await this.#cluster.moveRange('shop', 'later', 1, { _id: 10 });
    for (const shard of [0, 1]) await this.#shop(shard).collection('later').createIndex({ n: -1 }, { name: 'since' });
    const validator = { validator: { k: { $gte: 0 } }, validationLevel: 'moderate', ...MAJORITY };
    for (const shard of [0, 1]) await this.#shop(shard).command({ collMod: 'moving', ...validator });
    if (hasShardedSeries()) {
      await this.#cluster.moveRange('shop', BUCKETS, 1, { meta: 3 }, { meta: 5 });
      const more = Array.from({ length: 30 }, (_, n) => ({ t: new Date(200_000 + n * 1000), m: n % 3, n }));
      await this.#shop(0).collection('series').insertMany(more);
    }
    await this.#note('moved and made', await this.#tailing.mark());
    await this.#transact();
  }

  async #transact(): Promise<void> {
    const both = new ShardTransaction();
    const [a, b] = [this.#cluster.shard(0).set, this.#cluster.shard(1).set];
    const parts = [
      [a, 1],
      [b, 50],
    ] as const;
    for (const [set, k] of parts)
      await both.run(set, 'shop', { update: 'moving', updates: [{ q: { k }, u: { $set: { v: 'both' } } }] });
    await both.prepare(a);
    await both.prepare(b);
    const visible = timestampOf(both.commitTimestamp);
    await both.commit(b);
    await this.#tailing.moveOn();
    await both.commit(a);
    await this.#tailing.mark();
    await this.#note('just before a transaction over both is visible', visible - 1n);
    await this.#note('when it is', visible);
  }

  async #note(what: string, ts: Timestamp64): Promise<void> {
    const moment: Moment = { ts, shards: new Map(), together: emptyTruth() };
    const held = new Map<string, Truth>();
    for (const { id, set } of this.#cluster.shards) {
      held.set(id, await readTruth(set.client, new Timestamp(timestampParts(ts))));
      moment.shards.set(id, emptyTruth());
    }
    const known = this.#cluster.config.client.db('config').collection<{ _id: string }>('collections');
    for (const name of this.#sharded) {
      const namespace = `shop.${name}`;
      if ((await known.findOne({ _id: namespace })) === null) continue;
      for (const [id, documents] of await this.#cluster.findRouted('shop', name)) {
        const own = must(held.get(id)?.collections.get(namespace), `${id} has ${name}`);
        const owned: CollectionTruth = { ...own, documents: new Map() };
        for (const { _id } of documents)
          owned.documents?.set(keyOf(_id), must(own.documents?.get(keyOf(_id)), `${id} holds it at the time`));
        moment.shards.get(id)?.collections.set(namespace, owned);
        const joined = moment.together.collections.get(namespace) ?? { ...own, documents: new Map() };
        for (const [key, document] of owned.documents ?? []) joined.documents?.set(key, document);
        moment.together.collections.set(namespace, joined);
      }
    }
    for (const name of ['plain', ...(hasShardedSeries() ? ['series'] : [])]) {
      const own = must(held.get('s0')?.collections.get(`shop.${name}`), 'it is on its primary shard');
      for (const truth of [moment.together, moment.shards.get('s0')]) truth?.collections.set(`shop.${name}`, own);
    }
    this.moments.set(what, moment);
  }
}

function emptyTruth(): Truth {
  return { collections: new Map(), unreadable: new Map() };
}

/** Of a document, as `Truth` has it. */
function keyOf(_id: unknown): string {
  const document = Buffer.from(BSON.serialize({ _id }));
  return idBytes(document, must(findId(document, 0), 'it has one')).toString('hex');
}
