import type { Clock } from '../../src/lib/clock.ts';
import { Cancelled } from '../../src/lib/errors.ts';

interface Sleeper {
  dueMs: number;
  wake: () => void;
}

/**
 * A clock that stands until the test moves it. Sleepers wake in order of their time, each before the clock moves on.
 */
export class FakeClock implements Clock {
  readonly #startMs: number;
  #nowMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(startMs = Date.UTC(2026, 10, 22, 10, 20, 30)) {
    this.#startMs = startMs;
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  monotonicMs(): number {
    return this.#nowMs - this.#startMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new Cancelled());
      const sleeper: Sleeper = { dueMs: this.#nowMs + ms, wake: resolve };
      this.#sleepers.add(sleeper);
      signal?.addEventListener(
        'abort',
        () => {
          if (this.#sleepers.delete(sleeper)) reject(new Cancelled());
        },
        { once: true },
      );
    });
  }

  /** Moves the clock, waking whoever sleeps on the way and letting them run until they wait again. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await settled();
    for (let next = this.#nextSleeper(endMs); next !== undefined; next = this.#nextSleeper(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#sleepers.delete(next);
      next.wake();
      await settled();
    }
    this.#nowMs = endMs;
  }

  /**
   * Moves the clock in one go, as a suspended machine does: who slept meanwhile wakes at the end. For days, which
   * polling loops would take long to live through.
   */
  async leap(ms: number): Promise<void> {
    await settled();
    this.#nowMs += ms;
    await this.advance(0);
  }

  #nextSleeper(endMs: number): Sleeper | undefined {
    const due = [...this.#sleepers].filter((sleeper) => sleeper.dueMs <= endMs);
    return due.sort((a, b) => a.dueMs - b.dueMs)[0];
  }
}

/**
 * Everything that can run without time passing has run. Promises settle within a turn of the loop; several turns let
 * those that were made meanwhile settle too.
 */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
