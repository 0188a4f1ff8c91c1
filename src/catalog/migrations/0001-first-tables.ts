import type { Migration } from './migration.ts';

/** The tables of `schema.ts`, with an index for every list and for every question that the worker and the timer ask. */
export const firstTables: Migration = {
  version: 1,
  name: 'first tables',
  statements: [
    `create table settings (
      name text primary key,
      value text not null
    )`,

    `create table organizations (
      id text primary key,
      name text not null,
      created_at_ms bigint not null
    )`,

    `create table projects (
      id text primary key,
      organization_id text not null references organizations (id),
      name text not null unique,
      created_at_ms bigint not null
    )`,
    `create index projects_of_organization on projects (organization_id, created_at_ms, id)`,

    `create table clusters (
      id text primary key,
      project_id text not null references projects (id),
      name text not null,
      type text not null check (type in ('replicaSet', 'sharded')),
      sealed_uri text,
      display_uri text not null,
      replica_set_name text,
      mongod_version text,
      feature_compatibility_version text,
      members text not null,
      data_bytes bigint,
      probed_at_ms bigint,
      created_at_ms bigint not null,
      registered_at_ms bigint not null,
      deleted_at_ms bigint,
      check (deleted_at_ms is null or sealed_uri is null)
    )`,
    `create unique index clusters_by_name on clusters (project_id, name) where deleted_at_ms is null`,
    `create index clusters_of_project on clusters (project_id, created_at_ms, id)`,

    `create table api_keys (
      id text primary key,
      organization_id text not null references organizations (id),
      public_key text not null unique,
      sealed_ha1 text not null,
      private_key_tail text not null,
      description text not null,
      created_at_ms bigint not null,
      deleted_at_ms bigint
    )`,
    `create index api_keys_of_organization on api_keys (organization_id, created_at_ms, id)`,

    `create table service_accounts (
      id text primary key,
      organization_id text not null references organizations (id),
      client_id text not null unique,
      name text not null,
      description text not null,
      created_at_ms bigint not null,
      deleted_at_ms bigint
    )`,
    `create index service_accounts_of_organization on service_accounts (organization_id, created_at_ms, id)`,

    `create table service_account_secrets (
      id text primary key,
      service_account_id text not null references service_accounts (id),
      secret_hash text not null,
      secret_tail text not null,
      created_at_ms bigint not null,
      expires_at_ms bigint,
      last_used_at_ms bigint
    )`,
    `create index service_account_secrets_of_account on service_account_secrets (service_account_id, created_at_ms)`,

    `create table access_tokens (
      token_hash text primary key,
      service_account_id text not null references service_accounts (id),
      issued_at_ms bigint not null,
      expires_at_ms bigint not null,
      revoked_at_ms bigint
    )`,
    `create index access_tokens_by_expiry on access_tokens (expires_at_ms)`,

    `create table role_assignments (
      id text primary key,
      principal_kind text not null check (principal_kind in ('apiKey', 'serviceAccount')),
      principal_id text not null,
      organization_id text references organizations (id),
      project_id text references projects (id),
      role_name text not null,
      check ((organization_id is null) <> (project_id is null))
    )`,
    `create index role_assignments_of_principal on role_assignments (principal_kind, principal_id)`,

    `create table snapshots (
      id text primary key,
      cluster_id text not null references clusters (id),
      status text not null check (status in ('queued', 'inProgress', 'completed', 'failed')),
      snapshot_type text not null check (snapshot_type in ('onDemand', 'scheduled', 'fallback')),
      frequency_type text not null,
      type text not null check (type in ('replicaSet', 'sharded')),
      description text not null,
      policy_items text not null,
      requested_at_ms bigint not null,
      started_at_ms bigint,
      finished_at_ms bigint,
      created_at_ms bigint,
      retention_ms bigint not null,
      expires_at_ms bigint not null,
      retention_changed integer not null check (retention_changed in (0, 1)),
      cluster_time_t bigint,
      cluster_time_i bigint,
      parent_snapshot_id text,
      replica_set_name text,
      mongod_version text,
      feature_compatibility_version text,
      collections bigint,
      documents bigint,
      data_bytes bigint,
      written_plain_bytes bigint,
      written_stored_bytes bigint,
      storage_size_bytes bigint,
      failure_reason text,
      deleted_at_ms bigint,
      check (status <> 'completed' or (created_at_ms is not null and cluster_time_t is not null)),
      check (status = 'completed' or created_at_ms is null),
      check (status <> 'failed' or failure_reason is not null)
    )`,
    `create index snapshots_of_cluster on snapshots (cluster_id, requested_at_ms, id) where deleted_at_ms is null`,
    `create index snapshots_completed on snapshots (cluster_id, cluster_time_t, cluster_time_i) where deleted_at_ms is null and status = 'completed'`,
    `create index snapshots_by_expiry on snapshots (expires_at_ms) where deleted_at_ms is null`,
    `create index snapshots_by_status on snapshots (cluster_id, status, requested_at_ms)`,

    `create table restore_jobs (
      id text primary key,
      cluster_id text not null references clusters (id),
      snapshot_id text,
      snapshot_created_at_ms bigint,
      delivery_type text not null check (delivery_type in ('automated', 'download', 'pointInTime')),
      state text not null check (state in ('queued', 'inProgress', 'completed', 'failed', 'cancelled', 'expired')),
      target_project_id text references projects (id),
      target_cluster_id text references clusters (id),
      target_cluster_name text,
      point_in_time_utc_seconds bigint,
      oplog_ts bigint,
      oplog_inc bigint,
      created_at_ms bigint not null,
      started_at_ms bigint,
      finished_at_ms bigint,
      expires_at_ms bigint,
      restored_documents bigint,
      restored_bytes bigint,
      failure_reason text,
      check (state <> 'failed' or failure_reason is not null),
      check ((state in ('queued', 'inProgress')) = (finished_at_ms is null))
    )`,
    `create index restore_jobs_of_cluster on restore_jobs (cluster_id, created_at_ms, id)`,
    `create index restore_jobs_of_target on restore_jobs (target_cluster_id, state)`,

    `create table export_buckets (
      id text primary key,
      project_id text not null references projects (id),
      cloud_provider text not null check (cloud_provider in ('AWS', 'AZURE', 'GCP')),
      bucket_name text not null,
      role_id text not null,
      region text,
      service_url text,
      tenant_id text,
      require_private_networking integer not null check (require_private_networking in (0, 1)),
      created_at_ms bigint not null,
      deleted_at_ms bigint
    )`,
    `create index export_buckets_of_project on export_buckets (project_id, created_at_ms, id) where deleted_at_ms is null`,

    `create table export_jobs (
      id text primary key,
      cluster_id text not null references clusters (id),
      snapshot_id text not null references snapshots (id),
      export_bucket_id text not null references export_buckets (id),
      state text not null check (state in ('Queued', 'InProgress', 'Successful', 'Failed', 'Cancelled')),
      prefix text not null,
      custom_data text not null,
      exported_collections bigint not null,
      total_collections bigint not null,
      created_at_ms bigint not null,
      finished_at_ms bigint,
      error_code text,
      error_message text,
      check ((state = 'Failed') = (error_code is not null)),
      check ((state in ('Queued', 'InProgress')) = (finished_at_ms is null))
    )`,
    `create index export_jobs_of_cluster on export_jobs (cluster_id, created_at_ms, id)`,

    `create table export_job_components (
      export_job_id text not null references export_jobs (id),
      position integer not null,
      export_id text not null,
      replica_set_name text not null,
      primary key (export_job_id, position)
    )`,

    `create table checkpoints (
      id text primary key,
      cluster_id text not null references clusters (id),
      started_at_ms bigint not null,
      completed_at_ms bigint,
      timestamp_ms bigint,
      restorable integer not null check (restorable in (0, 1))
    )`,
    `create index checkpoints_of_cluster on checkpoints (cluster_id, started_at_ms, id)`,

    `create table checkpoint_parts (
      checkpoint_id text not null references checkpoints (id),
      position integer not null,
      replica_set_name text,
      shard_name text,
      type_name text not null check (type_name in ('REPLICA_SET', 'CONFIG_SERVER', 'CONFIG_SERVER_REPLICA_SET')),
      token_discovered integer not null check (token_discovered in (0, 1)),
      token_seconds bigint,
      token_increment bigint,
      primary key (checkpoint_id, position)
    )`,

    `create table tasks (
      id text primary key,
      kind text not null check (kind in ('takeSnapshot', 'deleteSnapshot', 'restoreSnapshot', 'copyCatalog')),
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
    `create unique index tasks_running_alone on tasks (exclusive_key) where state = 'running'`,
    `create index tasks_by_state on tasks (state, run_after_ms, id)`,
    `create index tasks_of_subject on tasks (subject_id, created_at_ms, id)`,
    `create index tasks_by_age on tasks (created_at_ms, id)`,
  ],
};
