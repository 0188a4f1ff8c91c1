import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { Pause } from './pause.ts';

/**
 * Something to be done when its time has come. What is due is read from the catalog each time, nothing is remembered
 * between rounds: so any number of processes may try, and a restart misses nothing. `run` must be harmless when there
 * is nothing to do.
 */
export interface Duty {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
  /** When it is worth running next, or null when that is not known. */
  nextDueMs(nowMs: number): Promise<number | null>;
}

/** A round at least this often: another process may have changed what is due. */
const ROUND_LONGEST_MS = 60_000;
/** And at most this often. */
const ROUND_SHORTEST_MS = 1_000;

export class Timer {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #duties: readonly Duty[];
  readonly #pause: Pause;
  readonly #stopping = new AbortController();
  #loop: Promise<void> | null = null;

  constructor(options: { clock: Clock; log: Logger; duties: readonly Duty[] }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#duties = options.duties;
    this.#pause = new Pause(options.clock);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /** Something was changed that may be due sooner. */
  wake(): void {
    this.#pause.end();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#pause.end();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      let dueMs = this.#clock.nowMs() + ROUND_LONGEST_MS;
      for (const duty of this.#duties) {
        if (signal.aborted) return;
        try {
          await duty.run(signal);
          dueMs = Math.min(dueMs, (await duty.nextDueMs(this.#clock.nowMs())) ?? dueMs);
        } catch (error) {
          // The next round does it again; a duty that cannot be done must not keep the others from theirs.
          if (!signal.aborted) this.#log.error({ err: error, duty: duty.name }, 'a duty of the timer failed');
        }
      }
      if (signal.aborted) return;
      await this.#pause.wait(Math.max(ROUND_SHORTEST_MS, dueMs - this.#clock.nowMs()));
    }
  }
}
