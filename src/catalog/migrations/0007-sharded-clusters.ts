import type { Migration } from './migration.ts';

/** What a snapshot of a sharded cluster is made of, and which balancers are stopped by us. */
export const shardedClusters: Migration = {
  version: 7,
  name: 'sharded clusters',
  statements: [
    `alter table snapshots add column members text`,
    `create table balancer_holds (
      cluster_id text primary key references clusters (id),
      held_at_ms bigint not null
    )`,
  ],
};
