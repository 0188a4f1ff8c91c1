import { InvalidArgumentError } from 'commander';
import type { Frequency } from '../domain/policies/due-times.ts';
import { LAST_DAY_OF_MONTH } from '../domain/policies/due-times.ts';
import { hourlyIntervals, type PolicyItemRequest } from '../domain/policies/schedule-rules.ts';
import { parseRetention } from './retention-option.ts';

/** A schedule in words: how it is typed and how it is shown. */

export const WEEKDAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
export const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

export const NONE = 'none';

/** One item as it was typed; `none` takes all of its frequency away. */
export type GivenItem = PolicyItemRequest | typeof NONE;

/** `6=7d`: every 6 hours, kept 7 days. */
export const parseHourly = itemParser('hourly', '6=7d', hourlyIntervals.join(', '), (text) => {
  const hours = Number(text);
  return hourlyIntervals.includes(hours) ? hours : null;
});

/** `7d`. */
export function parseDaily(text: string): GivenItem {
  return text === NONE ? NONE : { frequencyType: 'daily', frequencyInterval: 1, ...parseRetention(text).ofItem };
}

/** `saturday=4w`. */
export const parseWeekly = itemParser('weekly', 'saturday=4w', WEEKDAYS.join(', ').toLowerCase(), (text) =>
  nameIn(WEEKDAYS, text),
);

/** `last=12m`, `15=12m`. */
export const parseMonthly = itemParser('monthly', 'last=12m', '1 to 28, or last', (text) => {
  if (text === 'last') return LAST_DAY_OF_MONTH;
  const day = Number(text);
  return /^\d{1,2}$/.test(text) && day >= 1 && day <= 28 ? day : null;
});

/** `december=1y`. */
export const parseYearly = itemParser('yearly', 'december=1y', MONTHS.join(', ').toLowerCase(), (text) =>
  nameIn(MONTHS, text),
);

function itemParser(
  frequencyType: Frequency,
  example: string,
  values: string,
  intervalOf: (text: string) => number | null,
): (text: string) => GivenItem {
  return (text) => {
    if (text === NONE) return NONE;
    const [interval = '', kept, more] = text.split('=');
    if (kept === undefined || more !== undefined)
      throw new InvalidArgumentError(`It is written ${example}, or ${NONE}.`);
    const frequencyInterval = intervalOf(interval.toLowerCase());
    if (frequencyInterval === null)
      throw new InvalidArgumentError(`${interval} is none of its values: ${values}. It is written ${example}.`);
    return { frequencyType, frequencyInterval, ...parseRetention(kept).ofItem };
  };
}

/** From 1; a name may be cut short to three letters. */
function nameIn(names: readonly string[], text: string): number | null {
  const at = names.findIndex((name) => text.length >= 3 && name.toLowerCase().startsWith(text));
  return at < 0 ? null : at + 1;
}

/** Of an option that may be given several times. */
export function collectItems(parse: (text: string) => GivenItem) {
  return (text: string, before: readonly GivenItem[] | undefined): GivenItem[] => [...(before ?? []), parse(text)];
}

/** `22:30`. */
export function parseTimeOfDay(text: string): { hour: number; minute: number } {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hour === undefined || minute === undefined)
    throw new InvalidArgumentError('A time of day is 00:00 to 23:59, in UTC.');
  return { hour: Number(hour), minute: Number(minute) };
}

/** In words; the time of day is the reference time. */
export function whenOf({
  frequencyType,
  frequencyInterval,
}: {
  frequencyType: Frequency;
  frequencyInterval: number;
}): string {
  switch (frequencyType) {
    case 'hourly':
      return frequencyInterval === 1 ? 'every hour' : `every ${frequencyInterval} hours`;
    case 'daily':
      return 'every day';
    case 'weekly':
      return WEEKDAYS[frequencyInterval - 1] ?? '';
    case 'monthly':
      return frequencyInterval === LAST_DAY_OF_MONTH
        ? 'last day of the month'
        : `day ${frequencyInterval} of the month`;
    case 'yearly':
      return `1 ${MONTHS[frequencyInterval - 1] ?? ''}`;
  }
}
