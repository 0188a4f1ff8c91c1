import type { CollectionEntry, LayerRef, Manifest } from './manifest.ts';

/** What is wrong with a manifest as a whole, or null. A writer asserts that there is nothing; a reader calls it damage. */
export function problemOfManifest({ header, collections }: Manifest): string | null {
  if (header.collections !== collections.length) {
    return `the header counts ${header.collections} collections, there are ${collections.length}`;
  }
  let documents = 0;
  let bytes = 0;
  let before: CollectionEntry | undefined;
  for (const entry of collections) {
    if (before !== undefined && compareNamespaces(before, entry) >= 0) {
      return `${namespaceOf(entry)} is out of order or named twice`;
    }
    const problem = problemOfCollection(entry);
    if (problem !== null) return `${namespaceOf(entry)}: ${problem}`;
    documents += entry.documents;
    bytes += entry.bytes;
    before = entry;
  }
  if (header.documents !== documents) return `the header counts ${header.documents} documents, there are ${documents}`;
  if (header.bytes !== bytes) return `the header counts ${header.bytes} bytes, there are ${bytes}`;
  return null;
}

export function namespaceOf(entry: { db: string; name: string }): string {
  return `${entry.db}.${entry.name}`;
}

/** By database, then collection, in the byte order of their UTF-8. */
export function compareNamespaces(a: { db: string; name: string }, b: { db: string; name: string }): number {
  return (
    Buffer.compare(Buffer.from(a.db), Buffer.from(b.db)) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name))
  );
}

function problemOfCollection(entry: CollectionEntry): string | null {
  if (entry.type !== 'collection') {
    if (entry.uuid !== null || entry.layers.length > 0) return `a ${entry.type} has no uuid and no layers`;
  }
  for (const [index, layer] of entry.layers.entries()) {
    const problem = problemOfLayer(layer, index === entry.layers.length - 1);
    if (problem !== null) return `layer ${index}: ${problem}`;
    if (layer.ordered && entry.layers.slice(0, index).some((newer) => newer.documents > 0)) {
      return 'only deletions lie above an ordered layer';
    }
  }
  return null;
}

function problemOfLayer(layer: LayerRef, oldest: boolean): string | null {
  if (layer.kind === 'base' && !oldest) return 'a base is the oldest layer';
  if (layer.kind === 'base' && layer.deleted > 0) return 'a base has no deletions';
  if (layer.kind === 'delta' && layer.ordered) return 'a delta is not ordered';
  if (layer.documents > 0 !== layer.documentLists.length > 0) return 'its documents and its lists do not agree';
  if (layer.deleted > 0 !== layer.deletedLists.length > 0) return 'its deletions and their lists do not agree';
  return null;
}
