import { sequencesOf } from './layer-blobs.ts';
import type { CollectionEntry, LayerRef, Manifest } from './manifest.ts';

/**
 * What is wrong with a manifest as a whole, or null. A writer asserts that there is nothing; a reader calls it damage.
 */
export function problemOfManifest({ header, collections }: Manifest): string | null {
  if (header.collections !== collections.length) {
    return `the header counts ${header.collections} collections, there are ${collections.length}`;
  }
  const replicaSetProblem = problemOfReplicaSets(header, collections);
  if (replicaSetProblem !== null) return replicaSetProblem;
  let documents = 0;
  let bytes = 0;
  let before: CollectionEntry | undefined;
  for (const entry of collections) {
    if (before !== undefined && compareEntries(before, entry) >= 0) {
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

/** By replica set, then namespace: several shards hold a collection of one name. */
export function compareEntries(a: CollectionEntry, b: CollectionEntry): number {
  return (a.replicaSet ?? 0) - (b.replicaSet ?? 0) || compareNamespaces(a, b);
}

function problemOfReplicaSets(header: Manifest['header'], collections: readonly CollectionEntry[]): string | null {
  const { replicaSets } = header;
  if (header.position !== undefined) return 'only a replica set of a sharded snapshot has a position of its own';
  if (replicaSets === undefined) {
    if (header.type === 'sharded') return 'a sharded snapshot names its replica sets';
    return collections.some((entry) => entry.replicaSet !== undefined)
      ? 'a replica set has no replica sets to name'
      : null;
  }
  if (header.type !== 'sharded') return 'a replica set has no replica sets to name';
  if (replicaSets.filter((replicaSet) => replicaSet.configServer).length !== 1)
    return 'a sharded snapshot has one config server';
  for (const field of ['id', 'shardName', 'replicaSetName'] as const) {
    if (new Set(replicaSets.map((replicaSet) => replicaSet[field])).size !== replicaSets.length)
      return `two replica sets have one ${field}`;
  }
  for (const [index, replicaSet] of replicaSets.entries()) {
    const own = collections.filter((entry) => entry.replicaSet === index);
    const documents = own.reduce((sum, entry) => sum + entry.documents, 0);
    const bytes = own.reduce((sum, entry) => sum + entry.bytes, 0);
    if (replicaSet.collections !== own.length || replicaSet.documents !== documents || replicaSet.bytes !== bytes)
      return `replica set ${replicaSet.shardName} and its collections do not agree`;
    const { t, i } = header.clusterTime;
    if (replicaSet.position.t > t || (replicaSet.position.t === t && replicaSet.position.i > i))
      return `the position of replica set ${replicaSet.shardName} is later than the snapshot`;
  }
  return collections.every((entry) => entry.replicaSet !== undefined && entry.replicaSet < replicaSets.length)
    ? null
    : 'a collection is of no replica set';
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
  for (const { kind, lists, blob, filter, filters } of sequencesOf(layer)) {
    const [what, count] = kind === 1 ? ['documents', layer.documents] : ['deletions', layer.deleted];
    if (count > 0 !== (lists.length > 0 || blob !== null)) return `its ${what} and its lists do not agree`;
    if (filter !== null && (blob === null || filters.length > 0)) return `its ${what} have a filter that is no blob's`;
    if (filters.length > 0 && count === 0) return `it has filters of ${what} and no ${what}`;
    if (blob === null) continue;
    if (lists.length > 0) return `its ${what} are in lists and in a blob`;
    if (blob.documents !== count) return `it counts ${count} ${what}, its blob ${blob.documents}`;
    if (kind === 1 && blob.plainBytes !== layer.bytes)
      return `it counts ${layer.bytes} bytes, its blob ${blob.plainBytes}`;
  }
  return null;
}
