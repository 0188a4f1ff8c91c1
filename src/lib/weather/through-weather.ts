import type { Clock } from '../clock.ts';
import { describeError, Fault, isWeather } from '../errors.ts';
import type { ReportProgress } from '../progress.ts';
import type { Random } from '../random.ts';
import { describeTries, describeWait, mayTryAgain, type Patience, retryDelayMs } from './patience.ts';

export interface ThroughWeatherOptions {
  patience: Patience;
  /** Whether a failure by weather is worth waiting for. Left out: every one is. */
  worth?: () => boolean;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  /** Told what is waited for. */
  report: ReportProgress;
}

/**
 * Does work that can begin again, and begins it again after weather, as a task does: for commands that have no queue.
 * The work is told its number, from 1, and how to know whether another attempt would follow on a failure. Rejects with
 * the last failure, which says how often it was tried.
 */
export async function throughWeather<T>(
  { patience, worth = () => true, clock, random, signal, report }: ThroughWeatherOptions,
  work: (attempt: number, goesOn: (error: unknown) => boolean) => Promise<T>,
): Promise<T> {
  const sinceMs = clock.monotonicMs();
  for (let attempt = 1; ; attempt++) {
    const tried = () => ({ attempts: attempt, sinceMs, nowMs: clock.monotonicMs() });
    const goesOn = (error: unknown) => !signal.aborted && worth() && mayTryAgain(error, patience, tried());
    try {
      return await work(attempt, goesOn);
    } catch (error) {
      if (!goesOn(error)) {
        if (attempt === 1 || !(error instanceof Fault) || !isWeather(error)) throw error;
        throw withTries(error, describeTries(tried()));
      }
      const waitMs = retryDelayMs(attempt, random.bytes(2).readUInt16BE(0) / 0xffff);
      const phase = describeWait(waitMs, attempt + 1, patience.attemptsMax, describeError(error));
      report({ phase, documentsDone: 0, bytesDone: 0 });
      await clock.sleep(waitMs, signal);
    }
  }
}

function withTries(error: Fault, tries: string): Fault {
  const { op, subject, message, hint, cause } = error;
  return new Fault({ op, subject, message: `${message} (${tries})`, cause, ...(hint === undefined ? {} : { hint }) });
}
