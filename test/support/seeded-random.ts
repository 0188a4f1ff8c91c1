import { must } from '../../src/lib/assert.ts';
import type { Random } from '../../src/lib/random.ts';

/**
 * Chance that can be had again: the same seed gives the same numbers, and `fork` gives each of several users its own
 * independent row of them. Algorithm: sfc32.
 */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x1_0000_0000) | 0;
    this.#c = stream | 0;
    for (let i = 0; i < 12; i++) this.next();
  }

  fork(stream: number): SeededRandom {
    return new SeededRandom(this.next(), stream);
  }

  /** 32 bits, unsigned. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  /** True once in `times`, on average. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return must(items[this.below(items.length)], 'there is something to pick from');
  }

  pickWeighted<T>(items: readonly { weight: number; item: T }[]): T {
    let at = this.below(items.reduce((sum, each) => sum + each.weight, 0));
    for (const { weight, item } of items) {
      at -= weight;
      if (at < 0) return item;
    }
    throw new Error('weights must be positive');
  }

  bytes(count: number): Buffer {
    const buffer = Buffer.allocUnsafe(Math.ceil(count / 4) * 4);
    for (let at = 0; at < buffer.length; at += 4) buffer.writeUInt32LE(this.next(), at);
    return buffer.subarray(0, count);
  }
}
