import { formatNamespace } from '../../bson/namespace.ts';
import { assert } from '../../lib/assert.ts';
import { nameOfIndex } from '../../oplog/index-changes.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import type { LeftOut } from '../left-out.ts';

const BUCKETS = 'system.buckets.';

/**
 * What `collMod` entries changed in a way that no version of ours knows. An index of which that is so may be anything
 * now, so it is left out of what is restored; of a collection's options the known ones are honoured. Pure.
 */
export class UnknownChanges {
  /** By the index as the state has it: one that takes its place, or is made of another name, is none of these. */
  readonly #indexes = new Map<Buffer, readonly string[]>();
  /** By the collection's UUID. */
  readonly #options = new Map<string, Set<string>>();

  copy(): UnknownChanges {
    const copied = new UnknownChanges();
    for (const [index, names] of this.#indexes) copied.#indexes.set(index, names);
    for (const [uuid, names] of this.#options) copied.#options.set(uuid, new Set(names));
    return copied;
  }

  /** What `before` is now; what was unknown of it stays so. */
  noteIndex(before: Buffer, after: Buffer, unknown: readonly string[]): void {
    assert(nameOfIndex(before) === nameOfIndex(after), 'no change of an index gives it another name');
    const all = new Set([...(this.#indexes.get(before) ?? []), ...unknown]);
    if (all.size > 0) this.#indexes.set(after, [...all]);
  }

  noteOptions(uuid: string, unknown: readonly string[]): void {
    if (unknown.length === 0) return;
    assert(/^[0-9a-f]{32}$/.test(uuid), 'a UUID has 32 hex digits');
    this.#options.set(uuid, new Set([...(this.#options.get(uuid) ?? []), ...unknown]));
  }

  /** Takes the indexes out of the collections, and says what they lack. */
  leaveOut(collections: Map<string, CollectionEntry>): LeftOut[] {
    const found: LeftOut[] = [];
    for (const [uuid, entry] of collections) {
      // The options and indexes of a time series are those of its buckets.
      const name = entry.name.startsWith(BUCKETS) ? entry.name.slice(BUCKETS.length) : entry.name;
      const namespace = formatNamespace({ db: entry.db, name });
      for (const option of this.#options.get(uuid) ?? [])
        found.push({ namespace, kind: 'option', name: option, problem: 'a change that this version does not know' });
      for (const index of entry.indexes) {
        const names = this.#indexes.get(index);
        if (names === undefined) continue;
        const problem = `the unknown ${names.join(', ')} of it was changed`;
        found.push({ namespace, kind: 'index', name: nameOfIndex(index), problem });
      }
      const kept = entry.indexes.filter((index) => !this.#indexes.has(index) || nameOfIndex(index) === '_id_');
      if (kept.length < entry.indexes.length) collections.set(uuid, { ...entry, indexes: kept });
    }
    return found;
  }
}
