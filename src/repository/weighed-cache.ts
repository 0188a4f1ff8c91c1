import { assert } from '../lib/assert.ts';

/**
 * Values by name, up to a total weight; the one that was not asked for the longest goes first. A value that is asked
 * for while it is being made is made once, and a failure is forgotten.
 */
export class WeighedCache<V> {
  readonly #weightMax: number;
  readonly #kept = new Map<string, { value: V; weight: number }>();
  readonly #making = new Map<string, Promise<V>>();
  #weight = 0;

  constructor(weightMax: number) {
    assert(weightMax > 0, 'a cache has room');
    this.#weightMax = weightMax;
  }

  /** Of what is kept. */
  get weight(): number {
    return this.#weight;
  }

  async get(name: string, make: () => Promise<V>, weightOf: (value: V) => number): Promise<V> {
    const kept = this.#kept.get(name);
    if (kept !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, kept);
      return kept.value;
    }
    let making = this.#making.get(name);
    if (making === undefined) {
      making = this.#make(name, make, weightOf);
      this.#making.set(name, making);
    }
    return await making;
  }

  async #make(name: string, make: () => Promise<V>, weightOf: (value: V) => number): Promise<V> {
    try {
      const value = await make();
      this.#keep(name, value, weightOf(value));
      return value;
    } finally {
      this.#making.delete(name);
    }
  }

  #keep(name: string, value: V, weight: number): void {
    if (weight > this.#weightMax) return;
    assert(!this.#kept.has(name), 'what is kept is not made again');
    this.#kept.set(name, { value, weight });
    this.#weight += weight;
    for (const [oldest, { weight: freed }] of this.#kept) {
      if (this.#weight <= this.#weightMax) return;
      this.#kept.delete(oldest);
      this.#weight -= freed;
    }
  }
}
