import { MongoServerError } from 'mongodb';
import { type Timestamp64, timestampOf } from '../../src/bson/timestamp.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { type ReplicaSet, until } from '../support/replica-set.ts';
import type { SeededRandom } from '../support/seeded-random.ts';
import { serverIs } from '../support/server-version.ts';
import { ShardTransaction } from '../support/shard-transaction.ts';
import type { ShardedCluster } from '../support/sharded-cluster.ts';
import { WireError } from '../support/wire.ts';

interface Account {
  _id: number;
  n: number;
}

/** Accounts of either shard that stay where they are, and a range that is moved from one to the other and back. */
const STEADY = 10;
const MOVED = { min: { _id: 20 }, max: { _id: 30 } };
const SECOND = 1_000;
const BUCKETS = 'system.buckets.measured';
const NO_SUCH_TRANSACTION = 251;

/**
 * What only a sharded cluster has: transactions over both of its shards, and chunks on their way from one to the other.
 */
export class ShardedBank {
  readonly #cluster: ShardedCluster;
  readonly #random: SeededRandom;
  #stopping = false;
  #running: Promise<void>[] = [];
  /** Of each commit on a shard: when its writes became visible, and by when the shard had logged it. */
  readonly logged: { visible: Timestamp64; by: Timestamp64 }[] = [];
  /** What was answered to transactions that were not done, and to moves. */
  readonly refusals = new Set<string>();
  transfers = 0;
  refused = 0;
  moves = 0;

  constructor(cluster: ShardedCluster, random: SeededRandom) {
    this.#cluster = cluster;
    this.#random = random;
  }

  async setUp(): Promise<void> {
    const [a, b] = this.#sets;
    await this.#cluster.createDatabase('bank', 0);
    await this.#cluster.shardCollection('bank', 'accounts');
    await accountsOf(a).insertMany(Array.from({ length: 60 }, (_, _id) => ({ _id, n: 0 })));
    await this.#cluster.moveRange('bank', 'accounts', 1, { _id: SECOND });
    await accountsOf(b).insertMany(Array.from({ length: 30 }, (_, n) => ({ _id: SECOND + n, n: 0 })));
    if (!ShardedBank.measures) return;
    const series = { timeseries: { timeField: 't', metaField: 'm' } };
    await this.#cluster.shardCollection('bank', 'measured', { m: 1 }, series);
    const measured = Array.from({ length: 400 }, (_, n) => ({ t: new Date(n * SECOND), m: n % 8, n }));
    await a.client.db('bank').collection('measured').insertMany(measured);
    await this.#cluster.moveRange('bank', BUCKETS, 1, { meta: 6 });
  }

  /** Whether there is a sharded time series too. */
  static readonly measures = serverIs('6.0');

  /** The ids that a cluster which routes finds, at whatever moment. */
  static readonly ids = [...Array(60).keys(), ...Array.from({ length: 30 }, (_, n) => SECOND + n)];

  start(): void {
    this.#stopping = false;
    this.#running = [this.#transfer(), this.#move(), ...(ShardedBank.measures ? [this.#measure()] : [])];
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
  }

  async #transfer(): Promise<void> {
    while (!this.#stopping) {
      const one = new ShardTransaction();
      const sets = this.#random.oneIn(2) ? this.#sets : this.#sets.toReversed();
      let committing = false;
      try {
        await this.#writes(one);
        for (const set of sets) await one.prepare(set);
        // Some are aborted, and of some the shards hear at very different times.
        const ending = this.#random.oneIn(4) ? 'abort' : 'commit';
        for (const set of sets) {
          if (this.#random.oneIn(3))
            await this.#cluster.config.client.db('admin').command({ appendOplogNote: 1, data: {} });
          committing = ending === 'commit';
          if (ending === 'abort') await one.abort(set);
          else this.logged.push({ visible: timestampOf(one.commitTimestamp), by: timestampOf(await one.commit(set)) });
        }
        this.transfers++;
      } catch (error) {
        if (!isAnswer(error)) throw error;
        this.refused++;
        this.refusals.add(String(error));
        for (const set of sets) await end(one, set, committing);
      }
    }
  }

  async #writes(one: ShardTransaction): Promise<void> {
    const amount = this.#random.between(1, 9);
    for (const [index, set] of this.#sets.entries()) {
      const _id = index * SECOND + this.#random.below(STEADY);
      const u = { $inc: { n: index === 0 ? -amount : amount } };
      await one.run(set, 'bank', { update: 'accounts', updates: [{ q: { _id }, u }] });
    }
  }

  async #move(): Promise<void> {
    for (let to = 1; !this.#stopping; to = 1 - to) {
      const seen = this.transfers;
      // A collection on the move refuses transactions: some in between.
      while (!this.#stopping && this.transfers < seen + 2) await systemClock.sleep(5);
      try {
        await this.#cluster.moveRange('bank', 'accounts', to, MOVED.min, MOVED.max);
        this.moves++;
        if (!ShardedBank.measures) continue;
        await this.#cluster.moveRange('bank', BUCKETS, to, { meta: 4 }, { meta: 5 });
        this.moves++;
      } catch (error) {
        if (!isAnswer(error)) throw error;
        this.refused++;
        this.refusals.add(String(error));
      }
    }
  }

  /** Only where the series' view is, and of what stays there. */
  async #measure(): Promise<void> {
    for (let n = 0; !this.#stopping; n++) {
      try {
        const measured = { t: new Date(n * SECOND), m: n % 4, n };
        await this.#sets[0].client.db('bank').collection('measured').insertOne(measured);
      } catch (error) {
        if (!isAnswer(error)) throw error;
        this.refusals.add(String(error));
      }
      await systemClock.sleep(10);
    }
  }

  get #sets(): [ReplicaSet, ReplicaSet] {
    return [this.#cluster.shard(0).set, this.#cluster.shard(1).set];
  }
}

/**
 * As a coordinator does: what one shard was told all are told, until they take it. One that stays prepared would keep
 * everybody else from its documents for ever.
 */
async function end(one: ShardTransaction, set: ReplicaSet, committing: boolean): Promise<void> {
  await until('a shard takes the outcome of a transaction', async () => {
    try {
      await (committing ? one.commit(set) : one.abort(set));
      return true;
    } catch (error) {
      if (error instanceof WireError && error.code === NO_SUCH_TRANSACTION) return true;
      if (!isAnswer(error)) throw error;
      return null;
    }
  });
}

/** What a server says no to, or could not say while its primary stood down. */
function isAnswer(error: unknown): boolean {
  return (
    error instanceof WireError ||
    error instanceof MongoServerError ||
    /closed|ECONN|EPIPE|interrupted/.test(String(error))
  );
}

function accountsOf(set: ReplicaSet) {
  return set.client.db('bank').collection<Account>('accounts');
}
