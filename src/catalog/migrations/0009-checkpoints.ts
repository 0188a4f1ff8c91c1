import type { Migration } from './migration.ts';

/** How far a checkpoint has come, how often a cluster has one, and whose work it is that a balancer is stopped for. */
export const checkpoints: Migration = {
  version: 9,
  name: 'checkpoints',
  statements: [
    `alter table checkpoints add column state text not null default 'completed'
      check (state in ('queued', 'inProgress', 'discovering', 'completed', 'failed'))`,
    `alter table checkpoints add column cluster_time_t bigint`,
    `alter table checkpoints add column cluster_time_i bigint`,
    `alter table checkpoints add column reason text`,

    `create table checkpoint_schedules (
      cluster_id text primary key references clusters (id),
      interval_minutes integer not null check (interval_minutes in (15, 30, 60)),
      served_until_ms bigint not null
    )`,

    `alter table balancer_holds add column task_id text`,
  ],
};
