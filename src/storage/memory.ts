import { throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import {
  type CallOptions,
  compareObjectKeys,
  isObjectKeyOf,
  ObjectExists,
  type ObjectInfo,
  type ObjectKeys,
  ObjectMissing,
  type ObjectStore,
  type PutOptions,
} from './object-store.ts';

/** Objects in this process's memory, for tests. */
export class MemoryStore implements ObjectStore {
  readonly description = 'memory';
  readonly #clock: Clock;
  readonly #objectKeys: ObjectKeys;
  readonly #objects = new Map<string, { body: Buffer; modifiedAtMs: number }>();

  constructor(clock: Clock, options: { objectKeys?: ObjectKeys } = {}) {
    this.#clock = clock;
    this.#objectKeys = options.objectKeys ?? 'repository';
  }

  async put(objectKey: string, body: Uint8Array, options: PutOptions = {}): Promise<void> {
    assert(isObjectKeyOf(this.#objectKeys, objectKey), `"${objectKey}" is an object key`);
    throwIfAborted(options.signal);
    if (options.ifAbsent === true && this.#objects.has(objectKey)) throw new ObjectExists(objectKey, this.description);
    this.#objects.set(objectKey, { body: Buffer.from(body), modifiedAtMs: this.#clock.nowMs() });
  }

  async get(objectKey: string, options: CallOptions = {}): Promise<Buffer> {
    throwIfAborted(options.signal);
    const found = this.#objects.get(objectKey);
    if (found === undefined) throw new ObjectMissing(objectKey, this.description);
    return Buffer.from(found.body);
  }

  async head(objectKey: string, options: CallOptions = {}): Promise<ObjectInfo | null> {
    throwIfAborted(options.signal);
    return this.#infoOf(objectKey);
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncIterable<ObjectInfo> {
    const objectKeys = [...this.#objects.keys()]
      .filter((objectKey) => objectKey.startsWith(prefix))
      .sort(compareObjectKeys);
    for (const objectKey of objectKeys) {
      throwIfAborted(options.signal);
      const info = this.#infoOf(objectKey);
      if (info !== null) yield info;
    }
  }

  async delete(objectKey: string, options: CallOptions = {}): Promise<void> {
    throwIfAborted(options.signal);
    this.#objects.delete(objectKey);
  }

  #infoOf(objectKey: string): ObjectInfo | null {
    const found = this.#objects.get(objectKey);
    if (found === undefined) return null;
    return { objectKey, sizeBytes: found.body.length, modifiedAtMs: found.modifiedAtMs };
  }
}
