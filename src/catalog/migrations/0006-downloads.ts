import type { Migration } from './migration.ts';

/** The files behind download links. Tokens are kept nowhere: they follow from the id and the secret key. */
export const downloads: Migration = {
  version: 6,
  name: 'downloads',
  statements: [
    `create table downloads (
      id text primary key,
      restore_job_id text not null references restore_jobs (id),
      position integer not null,
      replica_set_name text not null,
      is_shard integer not null check (is_shard in (0, 1)),
      region_name text,
      file_name text not null,
      bytes bigint not null,
      sha1 text not null,
      sha256 text not null,
      writer text not null,
      served_bytes bigint not null,
      delivered_at_ms bigint,
      unique (restore_job_id, position)
    )`,
  ],
};
