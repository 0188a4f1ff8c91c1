import type { CallOptions, ObjectInfo, ObjectStore, PutOptions } from '../../src/storage/object-store.ts';

/**
 * What happens at the write that was chosen. After a kill the process is gone: no call of it reaches the store any
 * more.
 */
export type WriteFault =
  /** The write has not happened. */
  | 'killed before'
  /** The write has happened, and nobody heard of it. */
  | 'killed after'
  /** The write fails; the process lives on. */
  | 'refused'
  /** The write has happened, its acknowledgement was lost; the process lives on. */
  | 'unacknowledged';

export const writeFaults: readonly WriteFault[] = ['killed before', 'killed after', 'refused', 'unacknowledged'];

export class StoreFault extends Error {
  override readonly name = 'StoreFault';
}

/** A store whose `n`th write (put or delete, from 1) meets a fault. */
export class FaultyStore implements ObjectStore {
  readonly #store: ObjectStore;
  readonly #faultyWrite: number;
  readonly #fault: WriteFault;
  /** Called before every write, for tests that let time pass or other things happen. */
  readonly #beforeWrite: () => Promise<void>;
  #writes = 0;
  #dead = false;

  constructor(
    store: ObjectStore,
    options: { faultyWrite?: number; fault?: WriteFault; beforeWrite?: () => Promise<void> } = {},
  ) {
    this.#store = store;
    this.#faultyWrite = options.faultyWrite ?? 0;
    this.#fault = options.fault ?? 'killed before';
    this.#beforeWrite = options.beforeWrite ?? (async () => undefined);
  }

  get description(): string {
    return this.#store.description;
  }

  get writes(): number {
    return this.#writes;
  }

  get metItsFault(): boolean {
    return this.#faultyWrite > 0 && this.#writes >= this.#faultyWrite;
  }

  async put(objectKey: string, body: Uint8Array, options?: PutOptions): Promise<void> {
    await this.#write(async () => await this.#store.put(objectKey, body, options));
  }

  async delete(objectKey: string, options?: CallOptions): Promise<void> {
    await this.#write(async () => await this.#store.delete(objectKey, options));
  }

  async get(objectKey: string, options?: CallOptions): Promise<Buffer> {
    this.#live();
    return await this.#store.get(objectKey, options);
  }

  async head(objectKey: string, options?: CallOptions): Promise<ObjectInfo | null> {
    this.#live();
    return await this.#store.head(objectKey, options);
  }

  async *list(prefix: string, options?: CallOptions): AsyncIterable<ObjectInfo> {
    for await (const info of this.#store.list(prefix, options)) {
      this.#live();
      yield info;
    }
  }

  async #write(write: () => Promise<void>): Promise<void> {
    this.#live();
    await this.#beforeWrite();
    this.#live();
    const faulty = ++this.#writes === this.#faultyWrite;
    if (!faulty) return await write();
    if (this.#fault.startsWith('killed')) this.#dead = true;
    if (this.#fault === 'killed after' || this.#fault === 'unacknowledged') await write();
    throw new StoreFault(this.#fault);
  }

  #live(): void {
    if (this.#dead) throw new StoreFault('the process is dead');
  }
}
