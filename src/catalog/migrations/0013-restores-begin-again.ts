import type { Migration } from './migration.ts';

/** That a restore has touched its target outlives the attempt that did. */
export const restoresBeginAgain: Migration = {
  version: 13,
  name: 'restores begin again',
  statements: ['alter table restore_jobs add column target_cleared_at_ms bigint'],
};
