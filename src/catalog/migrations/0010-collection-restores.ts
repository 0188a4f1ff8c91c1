import type { Migration } from './migration.ts';

/** Jobs that restore chosen collections, and what becomes of each of these. */
export const collectionRestores: Migration = {
  version: 10,
  name: 'collection restores',
  statements: [
    `create table collection_restore_jobs (
      id text primary key,
      cluster_id text not null references clusters (id),
      snapshot_id text not null,
      state text not null
        check (state in ('INITIALIZING', 'IN_PROGRESS', 'FINALIZING', 'SUCCESSFUL', 'CANCELED', 'FAILED')),
      write_strategy text not null check (write_strategy in ('CREATE_NEW', 'OVERWRITE_EXISTING')),
      index_strategy text not null check (index_strategy in ('ALL', 'NONE', 'ALL_EXCEPT_TTL')),
      databases text not null,
      collections text not null,
      database_suffix text,
      collection_suffix text,
      target_project_id text not null references projects (id),
      target_cluster_id text not null references clusters (id),
      target_cluster_name text not null,
      point_in_time_utc_seconds bigint,
      oplog_ts bigint,
      oplog_inc bigint,
      created_at_ms bigint not null,
      started_at_ms bigint,
      finished_at_ms bigint,
      error_message text,
      check (state <> 'FAILED' or error_message is not null),
      check ((state in ('INITIALIZING', 'IN_PROGRESS', 'FINALIZING')) = (finished_at_ms is null))
    )`,
    `create index collection_restore_jobs_of_cluster on collection_restore_jobs (cluster_id, created_at_ms, id)`,
    `create index collection_restore_jobs_of_target on collection_restore_jobs (target_cluster_id, state)`,

    `create table restored_collections (
      job_id text not null references collection_restore_jobs (id),
      position integer not null,
      source text not null,
      target text not null,
      effective_target text,
      state text not null check (state in ('NOT_STARTED', 'IN_PROGRESS', 'FINALIZING', 'NOT_FOUND', 'UNSUPPORTED',
        'SUCCESSFUL', 'ROLLBACK', 'NOT_RESTORED', 'FAILED', 'INDEX_BUILD_FAILED')),
      staged_name text,
      staged_uuid text,
      total_documents bigint not null,
      restored_documents bigint not null,
      index_state text not null
        check (index_state in ('NOT_STARTED', 'IN_PROGRESS', 'SUCCESSFUL', 'FAILED', 'NOT_RESTORED')),
      index_error text,
      primary key (job_id, source),
      unique (job_id, position)
    )`,
  ],
};
