import { unreachable } from '../../lib/assert.ts';

/** Retention arithmetic. Pure; UTC throughout. */

export type RetentionUnit = 'DAYS' | 'WEEKS' | 'MONTHS' | 'YEARS';

const DAY_MS = 86_400_000;
/** Two centuries: beyond it lies a mistake, and dates that other programs cannot hold. */
const YEARS_MAX = 200;

export const RETENTION_DAYS_DEFAULT = 7;

const UNIT_MAX: Record<RetentionUnit, number> = {
  DAYS: YEARS_MAX * 365,
  WEEKS: YEARS_MAX * 52,
  MONTHS: YEARS_MAX * 12,
  YEARS: YEARS_MAX,
};

export function isValidRetention(unit: RetentionUnit, value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= UNIT_MAX[unit];
}

/**
 * When what began at `fromMs` has been kept for so long. Months and years are the calendar's: a month from 31 January
 * ends on the last day of February.
 */
export function retentionEndMs(fromMs: number, unit: RetentionUnit, value: number): number {
  switch (unit) {
    case 'DAYS':
      return fromMs + value * DAY_MS;
    case 'WEEKS':
      return fromMs + value * 7 * DAY_MS;
    case 'MONTHS':
      return addMonths(fromMs, value);
    case 'YEARS':
      return addMonths(fromMs, value * 12);
    default:
      return unreachable(unit);
  }
}

function addMonths(fromMs: number, months: number): number {
  const from = new Date(fromMs);
  const dayMs = fromMs - Date.UTC(from.getUTCFullYear(), from.getUTCMonth(), from.getUTCDate());
  const year = from.getUTCFullYear();
  const month = from.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(from.getUTCDate(), lastDay)) + dayMs;
}

/**
 * Whether a snapshot past its time may go. The newest completed one of a cluster stays while what was tried after it
 * has not succeeded: a cluster whose backups fail does not lose its last good one to the calendar.
 */
export function mayExpire(
  snapshot: { id: string; expiresAtMs: number; doNotDelete: 0 | 1; status: string },
  facts: { nowMs: number; newestCompletedId: string | null; newerNotCompleted: boolean },
): boolean {
  if (snapshot.expiresAtMs > facts.nowMs || snapshot.doNotDelete === 1) return false;
  if (snapshot.status === 'failed') return true;
  if (snapshot.status !== 'completed') return false;
  return !(snapshot.id === facts.newestCompletedId && facts.newerNotCompleted);
}
