import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';

/**
 * A wait that can be cut short, also just before it begins: an `end` between two waits ends the next one. One waiter at
 * a time.
 */
export class Pause {
  readonly #clock: Clock;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    assert(this.#wake === undefined, 'one waits at a time');
    const controller = new AbortController();
    this.#wake = () => controller.abort();
    try {
      if (!this.#ended) await this.#clock.sleep(ms, controller.signal);
    } catch (error) {
      if (!controller.signal.aborted) throw error;
    } finally {
      this.#wake = undefined;
      this.#ended = false;
    }
  }
}
