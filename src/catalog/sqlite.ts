import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { CompiledQuery, type Dialect, type SqliteDatabase, SqliteDialect, type SqliteStatement, sql } from 'kysely';
import { assert } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import { isFull } from '../lib/full-disk.ts';
import { keepPrivate, makePrivateFile } from '../lib/private-files.ts';
import type { CatalogReader } from './catalog.ts';

/** Distinct SQL texts kept prepared. We have about a hundred; the bound is for what we did not think of. */
const STATEMENTS_MAX = 300;
/** How long another process (a command line beside the service) may hold the write lock before we give up. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * The one file that knows SQLite. WAL lets command lines read while the service writes; `synchronous = FULL` because
 * what the catalog acknowledged (a queued snapshot) must survive power loss. `image` is what a database in memory
 * begins with, as `sqliteImage` made it.
 */
export function sqliteDialect(path: string, image?: Uint8Array): Dialect {
  const database = openDatabase(path);
  try {
    if (image !== undefined) database.deserialize(image);
    database.exec(`pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;
                   pragma busy_timeout = ${BUSY_TIMEOUT_MS}; pragma trusted_schema = off`);
  } catch (cause) {
    database.close();
    throw unusable(path, cause);
  }
  return new SqliteDialect({ database: new NodeSqlite(database) });
}

/** A database on which the statements were run, as bytes. */
export function sqliteImage(statements: readonly string[]): Uint8Array {
  const database = new DatabaseSync(':memory:');
  try {
    for (const statement of statements) database.exec(statement);
    return database.serialize();
  } finally {
    database.close();
  }
}

/** Every table and index as the database itself describes them, one statement each: what the schema test compares. */
export async function describeSqliteSchema(reader: CatalogReader): Promise<string[]> {
  const result = await sql<{ sql: string }>`select sql from sqlite_schema
    where sql is not null order by tbl_name, type desc, name`.execute(reader);
  return result.rows.map((row) => row.sql);
}

/** The columns of a table, in SQL's spelling. */
export async function sqliteColumns(reader: CatalogReader, table: string): Promise<string[]> {
  const result = await sql<{ name: string }>`select name from pragma_table_info(${table})`.execute(reader);
  return result.rows.map((row) => row.name);
}

/** How SQLite would run the query: one line for each step. */
export async function explainSqlite(reader: CatalogReader, query: CompiledQuery): Promise<string[]> {
  const result = await reader.executeQuery<{ detail: string }>(
    CompiledQuery.raw(`explain query plan ${query.sql}`, [...query.parameters]),
  );
  return result.rows.map((row) => row.detail);
}

/** SQLite makes its files beside the catalog with the catalog's own rights and owner. */
function makePrivate(path: string): void {
  makePrivateFile(path);
  for (const suffix of ['-wal', '-shm']) keepPrivate(path + suffix);
}

function openDatabase(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') makePrivate(path);
    return new DatabaseSync(path);
  } catch (cause) {
    throw unusable(path, cause);
  }
}

/** SQLite's own words for a file that is not what it wrote; only then is the file to be given up. */
const DAMAGED = new Set([11, 26]);

function unusable(path: string, cause: unknown): Fault {
  if (isFull(cause)) return catalogFull(path, cause);
  const errcode = cause instanceof Error && 'errcode' in cause ? Number(cause.errcode) & 0xff : 0;
  const damaged = DAMAGED.has(errcode);
  return new Fault({
    op: 'open the catalog',
    subject: path,
    message: `the catalog ${path} ${damaged ? 'is damaged' : 'cannot be opened'}`,
    hint: damaged
      ? 'Put it back from a copy; or move it away and run `tidemark repository rebuild`'
      : 'Look whether the user that runs Tidemark may read and write it and its directory, and whether the file system is full or mounted read-only. The catalog itself is as it was',
    cause,
  });
}

function catalogFull(path: string, cause: unknown): Fault {
  const message = `the catalog ${path} cannot be written: its file system is full`;
  const hint = 'Make room there: the catalog itself is as it was';
  return new Fault({ op: 'write the catalog', subject: path, message, hint, cause });
}

/** What Kysely asks of a driver (it is the shape of another one), over `node:sqlite`. */
class NodeSqlite implements SqliteDatabase {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  prepare(sql: string): SqliteStatement {
    const known = sql === 'rollback' && !this.#database.isTransaction ? undefined : this.#statements.get(sql);
    if (known !== undefined) return known;
    // A transaction that first reads and then writes would fail where another process wrote in between; taking the
    // write lock at once makes it wait instead. A full disk has SQLite roll back by itself: there is nothing left to
    // roll back then, and the first error is the one to be told.
    if (sql === 'rollback' && !this.#database.isTransaction) return nothingToDo;
    const statement = adapt(this.#database.prepare(sql === 'begin' ? 'begin immediate' : sql));
    if (this.#statements.size >= STATEMENTS_MAX) {
      const oldest = this.#statements.keys().next();
      assert(!oldest.done, 'a full cache has an oldest entry');
      this.#statements.delete(oldest.value);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}

/**
 * Rows come as arrays and are given their names here, already in the spelling of TypeScript: made by SQLite itself, and
 * then renamed one by one, five hundred rows of a list took three times as long. Whoever plugs in another driver names
 * columns in the same way.
 */
function adapt(statement: StatementSync): SqliteStatement {
  const names = statement.columns().map(({ name }) => camelCase(name));
  const named = (row: unknown): unknown => rowOf(names, row as unknown as unknown[]);
  statement.setReturnArrays(true);
  return {
    reader: names.length > 0,
    all: (parameters) => statement.all(...values(parameters)).map(named),
    run: (parameters) => statement.run(...values(parameters)),
    *iterate(parameters) {
      for (const row of statement.iterate(...values(parameters))) yield named(row);
    },
  };
}

const nothingToDo: SqliteStatement = {
  reader: false,
  all: () => [],
  run: () => ({ changes: 0, lastInsertRowid: 0 }),
  *iterate() {},
};

/** From SQL's spelling of a table or column to TypeScript's. */
export function camelCase(column: string): string {
  return column.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function rowOf(names: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (let place = 0; place < names.length; place++) row[names[place] as string] = values[place];
  return row;
}

function values(parameters: readonly unknown[]): SQLInputValue[] {
  return parameters.map((value) => {
    assert(
      value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint',
      `the catalog holds text, numbers and null, not ${typeof value}`,
    );
    return value;
  });
}
