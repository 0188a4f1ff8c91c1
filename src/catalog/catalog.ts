import { AsyncLocalStorage } from 'node:async_hooks';
import { dirname } from 'node:path';
import {
  CamelCasePlugin,
  Kysely,
  type PluginTransformResultArgs,
  type QueryResult,
  type Transaction,
  type UnknownRow,
} from 'kysely';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { fullDiskFault, isFull } from '../lib/full-disk.ts';
import { migrate } from './migrations/migrate.ts';
import type { Reserve } from './reserve.ts';
import type { Tables } from './schema.ts';
import { sqliteDialect } from './sqlite.ts';
import { Writes } from './writes.ts';

/** For reading. Outside a transaction each query sees what is committed when it runs. */
export type CatalogReader = Kysely<Tables>;
/** For writing: inside one transaction. It reads too, and then sees its own writes. */
export type CatalogWriter = Transaction<Tables>;

/** Who is told what transactions wrote: `tables.ts` says what counts. */
export interface Follower {
  /** The repository's copy is behind. In the transaction that brought it about, as its last work. */
  copyOutdated(writer: CatalogWriter): Promise<void>;
  /** There may be a task to claim. After the commit. */
  taskBrought(): void;
}

/**
 * The metadata database. Functions that read take `catalog.reader` or a writer, functions that write take the writer
 * that `transact` gives: so a write outside a transaction does not type-check.
 */
export class Catalog {
  readonly schemaVersion: number;
  readonly #database: Kysely<Tables>;
  readonly #inTransaction = new AsyncLocalStorage<true>();
  readonly #path: string;
  readonly #reserve: Reserve | undefined;
  #follower: Follower | undefined;

  constructor(database: Kysely<Tables>, schemaVersion: number, place: { path: string; reserve?: Reserve | undefined }) {
    this.#database = database;
    this.schemaVersion = schemaVersion;
    this.#path = place.path;
    this.#reserve = place.reserve;
  }

  /** From now on. */
  follow(follower: Follower): void {
    assert(this.#follower === undefined, 'a catalog has one follower');
    this.#follower = follower;
  }

  get isFollowed(): boolean {
    return this.#follower !== undefined;
  }

  get reader(): CatalogReader {
    // There is one connection, and the transaction has it: the query would wait for a transaction that waits for the
    // query.
    assert(this.#inTransaction.getStore() === undefined, 'inside a transaction read through its writer');
    return this.#database;
  }

  /**
   * Runs `work` in one transaction and commits, or rolls all of it back and rethrows. Transactions run one after
   * another. `work` must await nothing but the catalog: every other request waits meanwhile. On a full disk the reserve
   * is given up and `work` runs once more, from its beginning.
   */
  async transact<T>(work: (writer: CatalogWriter) => Promise<T>): Promise<T> {
    assert(this.#inTransaction.getStore() === undefined, 'a transaction inside a transaction');
    try {
      return await this.#run(work);
    } catch (error) {
      if (!isFull(error)) throw error;
      if (this.#reserve?.release() !== true)
        throw await fullDiskFault('write', 'the catalog', dirname(this.#path), error);
    }
    try {
      return await this.#run(work);
    } catch (error) {
      throw isFull(error) ? await fullDiskFault('write', 'the catalog', dirname(this.#path), error) : error;
    }
  }

  async #run<T>(work: (writer: CatalogWriter) => Promise<T>): Promise<T> {
    const writes = new Writes();
    const result = await this.#database.transaction().execute(
      async (transaction) =>
        await this.#inTransaction.run(true, async () => {
          const writer = transaction.withPlugin(writes);
          const done = await work(writer);
          if (writes.outdateCopy) await this.#follower?.copyOutdated(writer);
          return done;
        }),
    );
    if (writes.bringTask) this.#follower?.taskBrought();
    return result;
  }

  async close(): Promise<void> {
    await this.#database.destroy();
  }
}

/**
 * Queries are written in TypeScript's spelling; rows come in it from the driver (`sqlite.ts`), which does that once a
 * statement and not once a row.
 */
class SnakeCaseQueries extends CamelCasePlugin {
  override async transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return result;
  }
}

/**
 * Opens the catalog, bringing its tables up to this version's. `path` may be `:memory:`, and may then begin with an
 * `image` instead of with nothing.
 */
export async function openCatalog(options: OpenCatalogOptions): Promise<Catalog> {
  try {
    return await open(options);
  } catch (error) {
    // Opening writes a little too, beside the file; on a full disk the reserve has room for that.
    if (!mayBeFull(error) || options.reserve?.release() !== true) throw error;
    return await open(options);
  }
}

/** SQLite calls it an error of reading or writing, or of opening, where the file beside the catalog finds no room. */
function mayBeFull(error: unknown): boolean {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (isFull(cause)) return true;
  const errcode = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
  return errcode === 10 || errcode === 14;
}

interface OpenCatalogOptions {
  path: string;
  clock: Clock;
  image?: Uint8Array;
  /** Given up when the disk is full. */
  reserve?: Reserve | undefined;
}

async function open(options: OpenCatalogOptions): Promise<Catalog> {
  const dialect = sqliteDialect(options.path, options.image);
  const database = new Kysely<Tables>({ dialect, plugins: [new SnakeCaseQueries()] });
  try {
    return new Catalog(database, await migrate(database, options), options);
  } catch (error) {
    await database.destroy();
    throw error;
  }
}
