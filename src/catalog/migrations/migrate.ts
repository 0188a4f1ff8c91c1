import { type Kysely, sql } from 'kysely';
import { assert } from '../../lib/assert.ts';
import type { Clock } from '../../lib/clock.ts';
import { Fault } from '../../lib/errors.ts';
import type { Tables } from '../schema.ts';
import { firstTables } from './0001-first-tables.ts';
import { supportingResources } from './0002-supporting-resources.ts';
import { schedulesAndCompliance } from './0003-schedules-and-compliance.ts';
import { legacyBackup } from './0004-legacy-backup.ts';
import { continuousBackup } from './0005-continuous-backup.ts';
import { downloads } from './0006-downloads.ts';
import { shardedClusters } from './0007-sharded-clusters.ts';
import { shardedCapture } from './0008-sharded-capture.ts';
import { checkpoints } from './0009-checkpoints.ts';
import { collectionRestores } from './0010-collection-restores.ts';
import { leftOut } from './0011-left-out.ts';
import { wantedCaptures } from './0012-wanted-captures.ts';
import { restoresBeginAgain } from './0013-restores-begin-again.ts';
import type { Migration } from './migration.ts';

export const migrations: readonly Migration[] = [
  firstTables,
  supportingResources,
  schedulesAndCompliance,
  legacyBackup,
  continuousBackup,
  downloads,
  shardedClusters,
  shardedCapture,
  checkpoints,
  collectionRestores,
  leftOut,
  wantedCaptures,
  restoresBeginAgain,
];

/**
 * Applies what is missing, each step in a transaction together with its own record, so that a crash leaves a whole
 * version. Several processes may try at once. Returns the version that now holds; throws a Fault where the catalog was
 * written by a newer Tidemark, whose tables this one would misread.
 */
export async function migrate(
  database: Kysely<Tables>,
  options: { path: string; clock: Clock },
  steps: readonly Migration[] = migrations,
): Promise<number> {
  steps.forEach((step, index) => {
    assert(step.version === index + 1, `migration ${step.name} has the version of its place`);
  });
  await sql`create table if not exists schema_migrations (
    version integer primary key, name text not null, applied_at_ms bigint not null)`.execute(database);
  for (const step of steps) {
    await database.transaction().execute(async (writer) => {
      // Read inside the transaction: another process may have come first.
      const current = await currentVersion(writer);
      refuseNewer(current, steps.length, options.path);
      if (current >= step.version) return;
      assert(current === step.version - 1, 'migrations are applied in order');
      for (const statement of step.statements) await sql.raw(statement).execute(writer);
      await sql`insert into schema_migrations (version, name, applied_at_ms)
        values (${step.version}, ${step.name}, ${options.clock.nowMs()})`.execute(writer);
    });
  }
  return steps.length;
}

async function currentVersion(database: Kysely<Tables>): Promise<number> {
  const result = await sql<{ version: number | null }>`select max(version) as version from schema_migrations`.execute(
    database,
  );
  return result.rows[0]?.version ?? 0;
}

function refuseNewer(current: number, known: number, path: string): void {
  if (current <= known) return;
  throw new Fault({
    op: 'open the catalog',
    subject: path,
    message:
      `the catalog ${path} has schema version ${current} and this Tidemark knows versions up to ${known}: a newer ` +
      'Tidemark wrote it, run that one, since there is no way down (docs/upgrading.md)',
  });
}
