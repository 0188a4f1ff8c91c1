import { formatNamespace } from '../../../bson/namespace.ts';
import { assert } from '../../../lib/assert.ts';
import { forEachConcurrently } from '../../../lib/bounded.ts';
import { foreignWrites } from '../../../mongo/bulk-writer.ts';
import { refusalOf } from '../../../mongo/errors.ts';
import { isWithoutOptions, type RestoreTarget } from '../../../mongo/target.ts';
import { dropFromTarget, isNamespaceExists } from '../../../mongo/target-catalog.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import type { RestoreLosses } from '../losses.ts';
import type { Tried } from '../preflight/try-collections.ts';
import { earlyIndexes } from './early-indexes.ts';
import { makeByOplog } from './make-by-oplog.ts';

/** As many as the target's client has connections. */
const AT_ONCE = 16;

export interface CollectionMakerOptions {
  target: RestoreTarget;
  /** Of a shard: collections keep their UUIDs, and what gives those of a time series' buckets. Null of others. */
  ofShard: { bucketsUuid(series: CollectionEntry): string | null } | null;
  tried: Pick<Tried, 'reduced' | 'indexed'>;
  /** Nothing but the snapshot's own documents is written before the last indexes are built. */
  mayIndexEarly: boolean;
  losses: RestoreLosses;
}

/**
 * Makes the collections, time series and views of a restore, where nothing has their names. Nobody waits for a majority
 * here: the restore does at its end, for everything. Small collections are made with their indexes, where these can
 * refuse no document of theirs.
 */
export class CollectionMaker {
  readonly #options: CollectionMakerOptions;
  /** How many indexes the collection has already. */
  readonly #indexed = new Map<CollectionEntry, number>();

  constructor(options: CollectionMakerOptions) {
    this.#options = options;
  }

  async makeAll(entries: readonly CollectionEntry[]): Promise<void> {
    const ordinary = entries.filter(isOrdinary);
    await forEachConcurrently(ordinary, AT_ONCE, async (entry) => await this.make(entry));
    for (const entry of entries.filter((one) => !isOrdinary(one))) await this.make(entry);
  }

  async make(entry: CollectionEntry): Promise<void> {
    const { tried, losses } = this.#options;
    for (const option of tried.reduced.get(entry)?.refused ?? [])
      losses.add({ namespace: formatNamespace(entry), kind: 'option', ...option });
    const early = this.#earlyIndexes(entry);
    // An index brings its collection along, which saves a command.
    if (early !== null && this.#isWithoutOptions(entry) && (await this.#index(entry, early, true))) return;
    await this.#create(entry);
    if (early !== null) await this.#index(entry, early, false);
  }

  /** Those that it has before it has documents; null where all of them are still to be built. */
  indexesOf(entry: CollectionEntry): number | null {
    return this.#indexed.get(entry) ?? null;
  }

  /**
   * Makes a collection that was given its indexes anew, without them and empty, and leaves them for the end: there they
   * are built one by one, and only what the documents violate is left out. Whether it had any.
   */
  async withdrawIndexes(entry: CollectionEntry): Promise<boolean> {
    if (!this.#indexed.delete(entry)) return false;
    // A user who restores may drop collections, but delete no documents.
    await dropFromTarget(this.#options.target, entry);
    await this.#create(entry);
    return true;
  }

  async #create(entry: CollectionEntry): Promise<void> {
    const { target, ofShard } = this.#options;
    const { db, name, uuid } = entry;
    try {
      if (ofShard === null) await target.create(db, name, this.#infoOf(entry));
      else {
        const own = entry.type === 'timeseries' ? ofShard.bucketsUuid(entry) : uuid;
        await makeByOplog(target, { db, name }, { type: entry.type, info: this.#infoOf(entry), uuid: own });
      }
    } catch (error) {
      // All names were free a moment ago.
      throw isNamespaceExists(error) ? madeByOthers(entry) : error;
    }
  }

  #isWithoutOptions(entry: CollectionEntry): boolean {
    return this.#options.ofShard === null && isWithoutOptions(this.#infoOf(entry));
  }

  /** As the target takes it. */
  #infoOf(entry: CollectionEntry): Buffer {
    return this.#options.tried.reduced.get(entry)?.info ?? entry.info;
  }

  #earlyIndexes(entry: CollectionEntry): Buffer[] | null {
    const { mayIndexEarly, tried } = this.#options;
    return mayIndexEarly && tried.indexed.has(entry) ? earlyIndexes(entry) : null;
  }

  /**
   * Whether it has them then: what is refused here is asked for again at the end, and named there. `makes`: the
   * collection is not there yet.
   */
  async #index(entry: CollectionEntry, indexes: readonly Buffer[], makes: boolean): Promise<boolean> {
    assert(!this.#indexed.has(entry), 'a collection is given its indexes once');
    const { target } = this.#options;
    try {
      const { made } = await target.createIndexes(entry.db, entry.name, indexes, 'refuse');
      if (makes && !made) throw madeByOthers(entry);
      this.#indexed.set(entry, indexes.length);
      return true;
    } catch (error) {
      if (refusalOf(error) === null) throw error;
      return false;
    }
  }
}

/** To be made side by side with others: brings no other collection along, and is no entry in one. */
export function isOrdinary({ type, name }: CollectionEntry): boolean {
  return type === 'collection' && !name.startsWith('system.');
}

function madeByOthers(entry: CollectionEntry): Error {
  return foreignWrites(formatNamespace(entry), 'it was created again');
}
