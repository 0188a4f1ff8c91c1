import type { Migration } from './migration.ts';

/**
 * What the legacy operations know of snapshots and schedules, object-storage private endpoints, and the questions that
 * exports ask.
 */
export const legacyBackup: Migration = {
  version: 4,
  name: 'legacy backup and private endpoints',
  statements: [
    `alter table snapshots add column do_not_delete integer not null default 0 check (do_not_delete in (0, 1))`,

    `create table legacy_schedules (
      cluster_id text primary key references clusters (id),
      snapshot_interval_hours integer not null,
      snapshot_retention_days integer not null,
      daily_snapshot_retention_days integer not null,
      weekly_snapshot_retention_weeks integer not null,
      monthly_snapshot_retention_months integer not null,
      point_in_time_window_hours integer not null,
      updated_at_ms bigint not null
    )`,

    `create table private_endpoints (
      id text primary key,
      project_id text not null references projects (id),
      cloud_provider text not null check (cloud_provider in ('AWS', 'AZURE', 'GCP')),
      region_name text not null,
      vpc_region_name text not null,
      created_at_ms bigint not null,
      deleted_at_ms bigint
    )`,
    `create unique index private_endpoints_of_region on private_endpoints (project_id, cloud_provider, region_name) where deleted_at_ms is null`,
    `create index private_endpoints_of_project on private_endpoints (project_id, cloud_provider, created_at_ms, id) where deleted_at_ms is null`,

    `create index export_jobs_of_snapshot on export_jobs (snapshot_id, state)`,
    `create index export_jobs_of_bucket on export_jobs (export_bucket_id, state)`,
  ],
};
