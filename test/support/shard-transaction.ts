import { type Document, Long, type Timestamp, UUID } from 'mongodb';
import { must } from '../../src/lib/assert.ts';
import type { ReplicaSet } from './replica-set.ts';
import { WireConnection } from './wire.ts';

const MAJORITY = { writeConcern: { w: 'majority' } };

/** A transaction over several shards, by the commands that its coordinator sends to each. */
export class ShardTransaction {
  readonly #lsid = { id: new UUID() };
  readonly #begun = new Set<ReplicaSet>();
  readonly #prepared = new Map<ReplicaSet, Timestamp>();
  /** Every shard hears of the time of the others, as in a cluster. */
  #clusterTime: Document | null = null;

  async run(set: ReplicaSet, db: string, command: Document): Promise<void> {
    const first = this.#begun.has(set) ? {} : { startTransaction: true };
    this.#begun.add(set);
    await this.#send(set, { ...command, ...first, $db: db });
  }

  async prepare(set: ReplicaSet): Promise<Timestamp> {
    const reply = await this.#send(set, { prepareTransaction: 1, ...MAJORITY, $db: 'admin' });
    const at = reply.prepareTimestamp as Timestamp;
    this.#prepared.set(set, at);
    return at;
  }

  /** From when on its writes are visible, on every shard. */
  get commitTimestamp(): Timestamp {
    const all = [...this.#prepared.values()];
    return must(all.toSorted((a, b) => a.compare(b)).at(-1), 'somebody has prepared it');
  }

  /** The shard's time after it: that of its entry, or later. */
  async commit(set: ReplicaSet): Promise<Timestamp> {
    const { commitTimestamp } = this;
    const reply = await this.#send(set, { commitTransaction: 1, commitTimestamp, ...MAJORITY, $db: 'admin' });
    return reply.operationTime as Timestamp;
  }

  async abort(set: ReplicaSet): Promise<void> {
    await this.#send(set, { abortTransaction: 1, ...MAJORITY, $db: 'admin' });
  }

  async #send(set: ReplicaSet, command: Document): Promise<Document> {
    const [only, ...others] = set.members;
    const primary = only !== undefined && others.length === 0 ? only : await set.primary();
    const wire = await WireConnection.open(primary.port);
    try {
      const part = { lsid: this.#lsid, txnNumber: Long.fromNumber(1), autocommit: false };
      const gossip = this.#clusterTime === null ? {} : { $clusterTime: this.#clusterTime };
      const reply = await wire.command({ ...command, ...part, ...gossip });
      this.#clusterTime = (reply.$clusterTime as Document | undefined) ?? this.#clusterTime;
      return reply;
    } finally {
      wire.close();
    }
  }
}
