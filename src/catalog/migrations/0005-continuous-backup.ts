import type { Migration } from './migration.ts';

/**
 * Whether a cluster's oplog is captured, and how far. What is captured the repository itself knows; this is the last
 * word of the tailer.
 */
export const continuousBackup: Migration = {
  version: 5,
  name: 'continuous backup',
  statements: [
    `alter table clusters add column pit_enabled integer not null default 0 check (pit_enabled in (0, 1))`,
    `create table captures (
      cluster_id text primary key references clusters (id),
      replica_set_name text,
      host text,
      captured_t bigint,
      captured_i bigint,
      lag_seconds bigint,
      updated_at_ms bigint not null,
      failure text
    )`,
  ],
};
