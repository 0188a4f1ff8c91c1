import type { Timestamp64 } from '../../bson/timestamp.ts';
import { assert } from '../../lib/assert.ts';
import { NoCatalogAtTime, readCatalogAt } from '../../mongo/catalog/catalog-at-time.ts';
import {
  type ListedCollection,
  ListingMoved,
  listDatabase,
  listDatabases,
} from '../../mongo/catalog/catalog-listing.ts';
import { isTimeUnreadable } from '../../mongo/errors.ts';
import type { SourceMember } from '../../mongo/source-member.ts';
import type { ReplicaSetTake } from './replica-set-take.ts';

/**
 * How often a T is given up because a collection that has to be read at it may be unreadable there already. After that
 * the reading itself tells.
 */
const HINDERED_PASSES_MAX = 20;

/** The catalog while T is being chosen, database by database: only what changed is read again as T moves. */
export class CatalogReading {
  readonly #take: ReplicaSetTake;
  readonly #member: SourceMember;
  readonly #byDatabase = new Map<string, ListedCollection[]>();
  /** To be read again. Databases that are not in `#byDatabase` either are new. */
  #spoiled: Set<string> | 'all' = 'all';
  /** Databases that could not be read: they moved under the listing, or T had left the server's history. */
  #unread: Set<string> | 'all' = 'all';
  #atTime = true;

  constructor(take: ReplicaSetTake, member: SourceMember) {
    this.#take = take;
    this.#member = member;
  }

  /** What is spoiled, as it is at the time; or, where that cannot be had, as it is now. */
  async read(ts: Timestamp64): Promise<void> {
    if (this.#atTime) {
      try {
        return await this.#readAt(ts);
      } catch (error) {
        if (!(error instanceof NoCatalogAtTime)) throw error;
        this.#take.noteListing(error.message);
        this.#atTime = false;
        this.#spoiled = 'all';
      }
    }
    await this.#list();
  }

  /** Whether what was read is the catalog of T although these databases' changed between T and a look after it. */
  holdsDespite(changed: ReadonlySet<string>, pass: number): boolean {
    if (this.#unread === 'all' || this.#unread.size > 0) return false;
    if (changed.size === 0) return true;
    if (!this.#atTime) return false;
    return pass >= HINDERED_PASSES_MAX || ![...changed].some((db) => this.#isWanted(db));
  }

  /** To be read again, with what could not be read. Returns the databases, as far as they are known. */
  spoil(databases: readonly string[] | 'all'): Iterable<string> {
    const all = databases === 'all' || this.#unread === 'all';
    this.#spoiled = all ? 'all' : new Set([...databases, ...this.#unread]);
    return this.#spoiled === 'all' ? this.#byDatabase.keys() : this.#spoiled;
  }

  collections(): ListedCollection[] {
    assert(this.#unread !== 'all' && this.#unread.size === 0, 'the catalog is taken once all of it was read');
    return [...this.#byDatabase.values()].flat();
  }

  async #readAt(ts: Timestamp64): Promise<void> {
    const some = this.#spoiled === 'all' ? null : this.#spoiled;
    let found: ListedCollection[] = [];
    this.#unread = this.#spoiled;
    try {
      if (some?.size !== 0) found = await readCatalogAt(this.#member, ts, some, this.#take.signal);
    } catch (error) {
      if (isTimeUnreadable(error)) return;
      throw error;
    }
    this.#unread = new Set();
    assert(
      found.every(({ db }) => some === null || some.has(db)),
      'what was asked for is what came',
    );
    if (some === null) this.#byDatabase.clear();
    for (const db of some ?? []) this.#byDatabase.delete(db);
    for (const [db, collections] of Map.groupBy(found, (one) => one.db)) this.#byDatabase.set(db, collections);
  }

  async #list(): Promise<void> {
    const { signal } = this.#take;
    const all = this.#spoiled === 'all' ? await listDatabases(this.#member, signal) : [];
    const databases = this.#spoiled === 'all' ? new Set([...all, ...this.#byDatabase.keys()]) : this.#spoiled;
    const moved = new Set<string>();
    for (const db of databases) {
      try {
        this.#byDatabase.set(db, await listDatabase(this.#member, db, signal));
      } catch (error) {
        if (!(error instanceof ListingMoved)) throw error;
        moved.add(db);
      }
    }
    this.#unread = moved;
  }

  /** Whether something of the database has still to be read at T. */
  #isWanted(db: string): boolean {
    return (this.#byDatabase.get(db) ?? []).some(({ uuid, capped }) => {
      if (uuid === null || capped) return false;
      const collection = this.#take.collections.get(uuid);
      return collection === undefined || !collection.scanned || collection.pending.size > 0;
    });
  }
}
