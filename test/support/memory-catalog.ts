import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { migrations } from '../../src/catalog/migrations/migrate.ts';
import { sqliteImage } from '../../src/catalog/sqlite.ts';
import type { Clock } from '../../src/lib/clock.ts';

let image: Uint8Array | undefined;

/**
 * An empty catalog of this version. Its tables are made once a process: a world of its own for every test would
 * otherwise spend a quarter of the suite on making them.
 */
export async function openMemoryCatalog(clock: Clock): Promise<Catalog> {
  image ??= sqliteImage([
    'create table schema_migrations (version integer primary key, name text not null, applied_at_ms bigint not null)',
    ...migrations.flatMap(({ version, name, statements }) => [
      ...statements,
      `insert into schema_migrations values (${version}, '${name}', 0)`,
    ]),
  ]);
  return await openCatalog({ path: ':memory:', clock, image });
}
