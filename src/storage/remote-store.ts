import { throwIfAborted } from '../lib/abort.ts';
import { assert } from '../lib/assert.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { type Random, systemRandom } from '../lib/random.ts';
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
import { type CallPolicy, type CallTools, defaultCallPolicy, RemoteCalls } from './remote-calls.ts';
import { ConditionFailed, type RemoteClient, type RemoteInfo } from './remote-client.ts';
import { StoreFault } from './store-fault.ts';

export interface RemoteStoreOptions {
  /** `repository` where left out. */
  objectKeys?: ObjectKeys;
  clock?: Clock;
  random?: Random;
  policy?: Partial<CallPolicy>;
  /** Names in a page of a listing; what the provider gives at once where left out. */
  pageMax?: number;
}

const PAGE_MAX = 1000;

/** The objects below a prefix of a bucket: everything that the stores on the network have in common. */
export class RemoteStore implements ObjectStore {
  readonly description: string;
  readonly #client: RemoteClient;
  /** '' or 'some/prefix/'. */
  readonly #prefix: string;
  readonly #objectKeys: ObjectKeys;
  readonly #calls: RemoteCalls;
  readonly #random: Random;
  readonly #pageMax: number;

  constructor(client: RemoteClient, place: { description: string; prefix: string }, options: RemoteStoreOptions = {}) {
    this.#client = client;
    this.description = place.description;
    this.#prefix = place.prefix === '' ? '' : `${place.prefix}/`;
    this.#objectKeys = options.objectKeys ?? 'repository';
    this.#random = options.random ?? systemRandom;
    this.#pageMax = options.pageMax ?? PAGE_MAX;
    this.#calls = new RemoteCalls(place.description, (error) => client.problemOf(error), toolsOf(options));
  }

  async put(objectKey: string, body: Uint8Array, { ifAbsent = false, signal }: PutOptions = {}): Promise<void> {
    assert(this.#isKey(objectKey), `"${objectKey}" is an object key`);
    const name = this.#prefix + objectKey;
    const whyNot = this.#client.whyNoName(name);
    if (whyNot !== null) {
      const message = `cannot put object ${objectKey} in ${this.description}: ${whyNot}`;
      throw new StoreFault({ op: 'put object', subject: objectKey, message, problem: 'refused' });
    }
    const writeId = this.#random.bytes(12).toString('hex');
    const call = { op: 'put object', subject: objectKey, sentBytes: body.length, signal };
    await this.#calls.run(call, async (attempt) => {
      if (ifAbsent && attempt.number > 1) {
        // An earlier attempt of ours may have been done without our hearing of it; and a server that refuses before it
        // has read the body may show as nothing but a broken connection, again and again.
        const found = await this.#client.look(name, attempt);
        if (found?.writeId === writeId) return;
        if (found !== null) throw new ObjectExists(objectKey, this.description);
      }
      try {
        await this.#client.write(name, body, { ifAbsent, writeId }, attempt);
      } catch (error) {
        if (!ifAbsent || !(error instanceof ConditionFailed)) throw error;
        // Between the look and the write it came: ours where an earlier attempt was still on its way.
        const ours = attempt.number > 1 && (await this.#client.look(name, attempt))?.writeId === writeId;
        if (!ours) throw new ObjectExists(objectKey, this.description);
      }
    });
  }

  async get(objectKey: string, { signal }: CallOptions = {}): Promise<Buffer> {
    throwIfAborted(signal);
    if (!this.#canBe(objectKey)) throw new ObjectMissing(objectKey, this.description);
    const name = this.#prefix + objectKey;
    const call = { op: 'get object', subject: objectKey, signal };
    const body = await this.#calls.run(call, async (attempt) => await this.#client.read(name, attempt));
    if (body === null) throw new ObjectMissing(objectKey, this.description);
    return body;
  }

  async head(objectKey: string, { signal }: CallOptions = {}): Promise<ObjectInfo | null> {
    throwIfAborted(signal);
    if (!this.#canBe(objectKey)) return null;
    const name = this.#prefix + objectKey;
    const call = { op: 'look at object', subject: objectKey, signal };
    const info = await this.#calls.run(call, async (attempt) => await this.#client.look(name, attempt));
    return info === null ? null : this.#infoOf(info);
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncIterable<ObjectInfo> {
    let token: string | undefined;
    let last: string | null = null;
    const call = { op: 'list objects', subject: prefix, signal };
    do {
      throwIfAborted(signal);
      const from: string | undefined = token;
      const page = await this.#calls.run(
        call,
        async (attempt) =>
          await this.#client.page(this.#prefix + prefix, { token: from, namesMax: this.#pageMax }, attempt),
      );
      for (const remote of page.infos) {
        throwIfAborted(signal);
        const info = this.#infoOf(remote);
        if (!this.#isKey(info.objectKey)) continue; // not of our making
        // Beyond ASCII providers differ in what they call the order of two names; no export depends on it.
        if (this.#objectKeys === 'repository' && last !== null && compareObjectKeys(info.objectKey, last) <= 0)
          throw this.#outOfOrder(last, info);
        last = info.objectKey;
        yield info;
      }
      token = page.next;
    } while (token !== undefined);
  }

  async delete(objectKey: string, { signal }: CallOptions = {}): Promise<void> {
    throwIfAborted(signal);
    if (!this.#canBe(objectKey)) return;
    const call = { op: 'delete object', subject: objectKey, signal };
    await this.#calls.run(call, async (attempt) => await this.#client.remove(this.#prefix + objectKey, attempt));
  }

  /** Where the bucket is, as its provider calls it; null where it does not say. */
  async location({ signal }: CallOptions = {}): Promise<string | null> {
    const call = { op: 'look up the location of the bucket', subject: '', signal };
    return await this.#calls.run(call, async (attempt) => await this.#client.location(attempt));
  }

  #isKey(objectKey: string): boolean {
    return isObjectKeyOf(this.#objectKeys, objectKey);
  }

  #canBe(objectKey: string): boolean {
    return this.#isKey(objectKey) && this.#client.whyNoName(this.#prefix + objectKey) === null;
  }

  /** Some answers have milliseconds and some whole seconds: the same object has one time. */
  #infoOf({ name, sizeBytes, modifiedAtMs }: RemoteInfo): ObjectInfo {
    const objectKey = name.slice(this.#prefix.length);
    return { objectKey, sizeBytes, modifiedAtMs: Math.floor(modifiedAtMs / 1000) * 1000 };
  }

  #outOfOrder(last: string, { objectKey }: ObjectInfo): StoreFault {
    return new StoreFault({
      op: 'list objects',
      subject: objectKey,
      message: `${this.description} does not list in byte order of the names: ${objectKey} came after ${last}. A bucket with a hierarchical namespace cannot be used`,
      problem: 'refused',
    });
  }
}

function toolsOf(options: RemoteStoreOptions): CallTools {
  return {
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    policy: { ...defaultCallPolicy, ...options.policy },
  };
}
