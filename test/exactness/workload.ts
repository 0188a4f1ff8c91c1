import { SeededRandom } from '../support/seeded-random.ts';
import { CATALOG_CHANGES, setUp } from './catalog-changes.ts';
import { DOCUMENT_WRITES, LONE_WRITES, type Operation } from './document-writes.ts';
import { TRANSACTIONS } from './transactions.ts';
import { Writer } from './writer.ts';

/** Chances in a hundred. */
export interface Mix {
  catalogChanges: number;
  transactions: number;
}

export interface WorkloadOptions {
  seed: number;
  /** Where the primary listens; asked again after a connection was lost. */
  port: () => Promise<number>;
  writers?: number;
  mix?: Partial<Mix>;
}

const ALONE: readonly Operation[] = [
  ...DOCUMENT_WRITES.map(({ kind, weight, run }) => ({ kind, weight, run: (writer: Writer) => run(writer) })),
  ...LONE_WRITES,
];

/**
 * Random writes of every kind from several connections at once. The row of operations of each writer follows from the
 * seed; how the rows mix is the server's and the scheduler's.
 */
export class Workload {
  readonly seed: number;
  readonly #mix: Mix;
  readonly #writers: readonly Writer[];
  #stopping = false;
  #running: Promise<void>[] = [];

  constructor(options: WorkloadOptions) {
    this.seed = options.seed;
    this.#mix = { catalogChanges: 8, transactions: 12, ...options.mix };
    const random = new SeededRandom(options.seed);
    const count = (options.writers ?? 4) + 1;
    this.#writers = Array.from({ length: count }, (_, index) => new Writer(random.fork(index), options.port));
  }

  async setUp(): Promise<void> {
    await setUp(this.#writers[0] as Writer);
  }

  /**
   * Writes until `stop`, or until each writer has done so many operations: what is to follow it may be slower than it
   * is.
   */
  start(operationsMax = Number.POSITIVE_INFINITY): void {
    this.#stopping = false;
    this.#running = this.#writers.slice(1).map((writer) => {
      let left = operationsMax;
      return this.#write(writer, () => !this.#stopping && left-- > 0);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#running);
    for (const writer of this.#writers) writer.close();
  }

  /** Every writer does this many operations; for quiet times and for dry runs. */
  async write(operationsEach: number): Promise<void> {
    await Promise.all(
      this.#writers.slice(1).map((writer) => {
        let left = operationsEach;
        return this.#write(writer, () => left-- > 0);
      }),
    );
  }

  async #write(writer: Writer, goOn: () => boolean): Promise<void> {
    while (goOn()) {
      const { kind, run } = this.#next(writer.random);
      await writer.attempt(kind, run);
    }
  }

  #next(random: SeededRandom): Operation {
    const chance = random.below(100);
    const operations =
      chance < this.#mix.catalogChanges
        ? CATALOG_CHANGES
        : chance < this.#mix.catalogChanges + this.#mix.transactions
          ? TRANSACTIONS
          : ALONE;
    return random.pickWeighted(operations.map((item) => ({ weight: item.weight, item })));
  }

  /**
   * How often each kind of operation was done and refused, for messages and for the check that none is always refused.
   */
  counts(): Map<string, { done: number; refused: number }> {
    const counts = new Map<string, { done: number; refused: number }>();
    const entry = (kind: string) => {
      const known = counts.get(kind) ?? { done: 0, refused: 0 };
      counts.set(kind, known);
      return known;
    };
    for (const writer of this.#writers) {
      for (const [kind, times] of writer.done) entry(kind).done += times;
      for (const [kind, times] of writer.refused) entry(kind).refused += times;
    }
    return counts;
  }
}
