import type { Migration } from './migration.ts';

/** Somebody waits for the oplog to be in the repository up to a time: the tailer seals its slice as soon as it can. */
export const wantedCaptures: Migration = {
  version: 12,
  name: 'wanted captures',
  statements: [`alter table captures add column wanted_t bigint`, `alter table captures add column wanted_i bigint`],
};
