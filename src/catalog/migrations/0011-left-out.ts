import type { Migration } from './migration.ts';

/** What of a snapshot a job that ended well did not carry over: it is named, and the rest is there. */
export const leftOut: Migration = {
  version: 11,
  name: 'left out',
  statements: [`alter table export_jobs add column left_out text`, `alter table restore_jobs add column left_out text`],
};
