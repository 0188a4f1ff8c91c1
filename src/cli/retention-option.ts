import { InvalidArgumentError } from 'commander';
import { isValidRetention, type RetentionUnit } from '../domain/policies/retention.ts';
import type { Retention } from '../domain/policies/schedule-rules.ts';

/** How long something is kept, in the words of a schedule and in those of a snapshot. */
export interface RetentionGiven {
  ofItem: Retention;
  ofSnapshot: { retentionUnit: RetentionUnit; retentionValue: number };
}

const UNITS = {
  d: { item: 'days', snapshot: 'DAYS' },
  w: { item: 'weeks', snapshot: 'WEEKS' },
  m: { item: 'months', snapshot: 'MONTHS' },
  y: { item: 'years', snapshot: 'YEARS' },
} as const;

/** `30d`, `8w`, `12m`, `2y`. */
export function parseRetention(text: string): RetentionGiven {
  const [, number, letter] = /^(\d{1,6})([dwmy])$/.exec(text) ?? [];
  const unit = letter === undefined ? undefined : UNITS[letter as keyof typeof UNITS];
  const retentionValue = Number(number);
  if (unit === undefined || !isValidRetention(unit.snapshot, retentionValue))
    throw new InvalidArgumentError(
      'How long is a number with d (days), w (weeks), m (months) or y (years): 30d, 8w, 12m, 2y.',
    );
  return {
    ofItem: { retentionUnit: unit.item, retentionValue },
    ofSnapshot: { retentionUnit: unit.snapshot, retentionValue },
  };
}
