import { assert, must } from '../../lib/assert.ts';
import { refuse } from '../refusals/refusals.ts';
import { type Cadence, type Frequency, LAST_DAY_OF_MONTH } from './due-times.ts';
import type { RetentionUnit } from './retention.ts';
import { isValidRetention, retentionEndMs } from './retention.ts';

/** What a schedule may say, and what follows from it. Pure: ids and times are given. */

export type PolicyRetentionUnit = 'days' | 'weeks' | 'months' | 'years';

export interface Retention {
  retentionUnit: PolicyRetentionUnit;
  retentionValue: number;
}

export interface PolicyItem extends Cadence, Retention {
  id: string;
}

/** As a caller sends it. One with an id changes the item that has it, one without is new. */
export interface PolicyItemRequest {
  id?: string | undefined;
  frequencyType?: string | undefined;
  frequencyInterval?: number | undefined;
  retentionUnit?: PolicyRetentionUnit | undefined;
  retentionValue?: number | undefined;
}

/** From the most frequent to the rarest. */
export const frequencies: readonly Frequency[] = ['hourly', 'daily', 'weekly', 'monthly', 'yearly'];

/** In the words that snapshots use. */
export const retentionUnits: Record<PolicyRetentionUnit, RetentionUnit> = {
  days: 'DAYS',
  weeks: 'WEEKS',
  months: 'MONTHS',
  years: 'YEARS',
};

/** What divides the day evenly, as Atlas has it. */
export const hourlyIntervals: readonly number[] = [1, 2, 4, 6, 8, 12];

/** When what ended at `fromMs` has been kept for so long. */
export function keptUntilMs(fromMs: number, { retentionUnit, retentionValue }: Retention): number {
  return retentionEndMs(fromMs, retentionUnits[retentionUnit], retentionValue);
}

const UNIT_DAYS: Record<PolicyRetentionUnit, number> = { days: 1, weeks: 7, months: 31, years: 372 };

/**
 * For comparing retentions in different units: a month counts as its longest, and twelve of them as a year. So what is
 * accepted includes every pair that can be read as long enough (31 days beside a month, twelve months beside a year).
 */
export function nominalDays({ retentionUnit, retentionValue }: Retention): number {
  return retentionValue * UNIT_DAYS[retentionUnit];
}

/** A snapshot is kept at least until the next of its kind. */
const LEAST_DAYS: Record<Frequency, number> = { hourly: 1, daily: 1, weekly: 7, monthly: 31, yearly: 365 };

/**
 * Of several items that are due at once, the one that the snapshot is attached to: it is kept longest, and is the
 * rarest of those that are kept equally long.
 */
export function longestKept(items: readonly PolicyItem[], fromMs: number): PolicyItem {
  assert(items.length > 0, 'there is something due');
  const [longest] = items.toSorted(
    (a, b) =>
      keptUntilMs(fromMs, b) - keptUntilMs(fromMs, a) ||
      frequencies.indexOf(b.frequencyType) - frequencies.indexOf(a.frequencyType),
  );
  return must(longest, 'one is the longest');
}

/** The items of the one policy that a schedule has. Its id cannot be chosen; it may be left out. */
export function itemsOfPolicy(
  policies: readonly { id?: string | undefined; policyItems: readonly PolicyItemRequest[] }[],
  policyId: string,
): readonly PolicyItemRequest[] {
  const [policy] = policies;
  if (policy === undefined || policies.length > 1) throw refuse('INVALID_NUM_OF_POLICIES', [`${policies.length}`]);
  if (policy.id !== undefined && policy.id !== policyId) throw refuse('INVALID_POLICY_ID', [policy.id]);
  return policy.policyItems;
}

/**
 * The items after a request that lists all of them: known ones keep their id and their type, the rest are new, what is
 * not listed is gone.
 */
export function replaceItems(
  current: readonly PolicyItem[],
  requested: readonly PolicyItemRequest[],
  nextId: () => string,
): PolicyItem[] {
  if (requested.length === 0) throw refuse('INVALID_NUM_OF_POLICY_ITEMS');
  const seen = new Set<string>();
  const items = requested.map((request): PolicyItem => {
    const complete = wholeItem(request);
    if (request.id === undefined) return { ...complete, id: nextId() };
    const known = current.find((item) => item.id === request.id);
    if (known === undefined || seen.has(known.id)) throw refuse('INVALID_POLICY_ITEM_ID', [request.id]);
    seen.add(known.id);
    if (known.frequencyType !== complete.frequencyType) throw refuse('INVALID_FREQUENCY_TYPE_CHANGE', [known.id]);
    return { ...complete, id: known.id };
  });
  checkItems(items);
  return items;
}

function wholeItem(request: PolicyItemRequest): Omit<PolicyItem, 'id'> {
  const { frequencyType, frequencyInterval, retentionUnit, retentionValue } = request;
  if (
    frequencyType === undefined ||
    frequencyInterval === undefined ||
    retentionUnit === undefined ||
    retentionValue === undefined
  )
    throw refuse('MISSING_POLICY_ITEM_PARAMETERS');
  const known = frequencies.find((frequency) => frequency === frequencyType);
  if (known === undefined)
    throw refuse('INVALID_BACKUP_POLICY', [
      `${frequencyType} is not a frequency of a schedule, which are ${frequencies.join(', ')}`,
    ]);
  return { frequencyType: known, frequencyInterval, retentionUnit, retentionValue };
}

/** Refuses items that no schedule can have: each for itself, and beside each other. */
export function checkItems(items: readonly PolicyItem[]): void {
  for (const item of items) {
    checkInterval(item);
    checkRetention(item);
  }
  for (const frequency of ['hourly', 'daily'] as const) {
    if (items.filter((item) => item.frequencyType === frequency).length > 1)
      throw refuse('INVALID_BACKUP_POLICY', [`there can be one ${frequency} policy item`]);
  }
  checkOrder(items);
}

function checkInterval({ frequencyType, frequencyInterval }: Cadence): void {
  const { values, has } = intervals[frequencyType];
  if (has(frequencyInterval)) return;
  throw refuse('INVALID_BACKUP_POLICY', [
    `${frequencyInterval} is not an interval of a policy item that is ${frequencyType}, which takes ${values}`,
  ]);
}

const within = (least: number, most: number) => (interval: number) =>
  Number.isInteger(interval) && interval >= least && interval <= most;

const intervals: Record<Frequency, { values: string; has: (interval: number) => boolean }> = {
  hourly: { values: hourlyIntervals.join(', '), has: (interval) => hourlyIntervals.includes(interval) },
  daily: { values: '1', has: within(1, 1) },
  weekly: { values: '1 (Monday) to 7 (Sunday)', has: within(1, 7) },
  monthly: {
    values: `1 to 28, or ${LAST_DAY_OF_MONTH} (the last day)`,
    has: (interval) => within(1, 28)(interval) || interval === LAST_DAY_OF_MONTH,
  },
  yearly: { values: '1 (January) to 12 (December)', has: within(1, 12) },
};

function checkRetention(item: PolicyItem): void {
  const { frequencyType, retentionUnit, retentionValue } = item;
  if (!isValidRetention(retentionUnits[retentionUnit], retentionValue))
    throw refuse('BACKUP_SNAPSHOT_RETENTION_VALUE_INVALID', [`${retentionValue}`, retentionUnit]);
  if (nominalDays(item) < LEAST_DAYS[frequencyType])
    throw refuse('INVALID_BACKUP_POLICY', [
      `a ${frequencyType} policy item keeps its snapshots for at least ${LEAST_DAYS[frequencyType]} days`,
    ]);
}

/** What is taken less often is kept at least as long. Items of one frequency may differ. */
function checkOrder(items: readonly PolicyItem[]): void {
  const ranked = items.toSorted((a, b) => frequencies.indexOf(a.frequencyType) - frequencies.indexOf(b.frequencyType));
  for (const rarer of ranked) {
    for (const other of ranked) {
      if (frequencies.indexOf(other.frequencyType) >= frequencies.indexOf(rarer.frequencyType)) break;
      if (nominalDays(rarer) < nominalDays(other))
        throw refuse('INVALID_BACKUP_POLICY', [
          `the ${rarer.frequencyType} policy item's retention is shorter than the ${other.frequencyType} one's`,
        ]);
    }
  }
}

/** Days of continuous history; with it on, no longer than hourly snapshots are kept. */
export function checkRestoreWindow(
  restoreWindowDays: number,
  { items, pitEnabled }: { items: readonly PolicyItem[]; pitEnabled: boolean },
): void {
  if (!Number.isInteger(restoreWindowDays) || restoreWindowDays < 1)
    throw refuse('INVALID_RESTORE_WINDOW', [`${restoreWindowDays}`]);
  // A deleted schedule has no items, and history goes on under it for as long as its window says.
  if (!pitEnabled || items.length === 0) return;
  const hourly = items.find((item) => item.frequencyType === 'hourly');
  if (hourly === undefined)
    throw refuse('INVALID_BACKUP_POLICY', ['Continuous Cloud Backup cannot be on without an hourly policy item']);
  if (nominalDays(hourly) < restoreWindowDays)
    throw refuse('INVALID_BACKUP_POLICY', ['hourly policy item retention cannot be less than restore window']);
}

/** Both parts of the reference time, or neither. */
export function checkReferenceTime(hour: number | undefined, minute: number | undefined): void {
  if (hour !== undefined && !(Number.isInteger(hour) && hour >= 0 && hour <= 23))
    throw refuse('INVALID_REFERENCE_HOUR_OF_DAY', [`${hour}`]);
  if (minute !== undefined && !(Number.isInteger(minute) && minute >= 0 && minute <= 59))
    throw refuse('INVALID_REFERENCE_MINUTE_OF_HOUR', [`${minute}`]);
  if ((hour === undefined) !== (minute === undefined)) throw refuse('INVALID_REFERENCE_TIME_OF_DAY_MISSING_FIELDS');
}

/** What a cluster starts with, as a new cluster of Atlas does. The reference time is the minute at which it is made. */
export const defaultItems: readonly Omit<PolicyItem, 'id'>[] = [
  { frequencyType: 'hourly', frequencyInterval: 6, retentionUnit: 'days', retentionValue: 7 },
  { frequencyType: 'daily', frequencyInterval: 1, retentionUnit: 'days', retentionValue: 7 },
  { frequencyType: 'weekly', frequencyInterval: 6, retentionUnit: 'weeks', retentionValue: 4 },
  { frequencyType: 'monthly', frequencyInterval: LAST_DAY_OF_MONTH, retentionUnit: 'months', retentionValue: 12 },
  { frequencyType: 'yearly', frequencyInterval: 12, retentionUnit: 'years', retentionValue: 1 },
];

export const RESTORE_WINDOW_DAYS_DEFAULT = 7;
