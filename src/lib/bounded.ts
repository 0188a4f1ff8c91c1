import { orAbort } from './abort.ts';
import { assert } from './assert.ts';

/**
 * A counting semaphore over weights: memory in bytes, or plain slots with weight 1. A weight above the capacity is
 * taken as the whole capacity, so that one huge item can still pass, alone. First come, first served.
 */
export class Semaphore {
  readonly #capacity: number;
  #used = 0;
  readonly #waiting: { weight: number; grant: () => void }[] = [];

  constructor(capacity: number) {
    assert(capacity > 0, 'a semaphore needs a capacity');
    this.#capacity = capacity;
  }

  async acquire(weight = 1, signal?: AbortSignal): Promise<() => void> {
    const taken = Math.min(weight, this.#capacity);
    if (this.#waiting.length === 0 && this.#used + taken <= this.#capacity) {
      this.#used += taken;
    } else {
      let entry: { weight: number; grant: () => void } | undefined;
      const granted = new Promise<void>((resolve) => {
        entry = { weight: taken, grant: resolve };
        this.#waiting.push(entry);
      });
      try {
        await orAbort(granted, signal);
      } catch (error) {
        const at = entry === undefined ? -1 : this.#waiting.indexOf(entry);
        if (at >= 0) this.#waiting.splice(at, 1);
        else this.#release(taken);
        this.#wake();
        throw error;
      }
    }
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#release(taken);
      this.#wake();
    };
  }

  #release(weight: number): void {
    this.#used -= weight;
    assert(this.#used >= 0, 'a semaphore was released twice');
  }

  #wake(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#used + next.weight > this.#capacity) return;
      this.#used += next.weight;
      this.#waiting.shift();
      next.grant();
    }
  }
}

/**
 * Runs `work` over the items with at most `concurrency` under way. The first failure stops further starts; it is thrown
 * once those under way have ended, so that nothing runs on behind the caller's back.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T> | AsyncIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  assert(concurrency >= 1, 'concurrency must be at least 1');
  const running = new Set<Promise<void>>();
  let failure: { error: unknown } | undefined;
  try {
    for await (const item of items) {
      if (failure !== undefined) break;
      const run = work(item)
        .catch((error: unknown) => {
          failure ??= { error };
        })
        .finally(() => {
          running.delete(run);
        });
      running.add(run);
      if (running.size >= concurrency) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  if (failure !== undefined) throw failure.error;
}
