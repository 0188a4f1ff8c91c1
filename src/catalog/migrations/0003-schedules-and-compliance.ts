import type { Migration } from './migration.ts';

/** Schedules with their policy items and copy settings, copies of snapshots, backup compliance policies. */
export const schedulesAndCompliance: Migration = {
  version: 3,
  name: 'schedules and compliance',
  statements: [
    `create table schedules (
      cluster_id text primary key references clusters (id),
      policy_id text not null unique,
      reference_hour integer not null,
      reference_minute integer not null,
      restore_window_days integer not null,
      auto_export_enabled integer not null check (auto_export_enabled in (0, 1)),
      export_bucket_id text references export_buckets (id),
      export_frequency_type text,
      names_in_export_prefix integer not null check (names_in_export_prefix in (0, 1)),
      copy_policy_items_enabled integer not null check (copy_policy_items_enabled in (0, 1)),
      auto_copy_settings_enabled integer not null check (auto_copy_settings_enabled in (0, 1)),
      extra_retention_settings text not null,
      served_until_ms bigint not null,
      updated_at_ms bigint not null,
      check ((export_bucket_id is null) = (export_frequency_type is null))
    )`,
    `create index schedules_of_export_bucket on schedules (export_bucket_id)`,

    `create table policy_items (
      id text primary key,
      cluster_id text not null references schedules (cluster_id),
      position integer not null,
      frequency_type text not null check (frequency_type in ('hourly', 'daily', 'weekly', 'monthly', 'yearly')),
      frequency_interval integer not null,
      retention_unit text not null check (retention_unit in ('days', 'weeks', 'months', 'years')),
      retention_value integer not null
    )`,
    `create index policy_items_of_schedule on policy_items (cluster_id, position)`,

    `create table copy_settings (
      id text primary key,
      cluster_id text not null references schedules (cluster_id),
      position integer not null,
      cloud_provider text not null check (cloud_provider in ('AWS', 'AZURE', 'GCP')),
      region_name text not null,
      zone_id text not null,
      should_copy_oplogs integer not null check (should_copy_oplogs in (0, 1)),
      frequencies text not null,
      last_number_of_snapshots integer,
      copy_policy_items text not null
    )`,
    `create unique index copy_settings_of_schedule on copy_settings (cluster_id, region_name)`,

    `create table snapshot_copies (
      id text primary key,
      snapshot_id text not null references snapshots (id),
      cluster_id text not null references clusters (id),
      cloud_provider text not null check (cloud_provider in ('AWS', 'AZURE', 'GCP')),
      region_name text not null,
      zone_id text not null,
      state text not null check (state in ('queued', 'inProgress', 'completed', 'failed')),
      requested_at_ms bigint not null,
      finished_at_ms bigint,
      expires_at_ms bigint not null,
      stored_bytes bigint,
      failure_reason text,
      deleted_at_ms bigint,
      check (state <> 'failed' or failure_reason is not null),
      check ((state in ('queued', 'inProgress')) = (finished_at_ms is null))
    )`,
    `create unique index snapshot_copies_of_snapshot on snapshot_copies (snapshot_id, region_name) where deleted_at_ms is null`,
    `create index snapshot_copies_of_cluster on snapshot_copies (cluster_id, region_name) where deleted_at_ms is null`,
    `create index snapshot_copies_by_expiry on snapshot_copies (expires_at_ms) where deleted_at_ms is null`,

    `create table compliance_policies (
      project_id text primary key references projects (id),
      authorized_email text not null,
      authorized_user_first_name text not null,
      authorized_user_last_name text not null,
      copy_protection_enabled integer not null check (copy_protection_enabled in (0, 1)),
      encryption_at_rest_enabled integer not null check (encryption_at_rest_enabled in (0, 1)),
      pit_enabled integer not null check (pit_enabled in (0, 1)),
      restore_window_days integer not null,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      updated_user text not null
    )`,
    `create table compliance_policy_items (
      id text primary key,
      project_id text not null references compliance_policies (project_id),
      position integer not null,
      frequency_type text not null check (frequency_type in ('hourly', 'daily', 'weekly', 'monthly', 'yearly', 'ondemand')),
      frequency_interval integer not null,
      retention_unit text not null check (retention_unit in ('days', 'weeks', 'months', 'years')),
      retention_value integer not null
    )`,
    `create index compliance_policy_items_of_policy on compliance_policy_items (project_id, position)`,

    // When a policy changed what the snapshot was taken with. Its owner's own changes are marked by retention_changed.
    `alter table snapshots add column retention_updated_at_ms bigint`,
    `alter table snapshots add column copies_only_since_ms bigint`,
    `drop index snapshots_of_cluster`,
    `create index snapshots_of_cluster on snapshots (cluster_id, requested_at_ms, id) where deleted_at_ms is null or copies_only_since_ms is not null`,

    // The same table without its list of kinds, which TypeScript closes: every new kind would make the table anew.
    `create table tasks_anew (
      id text primary key,
      kind text not null,
      state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
      subject_id text not null,
      exclusive_key text,
      attempts integer not null,
      attempts_max integer not null,
      run_after_ms bigint not null,
      generation bigint not null,
      lease_owner text,
      lease_expires_at_ms bigint,
      cancel_requested_at_ms bigint,
      pinned_cluster_id text,
      pinned_snapshot_id text,
      progress text,
      failure_reason text,
      created_at_ms bigint not null,
      started_at_ms bigint,
      finished_at_ms bigint,
      check ((state = 'running') = (lease_owner is not null)),
      check ((state = 'running') = (lease_expires_at_ms is not null)),
      check ((state in ('queued', 'running')) = (finished_at_ms is null)),
      check ((pinned_cluster_id is null) = (pinned_snapshot_id is null))
    )`,
    `insert into tasks_anew (id, kind, state, subject_id, exclusive_key, attempts, attempts_max, run_after_ms, generation,
        lease_owner, lease_expires_at_ms, cancel_requested_at_ms, pinned_cluster_id, pinned_snapshot_id, progress,
        failure_reason, created_at_ms, started_at_ms, finished_at_ms)
      select id, kind, state, subject_id, exclusive_key, attempts, attempts_max, run_after_ms, generation,
        lease_owner, lease_expires_at_ms, cancel_requested_at_ms, pinned_cluster_id, pinned_snapshot_id, progress,
        failure_reason, created_at_ms, started_at_ms, finished_at_ms from tasks`,
    `drop table tasks`,
    `alter table tasks_anew rename to tasks`,
    `create unique index tasks_running_alone on tasks (exclusive_key) where state = 'running'`,
    `create index tasks_by_state on tasks (state, run_after_ms, id)`,
    `create index tasks_of_subject on tasks (subject_id, created_at_ms, id)`,
    `create index tasks_by_age on tasks (created_at_ms, id)`,
  ],
};
