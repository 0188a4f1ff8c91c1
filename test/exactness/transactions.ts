import { BSON, type Document } from 'mongodb';
import { until } from '../support/replica-set.ts';
import { WireError } from '../support/wire.ts';
import { bigDocument, DOCUMENT_WRITES, type Operation, randomDocument, withoutStart } from './document-writes.ts';
import { STEADY } from './places.ts';
import { raw, rawValue } from './raw-values.ts';
import type { Writer } from './writer.ts';

type Ending = 'commit' | 'abort' | 'prepare and commit' | 'prepare and abort';

const ENDINGS: readonly { weight: number; item: Ending }[] = [
  { weight: 10, item: 'commit' },
  { weight: 3, item: 'abort' },
  { weight: 4, item: 'prepare and commit' },
  { weight: 2, item: 'prepare and abort' },
];

/** There is no such transaction, it is older than the session's, or it was committed. */
const ENDED = new Set([251, 225, 256]);

/** Steps of a transaction: each gets the fields that make it part of it. */
type Step = (writer: Writer, more: Document) => Promise<unknown>;

async function runTransaction(writer: Writer, steps: readonly Step[], ending: Ending, pauses: number): Promise<void> {
  const { first, later } = writer.transaction();
  try {
    for (const [index, step] of steps.entries()) await step(writer, index === 0 ? first : later);
    // Others write meanwhile; prepared transactions stay prepared over snapshots' cluster times.
    await pause(writer, pauses);
    if (ending === 'commit')
      await writer.run('admin', { commitTransaction: 1, ...later, writeConcern: { w: 'majority' } });
    else if (ending === 'abort') await abort(writer, later);
    else await prepared(writer, later, ending, pauses);
  } catch (error) {
    if (ending === 'commit' || ending === 'abort') await abort(writer, later).catch(() => undefined);
    else await endPrepared(writer, later);
    throw error;
  }
}

/**
 * A primary that stood down may have it still, prepared or even committed. What stays prepared keeps everybody else
 * from its documents for ever, and the next transaction of its session from beginning.
 */
async function endPrepared(writer: Writer, later: Document): Promise<void> {
  await until('a prepared transaction has an end', async () => {
    try {
      await abort(writer, later);
      return true;
    } catch (error) {
      if (error instanceof WireError && ENDED.has(error.code)) return true;
      // Whoever is the primary then is asked the next time.
      writer.close();
      return null;
    }
  });
}

/** What a coordinator of a sharded transaction does to each shard; test commands allow it to us. */
async function prepared(writer: Writer, later: Document, ending: Ending, pauses: number): Promise<void> {
  const reply = await writer.run('admin', { prepareTransaction: 1, ...later, writeConcern: { w: 'majority' } });
  await pause(writer, pauses);
  if (ending === 'prepare and abort') await abort(writer, later);
  else
    await writer.run('admin', {
      commitTransaction: 1,
      commitTimestamp: reply.prepareTimestamp,
      ...later,
      writeConcern: { w: 'majority' },
    });
}

async function abort(writer: Writer, later: Document): Promise<void> {
  await writer.run('admin', { abortTransaction: 1, ...later, writeConcern: { w: 'majority' } });
}

/** Lets time pass on the server by asking it things, not by the clock. */
async function pause(writer: Writer, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) await writer.run('admin', { ping: 1 });
}

export const TRANSACTIONS: readonly Operation[] = [
  {
    kind: 'transaction',
    weight: 160,
    run: (writer) => {
      const { random } = writer;
      const steps: Step[] = Array.from({ length: random.between(1, 6) }, () => {
        const { run } = random.pickWeighted(DOCUMENT_WRITES.map((item) => ({ weight: item.weight, item })));
        return (each, more) => run(each, more);
      });
      return runTransaction(writer, steps, random.pickWeighted(ENDINGS), random.oneIn(4) ? random.below(200) : 0);
    },
  },
  {
    kind: 'transaction of many documents',
    weight: 30,
    run: (writer) => {
      const { random } = writer;
      const places = [random.pick(STEADY), random.pick(STEADY)];
      const steps: Step[] = places.map((at) => {
        const documents = Array.from({ length: 150 }, () =>
          randomDocument(random, rawValue(new BSON.ObjectId(random.bytes(12)))),
        );
        return (each, more) => each.insert(at, documents, more);
      });
      return runTransaction(writer, steps, random.pickWeighted(ENDINGS), random.below(20));
    },
  },
  {
    kind: 'transaction of several oplog entries',
    weight: 1,
    run: (writer) => {
      const { random } = writer;
      const at = random.pick(STEADY);
      const documents = Array.from({ length: random.between(10, 12) }, () => bigDocument(random));
      const k = random.below(50);
      const steps: Step[] = documents.map((document) => (each, more) => each.insert(at, [document], more));
      steps.push((each, more) => each.remove(at, [{ q: raw({ k }), limit: 1 }], withoutStart(more)));
      return runTransaction(writer, steps, random.pickWeighted(ENDINGS), 0);
    },
  },
];
