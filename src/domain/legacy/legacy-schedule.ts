import { inOrder } from '../policies/compliance-rules.ts';
import type { Frequency } from '../policies/due-times.ts';
import { nominalDays, type PolicyItem, type Retention } from '../policies/schedule-rules.ts';
import type { LegacyScheduleSettings } from './legacy.ts';

/**
 * The legacy snapshot schedule as another way to say what the one backup schedule does. Its interval is the hourly item
 * (or, with 24 hours, the daily one), its three longer retentions are the daily, weekly and monthly items; yearly items
 * it has no word for, and leaves alone. Pure.
 */

/** What a cluster of old began with. */
export const legacyScheduleAtFirst: LegacyScheduleSettings = {
  snapshotIntervalHours: 6,
  snapshotRetentionDays: 2,
  dailySnapshotRetentionDays: 7,
  weeklySnapshotRetentionWeeks: 4,
  monthlySnapshotRetentionMonths: 12,
  pointInTimeWindowHours: 24,
};

/**
 * The values that the legacy API knows; what lies between is shown as the next lower one, so that nothing is promised
 * that is not kept.
 */
const INTERVALS = [6, 8, 12];
const BASE_DAYS = [2, 3, 4, 5];
const DAILY_DAYS = [0, 3, 4, 5, 6, 7, 15, 30, 60, 90, 120, 180, 360];
const WEEKLY_WEEKS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 52];
const MONTHLY_MONTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 18, 24, 36];
const DAY_HOURS = 24;

/** The id of an item that has none yet. */
export const NEW_ITEM = '';

interface Terms {
  items: readonly PolicyItem[];
  restoreWindowDays: number;
}

/** How the schedule looks in legacy words; null where there is nothing to look at. */
export function legacyView({ items, restoreWindowDays }: Terms): LegacyScheduleSettings | null {
  const daysOf = (frequency: Frequency) =>
    Math.max(0, ...items.filter((item) => item.frequencyType === frequency).map(nominalDays));
  const hourly = items.find((item) => item.frequencyType === 'hourly');
  const [mostFrequent] = inOrder(items);
  if (mostFrequent === undefined) return null;
  return {
    snapshotIntervalHours: hourly === undefined ? DAY_HOURS : atMost(INTERVALS, hourly.frequencyInterval),
    snapshotRetentionDays: atMost(BASE_DAYS, nominalDays(mostFrequent)),
    dailySnapshotRetentionDays: atMost(DAILY_DAYS, daysOf('daily')),
    weeklySnapshotRetentionWeeks: atMost(WEEKLY_WEEKS, daysOf('weekly') / 7),
    monthlySnapshotRetentionMonths: atMost(MONTHLY_MONTHS, daysOf('monthly') / 31),
    pointInTimeWindowHours: restoreWindowDays * DAY_HOURS,
  };
}

/** The largest of the values that is no larger, or the least of them. */
function atMost(values: readonly number[], value: number): number {
  return values.findLast((known) => known <= value) ?? values[0] ?? 0;
}

/** Continuous history is kept in whole days. */
export function restoreWindowDaysOf({ pointInTimeWindowHours }: LegacyScheduleSettings): number {
  return Math.max(1, Math.ceil(pointInTimeWindowHours / DAY_HOURS));
}

/** The items that these settings mean where nothing was there before. */
export function itemsOfLegacy(settings: LegacyScheduleSettings): PolicyItem[] {
  return changedItems([], { settings, asked: settings });
}

interface Change {
  /** As they are to be, all of them. */
  settings: LegacyScheduleSettings;
  /** Those that differ from before: what none of them speaks of keeps its items as they are. */
  asked: Partial<LegacyScheduleSettings>;
}

/**
 * The items after a change. A rarer item that would be kept shorter than a more frequent one is kept as long: its
 * snapshots are the other's too.
 */
export function changedItems(current: readonly PolicyItem[], change: Change): PolicyItem[] {
  const { settings, asked } = change;
  const everyDay = settings.snapshotIntervalHours === DAY_HOURS;
  const days = (retentionValue: number): Retention => ({ retentionUnit: 'days', retentionValue });
  const of = (frequency: Frequency) => current.filter((item) => item.frequencyType === frequency);
  const one = (frequencyType: Frequency, frequencyInterval: number, retention: Retention): PolicyItem[] => [
    { id: of(frequencyType)[0]?.id ?? NEW_ITEM, frequencyType, frequencyInterval, ...retention },
  ];
  const base = settings.snapshotRetentionDays;
  const [hourly] = of('hourly');
  const [daily] = of('daily');
  const keptHourly = asked.snapshotRetentionDays === undefined ? (hourly ?? days(base)) : days(base);
  const dailyDays = Math.max(settings.dailySnapshotRetentionDays, everyDay ? base : 0);
  const dailyAsked =
    asked.dailySnapshotRetentionDays !== undefined || (everyDay && asked.snapshotRetentionDays !== undefined);
  const keptDaily = dailyAsked ? days(dailyDays) : (daily ?? days(dailyDays));
  const weeks = settings.weeklySnapshotRetentionWeeks;
  const months = settings.monthlySnapshotRetentionMonths;
  return inOrder([
    ...(everyDay ? [] : one('hourly', intervalOf(hourly, change), retentionOf(keptHourly))),
    ...(dailyDays === 0 ? [] : one('daily', 1, retentionOf(keptDaily))),
    ...(asked.weeklySnapshotRetentionWeeks === undefined
      ? of('weekly')
      : weeks === 0
        ? []
        : one('weekly', of('weekly')[0]?.frequencyInterval ?? 6, { retentionUnit: 'weeks', retentionValue: weeks })),
    ...(asked.monthlySnapshotRetentionMonths === undefined
      ? of('monthly')
      : months === 0
        ? []
        : one('monthly', of('monthly')[0]?.frequencyInterval ?? 40, {
            retentionUnit: 'months',
            retentionValue: months,
          })),
    ...of('yearly'),
  ]);
}

function intervalOf(hourly: PolicyItem | undefined, { settings, asked }: Change): number {
  return asked.snapshotIntervalHours ?? hourly?.frequencyInterval ?? settings.snapshotIntervalHours;
}

function retentionOf({ retentionUnit, retentionValue }: Retention): Retention {
  return { retentionUnit, retentionValue };
}
