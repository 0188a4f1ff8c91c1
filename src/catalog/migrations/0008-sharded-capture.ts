import type { Migration } from './migration.ts';

/** How far each replica set of a sharded cluster is captured, as the last word of its tailers. */
export const shardedCapture: Migration = {
  version: 8,
  name: 'sharded capture',
  statements: [`alter table captures add column members text`],
};
