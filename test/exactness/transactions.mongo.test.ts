import { type TestContext, test } from 'node:test';
import type { Document } from 'mongodb';
import type { SnapshotLimits } from '../../src/engine/take/snapshot-limits.ts';
import type { TakenSnapshot } from '../../src/engine/take/take-snapshot.ts';
import type { Progress } from '../../src/lib/progress.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SnapshotRig } from '../support/snapshot-rig.ts';
import { raw } from './raw-values.ts';
import { rows, type Stage, useStage } from './scenario.ts';
import { Writer } from './writer.ts';

/**
 * Transactions that are open, prepared or decided while a snapshot is taken: where it starts, what it counts, and when.
 */
const stage = useStage();

const ORDERS = { db: 'app', name: 'orders' };

/**
 * A transaction as a sharded cluster's coordinator drives it: prepared first, decided later; test commands allow it to
 * us.
 */
class Transaction {
  readonly #writer: Writer;
  #next: Document;
  readonly #later: Document;

  constructor(on: Stage, t: TestContext) {
    this.#writer = new Writer(new SeededRandom(1), async () => (await on.source.primary()).port);
    t.after(() => this.#writer.close());
    const { first, later } = this.#writer.transaction();
    this.#next = first;
    this.#later = later;
  }

  async update(id: number, change: Document): Promise<void> {
    const update = { q: raw({ _id: id }), u: { type: 0x03, value: raw(change) }, upsert: true } as const;
    await this.#writer.update(ORDERS, [update], this.#next);
    this.#next = this.#later;
  }

  /** Gives the decision that commits it. */
  async prepare(): Promise<() => Promise<void>> {
    const reply = await this.#end('prepareTransaction');
    return () => this.#end('commitTransaction', { commitTimestamp: reply.prepareTimestamp }).then(() => undefined);
  }

  async commit(): Promise<void> {
    await this.#end('commitTransaction');
  }

  async abort(): Promise<void> {
    await this.#end('abortTransaction');
  }

  async #end(command: string, more: Document = {}): Promise<Document> {
    return await this.#writer.run('admin', { [command]: 1, ...this.#later, ...more, writeConcern: { w: 'majority' } });
  }
}

async function prepareOrders(on: Stage): Promise<SnapshotRig> {
  await on.clear();
  await on
    .db('app')
    .collection('orders')
    .insertMany(rows(500) as never);
  return await SnapshotRig.create();
}

/** More oplog entries than the engine reads between two looks at its memory. */
async function manyUpdates(on: Stage): Promise<void> {
  const updates = Array.from({ length: 1500 }, (_, n) => ({
    updateOne: { filter: { _id: 100 + (n % 300) }, update: { $inc: { n: 1 } } },
  }));
  await on
    .db('app')
    .collection('orders')
    .bulkWrite(updates as never, { ordered: false });
}

const EARLY: Partial<SnapshotLimits> = { pendingBytesMax: 1 };

test('prepared before many other writes and committed after them, read with almost no memory', async (t) => {
  const on = stage();
  const rig = await prepareOrders(on);
  await rig.take(on.source.uri);
  const transaction = new Transaction(on, t);
  await transaction.update(3, { $set: { by: 'a prepared transaction' } });
  await transaction.update(9999, { $set: { made: 'by it' } });
  const commit = await transaction.prepare();
  await manyUpdates(on);
  await commit();
  await on.expectExact(rig, await rig.take(on.source.uri, { limits: EARLY }), 'the snapshot');
});

test('prepared and aborted around a snapshot', async (t) => {
  const on = stage();
  const rig = await prepareOrders(on);
  const transaction = new Transaction(on, t);
  await transaction.update(3, { $set: { never: true } });
  await transaction.prepare();
  const abort = async () => transaction.abort();
  const first = await takeWith(on, rig, 'catching up', abort);
  await on.expectExact(rig, first, 'the first snapshot');
  await on.expectExact(rig, await rig.take(on.source.uri), 'the incremental snapshot');
});

test('prepared before a snapshot began and committed once it had scanned', async (t) => {
  const on = stage();
  const rig = await prepareOrders(on);
  for (const name of ['the first snapshot', 'the incremental snapshot']) {
    const transaction = new Transaction(on, t);
    await transaction.update(3, { $set: { during: name } });
    await transaction.update(10_000 + name.length, { $set: { during: name } });
    const commit = await transaction.prepare();
    const taken = await takeWith(on, rig, 'catching up', commit);
    await on.expectExact(rig, taken, name);
  }
  await on.expectExact(rig, await rig.take(on.source.uri), 'the one after');
});

test('open since before a snapshot, committed while it scans', async (t) => {
  const on = stage();
  const rig = await prepareOrders(on);
  const transaction = new Transaction(on, t);
  await transaction.update(3, { $set: { late: true } });
  await manyUpdates(on);
  const first = await takeWith(on, rig, 'scanning', () => transaction.commit());
  await on.expectExact(rig, first, 'the first snapshot');
  await on.expectExact(rig, await rig.take(on.source.uri, { limits: EARLY }), 'the incremental snapshot');
});

test('documents read early for want of memory while they go on changing', async () => {
  const on = stage();
  const rig = await prepareOrders(on);
  await on
    .db('app')
    .collection('orders')
    .insertMany(rows(1000, {}, 1000) as never);
  // Whether a write falls into the moment that matters is chance: three tries.
  for (let tries = 0; tries < 3; tries++) {
    await rig.take(on.source.uri);
    await on.expectExact(rig, await takeReadingEarly(on, rig), 'the snapshot');
  }
});

async function takeReadingEarly(on: Stage, rig: SnapshotRig): Promise<TakenSnapshot> {
  const orders = on.db('app').collection<{ _id: number }>('orders');
  // The first thousand fill the memory with ids of documents that nothing else in the interval touches again ...
  const change = (id: number) => ({ updateOne: { filter: { _id: id }, update: { $inc: { n: 1 } } } });
  const ids = Array.from({ length: 1100 }, (_, n) => (n < 1000 ? 1000 + n : n % 100));
  await orders.bulkWrite(ids.map(change), { ordered: true });
  // ... but the writers do, from about when T is chosen until the snapshot has ended.
  let ended = false;
  const write = async (first: number) => {
    for (let n = first; !ended; n += 3)
      await orders.updateOne({ _id: 1000 + (n % 1000) }, { $set: { late: n } }, WRITE_AT_ONCE);
  };
  let writers: Promise<unknown> | undefined;
  const onProgress = ({ phase }: Progress) => {
    if (phase === 'catching up') writers ??= Promise.all([write(0), write(1), write(2)]);
  };
  const taken = await rig.take(on.source.uri, { limits: EARLY, onProgress }).finally(() => {
    ended = true;
  });
  await writers;
  return taken;
}

/** Without waiting for the journal. */
const WRITE_AT_ONCE = { writeConcern: { w: 1 } } as const;

/** Takes a snapshot and acts as soon as it has come to the phase. */
async function takeWith(on: Stage, rig: SnapshotRig, phase: string, act: () => Promise<void>): Promise<TakenSnapshot> {
  let acted: Promise<void> | undefined;
  const onProgress = (progress: Progress) => {
    if (progress.phase === phase) acted ??= act();
  };
  const taken = await rig.take(on.source.uri, { onProgress });
  if (acted === undefined) throw new Error(`the snapshot never came to the phase ${phase}`);
  await acted;
  return taken;
}
