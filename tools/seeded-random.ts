/** Repeatable chance for sample data (xorshift32): the same seed gives the same documents on every machine. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = (seed | 0) === 0 ? 1 : seed | 0;
  }

  /** 0 to 2^32 - 1. */
  next(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return x >>> 0;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor((this.next() / 0x1_0000_0000) * limit);
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  bytes(count: number): Buffer {
    const buffer = Buffer.allocUnsafe(count);
    let at = 0;
    for (; at + 4 <= count; at += 4) buffer.writeUInt32LE(this.next(), at);
    for (; at < count; at++) buffer[at] = this.below(256);
    return buffer;
  }
}
