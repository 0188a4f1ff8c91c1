import type { Backoff } from '../backoff.ts';
import { backoffOf } from '../backoff.ts';
import { isWeather } from '../errors.ts';

/**
 * How long work bears the weather: what fails for a reason that passes begins again, so many times and for so long, and
 * then has failed.
 */
export interface Patience {
  /** Attempts in all, those that ended with their process among them. */
  attemptsMax: number;
  /** Since the first attempt began no other one begins after this; null where only attempts are counted. */
  totalMsMax: number | null;
}

/**
 * Of work that somebody asked for and waits for: restores, exports, downloads. With the waits below that is an outage
 * of about an hour. docs/operations.md says it too.
 */
export const jobPatience: Patience = { attemptsMax: 20, totalMsMax: 48 * 60 * 60_000 };

const waits: Backoff = { first: 2_000, most: 5 * 60_000 };

/**
 * How long to wait after the nth failed attempt, n from 1: doubling, with half of it left to chance so that many do not
 * come back together. `chance` is from 0 to 1.
 */
export function retryDelayMs(attempt: number, chance: number): number {
  const full = backoffOf(waits, attempt);
  return Math.round(full / 2 + (full / 2) * chance);
}

/** How often and since when it was tried. */
export interface Tried {
  attempts: number;
  sinceMs: number;
  nowMs: number;
}

/** Whether another attempt may end otherwise, and is within the bounds. Never after a Bug or Damage. */
export function mayTryAgain(error: unknown, { attemptsMax, totalMsMax }: Patience, tried: Tried): boolean {
  if (!isWeather(error) || tried.attempts >= attemptsMax) return false;
  return totalMsMax === null || tried.nowMs - tried.sinceMs < totalMsMax;
}

/** What a person is told meanwhile: for what it waits, how long, and which attempt comes then. */
export function describeWait(waitMs: number, next: number, attemptsMax: number, reason: string): string {
  return `waiting ${Math.max(1, Math.round(waitMs / 1000))} s before try ${next} of ${attemptsMax}: ${reason}`;
}

/** What is said of a failure beside its reason, where it was not the first: `tried 20 times in 63 min`. */
export function describeTries({ attempts, sinceMs, nowMs }: Tried): string {
  const seconds = Math.round((nowMs - sinceMs) / 1000);
  return `tried ${attempts} times in ${seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`}`;
}
