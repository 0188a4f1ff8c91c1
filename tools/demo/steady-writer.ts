import type { Document, MongoClient } from 'mongodb';
import type { Clock } from '../../src/lib/clock.ts';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { SampleDocuments } from '../sample-documents.ts';
import { SAMPLE_DB } from './sample-cluster.ts';

const ROUND_MS = 20;

/**
 * A shop that goes on selling while it is backed up: inserts, updates, deletes and transactions, some hundred a second.
 */
export class SteadyWriter {
  readonly #client: MongoClient;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  readonly #random: SeededRandom;
  readonly #samples: SampleDocuments;
  #running: Promise<void> | null = null;
  #writes = 0;

  constructor(client: MongoClient, clock: Clock, seed: number) {
    this.#client = client;
    this.#clock = clock;
    this.#random = new SeededRandom(seed);
    // Far from the seeds of the sample data, so that no id comes twice.
    this.#samples = new SampleDocuments(seed + 1_000_000);
  }

  get writes(): number {
    return this.#writes;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends after the round under way; throws what the writer threw. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.#round();
      await this.#clock.sleep(ROUND_MS, signal).catch(() => undefined);
    }
  }

  async #round(): Promise<void> {
    const orders = this.#client.db(SAMPLE_DB).collection<Document>('orders');
    const news = Array.from({ length: this.#random.between(1, 4) }, () => this.#samples.next('orders'));
    await orders.insertMany(news);
    const customer = this.#random.below(100_000);
    const paid = await orders.updateMany(
      { customer, state: 'placed' },
      { $set: { state: 'paid' }, $inc: { revision: 1 } },
    );
    const gone = await orders.deleteOne({ customer: this.#random.below(100_000), state: 'returned' });
    this.#writes += news.length + paid.modifiedCount + gone.deletedCount;
    if (this.#random.oneIn(4)) await this.#transaction(orders);
  }

  async #transaction(orders: ReturnType<ReturnType<MongoClient['db']>['collection']>): Promise<void> {
    const articles = this.#client.db(SAMPLE_DB).collection('articles');
    await this.#client.withSession(async (session) => {
      await session.withTransaction(async () => {
        await orders.insertOne(this.#samples.next('orders'), { session });
        await articles.updateOne({ 'tags.name': 'amber' }, { $inc: { 'stock.Cork': -1 } }, { session });
      });
    });
    this.#writes += 2;
  }
}
