import { setTimeout as delay } from 'node:timers/promises';
import { Cancelled } from './errors.ts';

/** The only source of time. Tests pass a clock that they move. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch, UTC. */
  nowMs(): number;
  /** Monotonic milliseconds, for durations only. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with Cancelled when the signal fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (signal?.aborted) throw new Cancelled();
      throw error;
    }
  },
};

/** `2026-11-22T10:20:30Z`: the form in which Atlas prints times (no fraction). */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
