import { refuse } from '../refusals/refusals.ts';
import type { Frequency } from './due-times.ts';
import {
  checkItems,
  frequencies,
  nominalDays,
  type PolicyItem,
  type PolicyItemRequest,
  type Retention,
  replaceItems,
} from './schedule-rules.ts';

/** What a backup compliance policy requires, and when something falls below it. Pure. */

/** How long on-demand snapshots are kept at least. Its interval is the caller's own and means nothing. */
export interface OnDemandItem extends Retention {
  id: string;
  frequencyInterval: number;
}

export interface Requirements {
  scheduledItems: readonly PolicyItem[];
  onDemandItem: OnDemandItem | null;
  pitEnabled: boolean;
  /** 0 where none is required. */
  restoreWindowDays: number;
  encryptionAtRestEnabled: boolean;
  copyProtectionEnabled: boolean;
}

/** As much of a schedule as a policy can require. */
export interface ScheduleTerms {
  items: readonly PolicyItem[];
  restoreWindowDays: number;
}

/**
 * The item of the schedule that does what this one requires. Only the hourly interval counts: on which day a weekly
 * snapshot is taken is the owner's choice.
 */
function satisfies(item: PolicyItem, required: PolicyItem): boolean {
  if (item.frequencyType !== required.frequencyType) return false;
  if (item.frequencyType === 'hourly' && item.frequencyInterval > required.frequencyInterval) return false;
  return nominalDays(item) >= nominalDays(required);
}

/**
 * With continuous backup hourly snapshots are kept as long as the restore window reaches back: they are what history is
 * replayed onto.
 */
function requiredOf({ restoreWindowDays }: ScheduleTerms, required: Requirements): readonly PolicyItem[] {
  if (!required.pitEnabled) return required.scheduledItems;
  const retentionValue = Math.max(1, restoreWindowDays, required.restoreWindowDays);
  const hourly = { frequencyType: 'hourly', frequencyInterval: 12, retentionUnit: 'days' } as const;
  return [...required.scheduledItems, { id: '', ...hourly, retentionValue }];
}

/** In what the schedule falls short of the requirements, in words; empty where it meets them. */
export function shortcomings(schedule: ScheduleTerms, required: Requirements): string[] {
  const found: string[] = [];
  for (const item of requiredOf(schedule, required)) {
    if (schedule.items.some((each) => satisfies(each, item))) continue;
    const often = item.frequencyType === 'hourly' ? `every ${item.frequencyInterval} hours` : item.frequencyType;
    found.push(`a snapshot ${often} kept ${item.retentionValue} ${item.retentionUnit} is required`);
  }
  if (schedule.restoreWindowDays < required.restoreWindowDays && required.pitEnabled)
    found.push(`a restore window of ${required.restoreWindowDays} days is required`);
  return found;
}

/**
 * The schedule with what it lacks: raised where it is too low, added to where something is missing, nothing taken away.
 * The result is a valid schedule if the given one is.
 */
export function raisedSchedule(
  schedule: ScheduleTerms,
  required: Requirements,
  nextId: () => string,
): { items: PolicyItem[]; restoreWindowDays: number } {
  let items = [...schedule.items];
  for (const wanted of requiredOf(schedule, required)) {
    if (items.some((each) => satisfies(each, wanted))) continue;
    const likeliest = items.find((each) => each.frequencyType === wanted.frequencyType);
    if (likeliest === undefined) items.push({ ...wanted, id: nextId() });
    else items = items.map((each) => (each === likeliest ? raisedItem(each, wanted) : each));
  }
  const restoreWindowDays = required.pitEnabled
    ? Math.max(schedule.restoreWindowDays, required.restoreWindowDays)
    : schedule.restoreWindowDays;
  return { items: inOrder(items), restoreWindowDays };
}

function raisedItem(item: PolicyItem, wanted: PolicyItem): PolicyItem {
  const frequencyInterval =
    item.frequencyType === 'hourly'
      ? Math.min(item.frequencyInterval, wanted.frequencyInterval)
      : item.frequencyInterval;
  return { ...item, frequencyInterval, ...longer(item, wanted) };
}

function longer(a: Retention, b: Retention): Retention {
  const { retentionUnit, retentionValue } = nominalDays(a) >= nominalDays(b) ? a : b;
  return { retentionUnit, retentionValue };
}

/** Raising a frequent item can put it above a rarer one, which is then raised with it. */
export function inOrder(items: readonly PolicyItem[]): PolicyItem[] {
  const rank = ({ frequencyType }: PolicyItem) => frequencies.indexOf(frequencyType);
  return items
    .toSorted((a, b) => rank(a) - rank(b))
    .map((item) => {
      const more = items.filter((other) => rank(other) < rank(item));
      return { ...item, ...more.reduce<Retention>(longer, longer(item, item)) };
    });
}

/** The required items that a request lists: as a schedule's, but that they may be none. */
export function requiredItems(
  current: readonly PolicyItem[],
  requested: readonly PolicyItemRequest[],
  nextId: () => string,
): PolicyItem[] {
  if (requested.length === 0) return [];
  // Clients echo ids, also such as belong to an item that another client has replaced meanwhile: those count as new
  // ones.
  const known = new Map(current.map((item) => [item.id, item.frequencyType as Frequency]));
  const echoed = requested.map((item) => {
    const { id, ...rest } = item;
    return id !== undefined && known.get(id) === item.frequencyType ? item : rest;
  });
  return replaceItems(current, echoed, nextId);
}

/** Refuses requirements that contradict themselves. */
export function checkRequirements(required: Requirements): void {
  checkItems(required.scheduledItems);
  const invalid = (what: string) => refuse('BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID', [what]);
  const { restoreWindowDays, onDemandItem } = required;
  if (!Number.isInteger(restoreWindowDays) || restoreWindowDays < 0)
    throw invalid(`a restore window of ${restoreWindowDays} days`);
  const hourly = required.scheduledItems.find((item) => item.frequencyType === 'hourly');
  if (hourly !== undefined && nominalDays(hourly) < restoreWindowDays)
    throw invalid('the restore window is longer than hourly snapshots are kept');
  if (onDemandItem !== null && !(Number.isInteger(onDemandItem.retentionValue) && onDemandItem.retentionValue >= 1))
    throw invalid('the on-demand item keeps snapshots for at least 1 day');
}

/** Why the change of a policy would weaken it: the refusal, or null where it does not. */
export function weakening(before: Requirements, after: Requirements): ReturnType<typeof refuse> | null {
  if (before.encryptionAtRestEnabled && !after.encryptionAtRestEnabled)
    return refuse('CANNOT_DISABLE_ENCRYPTION_AT_REST_WITH_BACKUP_COMPLIANCE_POLICY');
  if (before.pitEnabled && !after.pitEnabled)
    return refuse('CANNOT_DISABLE_PIT_WITH_BACKUP_COMPLIANCE_POLICY', ['the project']);
  if (after.restoreWindowDays < before.restoreWindowDays)
    return refuse('CANNOT_DECREASE_PIT_WINDOW_WITH_BACKUP_COMPLIANCE_POLICY', [`${before.restoreWindowDays}`]);
  if (before.copyProtectionEnabled && !after.copyProtectionEnabled)
    return refuse('BACKUP_COMPLIANCE_POLICY_SETTINGS_INVALID', ['the protection of copies cannot be taken back']);
  const lost = before.scheduledItems.some((item) => !after.scheduledItems.some((each) => satisfies(each, item)));
  const onDemandLost =
    before.onDemandItem !== null &&
    (after.onDemandItem === null || nominalDays(after.onDemandItem) < nominalDays(before.onDemandItem));
  if (lost || onDemandLost)
    return refuse('CANNOT_DECREASE_SNAPSHOT_RETENTION_WITH_BACKUP_COMPLIANCE_POLICY', ['the policy']);
  return null;
}

/** Extra days beyond those that the policy protects, by the frequency of a snapshot. */
export interface ExtraRetention {
  frequencyType: 'HOURLY' | 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY' | 'ON_DEMAND';
  retentionDays: number;
}

const DAY_MS = 86_400_000;

export function extraRetentionMs(settings: readonly ExtraRetention[], frequencyType: string): number {
  const name = frequencyType === 'ondemand' ? 'ON_DEMAND' : frequencyType.toUpperCase();
  return (settings.find((setting) => setting.frequencyType === name)?.retentionDays ?? 0) * DAY_MS;
}

/** Under a policy a snapshot can be deleted only in the extra days at its end, where it has such. */
export function mayDeleteUnderPolicy(
  snapshot: { status: string; expiresAtMs: number; frequencyType: string },
  { nowMs, extraRetention }: { nowMs: number; extraRetention: readonly ExtraRetention[] },
): boolean {
  if (snapshot.status === 'failed') return true;
  return nowMs >= snapshot.expiresAtMs - extraRetentionMs(extraRetention, snapshot.frequencyType);
}
