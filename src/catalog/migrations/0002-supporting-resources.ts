import type { Migration } from './migration.ts';

/**
 * What organizations, projects, clusters and callers are told by those who run them; who may call from where; roles at
 * cloud providers.
 */
export const supportingResources: Migration = {
  version: 2,
  name: 'supporting resources',
  statements: [
    `alter table clusters add column backup_enabled integer not null default 1 check (backup_enabled in (0, 1))`,
    `alter table clusters add column paused integer not null default 0 check (paused in (0, 1))`,
    `alter table clusters add column retain_backups integer not null default 0 check (retain_backups in (0, 1))`,
    `alter table clusters add column termination_protected integer not null default 0 check (termination_protected in (0, 1))`,
    `alter table clusters add column probe_failed_at_ms bigint`,
    `alter table clusters add column probe_failure text`,

    `alter table organizations add column settings text not null default '{}'`,
    `alter table projects add column settings text not null default '{}'`,
    `alter table projects add column deleted_at_ms bigint`,

    `alter table access_tokens add column secret_id text`,

    `create table access_list_entries (
      id text primary key,
      owner_kind text not null check (owner_kind in ('apiKey', 'serviceAccount', 'project')),
      owner_id text not null,
      cidr_block text not null,
      single_address integer not null check (single_address in (0, 1)),
      comment text,
      delete_after_ms bigint,
      requests bigint not null,
      last_used_at_ms bigint,
      last_used_address text,
      created_at_ms bigint not null
    )`,
    `create unique index access_list_entries_of_owner on access_list_entries (owner_kind, owner_id, cidr_block)`,

    `create table cloud_provider_access_roles (
      id text primary key,
      project_id text not null references projects (id),
      cloud_provider text not null check (cloud_provider in ('AWS', 'AZURE', 'GCP')),
      external_id text,
      assumed_role_arn text,
      azure_app_id text,
      azure_tenant_id text,
      azure_service_principal_id text,
      created_at_ms bigint not null,
      updated_at_ms bigint not null,
      authorized_at_ms bigint,
      deleted_at_ms bigint
    )`,
    `create index cloud_provider_access_roles_of_project on cloud_provider_access_roles (project_id, created_at_ms, id) where deleted_at_ms is null`,
    `create index role_assignments_of_project on role_assignments (project_id, principal_kind)`,
    `create index role_assignments_of_organization on role_assignments (organization_id, principal_kind)`,
  ],
};
