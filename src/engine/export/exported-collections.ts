import type { CollectionEntry } from '../../repository/format/manifest.ts';

/** A collection as it is exported: its own entry, and the entry that holds the documents. */
export interface ExportedCollection {
  entry: CollectionEntry;
  /** The entry itself; of a time-series collection its buckets. */
  data: CollectionEntry;
}

const INTERNAL_DATABASES = new Set(['config', 'local']);
const BUCKETS = 'system.buckets.';

/**
 * What of a snapshot is exported, in the manifest's order: collections and time-series collections. Left out are views,
 * the server's own databases, and system collections but for `system.js`. Pure. The rule is Atlas's: `docs/exports.md`,
 * What is exported.
 */
export function exportedCollections(collections: readonly CollectionEntry[]): ExportedCollection[] {
  const buckets = new Map(
    collections.filter(({ name }) => name.startsWith(BUCKETS)).map((entry) => [`${entry.db}.${entry.name}`, entry]),
  );
  return collections.flatMap((entry) => {
    if (INTERNAL_DATABASES.has(entry.db) || entry.type === 'view') return [];
    if (entry.type === 'collection') return isSystem(entry.name) ? [] : [{ entry, data: entry }];
    const data = buckets.get(`${entry.db}.${BUCKETS}${entry.name}`);
    return data === undefined ? [] : [{ entry, data }];
  });
}

function isSystem(name: string): boolean {
  return name.startsWith('system.') && name !== 'system.js';
}
