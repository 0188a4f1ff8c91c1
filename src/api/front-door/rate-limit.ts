import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';

export interface RateLimit {
  /** Requests a caller may make within one window. */
  limit: number;
  windowMs: number;
}

/**
 * Ten times what Atlas grants: Terraform and the Atlas CLI repeat nothing after a 429, so that a tight limit would
 * break them instead of slowing them.
 */
export const defaultRateLimit: RateLimit = { limit: 12_000, windowMs: 60_000 };

const callersMax = 10_000;

/** Fixed windows per caller, in memory: a guard against a loop gone wild, not an account of use. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #rate: RateLimit;
  readonly #windows = new Map<string, { startedAtMs: number; used: number }>();

  constructor(clock: Clock, rate: RateLimit) {
    assert(rate.limit >= 1 && rate.windowMs >= 1, 'a rate limit admits something');
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Counts one request. `retryAfterSeconds` is 0 when it is admitted. */
  take(callerId: string): { limit: number; remaining: number; retryAfterSeconds: number } {
    const nowMs = this.#clock.monotonicMs();
    let window = this.#windows.get(callerId);
    if (window === undefined || nowMs - window.startedAtMs >= this.#rate.windowMs) {
      if (this.#windows.size >= callersMax) this.#windows.clear();
      window = { startedAtMs: nowMs, used: 0 };
      this.#windows.set(callerId, window);
    }
    window.used++;
    const { limit, windowMs } = this.#rate;
    const left = limit - window.used;
    const waitMs = window.startedAtMs + windowMs - nowMs;
    return {
      limit,
      remaining: Math.max(0, left),
      retryAfterSeconds: left < 0 ? Math.max(1, Math.ceil(waitMs / 1000)) : 0,
    };
  }
}
