import { unreachable } from '../../lib/assert.ts';

/**
 * When a policy item is due. Pure; everything in UTC, so that no day has 23 or 25 hours. All grids are anchored at the
 * schedule's reference time of day: the hourly one too, whose interval divides the day.
 */
export type Frequency = 'hourly' | 'daily' | 'weekly' | 'monthly' | 'yearly';

export interface ReferenceTime {
  /** 0 to 23. */
  hour: number;
  /** 0 to 59. */
  minute: number;
}

export interface Cadence {
  frequencyType: Frequency;
  /**
   * Hours; 1; weekday from Monday 1 to Sunday 7; day of the month 1 to 28, or 40 for its last; month 1 to 12, on its
   * first day.
   */
  frequencyInterval: number;
}

export const LAST_DAY_OF_MONTH = 40;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The first Monday after the epoch, which was a Thursday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

/** The first due time strictly after `afterMs`. */
export function dueAfter(cadence: Cadence, reference: ReferenceTime, afterMs: number): number {
  const { frequencyType, frequencyInterval } = cadence;
  const ofDayMs = reference.hour * HOUR_MS + reference.minute * MINUTE_MS;
  switch (frequencyType) {
    case 'hourly':
      return onGrid(ofDayMs, frequencyInterval * HOUR_MS, afterMs);
    case 'daily':
      return onGrid(ofDayMs, DAY_MS, afterMs);
    case 'weekly':
      return onGrid(FIRST_MONDAY_MS + (frequencyInterval - 1) * DAY_MS + ofDayMs, 7 * DAY_MS, afterMs);
    case 'monthly':
      return onCalendar(1, (year, month) => dayOfMonth(year, month, frequencyInterval) + ofDayMs, afterMs);
    case 'yearly':
      return onCalendar(12, (year) => Date.UTC(year, frequencyInterval - 1, 1) + ofDayMs, afterMs);
    default:
      return unreachable(frequencyType);
  }
}

/** The next time at which any of them is due strictly after `afterMs`; null where there are none. */
export function nextDueMs(items: readonly Cadence[], reference: ReferenceTime, afterMs: number): number | null {
  if (items.length === 0) return null;
  return Math.min(...items.map((item) => dueAfter(item, reference, afterMs)));
}

/**
 * Those with a due time after `afterMs` and up to `untilMs`. However many were missed in between: what is taken now
 * stands for all of them.
 */
export function itemsDue<Item extends Cadence>(
  items: readonly Item[],
  reference: ReferenceTime,
  { afterMs, untilMs }: { afterMs: number; untilMs: number },
): Item[] {
  return items.filter((item) => dueAfter(item, reference, afterMs) <= untilMs);
}

function onGrid(anchorMs: number, everyMs: number, afterMs: number): number {
  return anchorMs + (Math.floor((afterMs - anchorMs) / everyMs) + 1) * everyMs;
}

/**
 * The step of the calendar that `afterMs` lies in may be over or still ahead; the one after it is ahead for certain.
 */
function onCalendar(months: 1 | 12, dueOf: (year: number, month: number) => number, afterMs: number): number {
  const after = new Date(afterMs);
  const year = after.getUTCFullYear();
  const month = after.getUTCMonth();
  const thisOne = dueOf(year, month);
  return thisOne > afterMs ? thisOne : dueOf(months === 12 ? year + 1 : year, month + 1);
}

/** Midnight of the day. `month` counts from 0 and may be 12, which is January of the next year. */
function dayOfMonth(year: number, month: number, day: number): number {
  return day === LAST_DAY_OF_MONTH ? Date.UTC(year, month + 1, 0) : Date.UTC(year, month, day);
}
