import { Fault } from '../../src/lib/errors.ts';
import type { CallOptions, ObjectInfo, ObjectStore, PutOptions } from '../../src/storage/object-store.ts';
import type { SeededRandom } from './seeded-random.ts';

/**
 * A store of which one call in so many fails, by chance; half of the writes that fail have happened all the same.
 * `down` makes every call fail.
 */
export class FlakyStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #random: SeededRandom;
  readonly #oneIn: number;
  down = false;
  calls = 0;
  failures = 0;

  constructor(store: ObjectStore, random: SeededRandom, oneIn: number) {
    this.#store = store;
    this.#random = random;
    this.#oneIn = oneIn;
  }

  get description(): string {
    return this.#store.description;
  }

  async put(objectKey: string, body: Uint8Array, options?: PutOptions): Promise<void> {
    await this.#write(async () => await this.#store.put(objectKey, body, options));
  }

  async delete(objectKey: string, options?: CallOptions): Promise<void> {
    await this.#write(async () => await this.#store.delete(objectKey, options));
  }

  async get(objectKey: string, options?: CallOptions): Promise<Buffer> {
    this.#mayFail();
    return await this.#store.get(objectKey, options);
  }

  async head(objectKey: string, options?: CallOptions): Promise<ObjectInfo | null> {
    this.#mayFail();
    return await this.#store.head(objectKey, options);
  }

  async *list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo> {
    this.#mayFail();
    yield* this.#store.list(prefix, options);
  }

  async #write(write: () => Promise<void>): Promise<void> {
    try {
      this.#mayFail();
    } catch (error) {
      if (!this.down && this.#random.oneIn(2)) await write();
      throw error;
    }
    await write();
  }

  #mayFail(): void {
    this.calls++;
    if (!this.down && !this.#random.oneIn(this.#oneIn)) return;
    this.failures++;
    throw new Fault({ op: 'store', subject: 'flaky', message: 'the store does not answer', retryable: true });
  }
}
