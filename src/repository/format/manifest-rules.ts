import type { CollectionEntry, LayerRef, Manifest } from './manifest.ts';

/**
 * What is wrong with a manifest as a whole, or null. A writer asserts that there is nothing; a reader calls it damage.
 */
export function problemOfManifest({ header, collections }: Manifest): string | null {
  if (header.collections !== collections.length) {
    return `the header counts ${header.collections} collections, there are ${collections.length}`;
  }
  const memberProblem = problemOfMembers(header, collections);
  if (memberProblem !== null) return memberProblem;
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

/** By member, then namespace: several shards hold a collection of one name. */
export function compareEntries(a: CollectionEntry, b: CollectionEntry): number {
  return (a.member ?? 0) - (b.member ?? 0) || compareNamespaces(a, b);
}

function problemOfMembers(header: Manifest['header'], collections: readonly CollectionEntry[]): string | null {
  const { members } = header;
  if (header.position !== undefined) return 'only a part of a sharded snapshot has a position of its own';
  if (members === undefined) {
    if (header.type === 'sharded') return 'a sharded snapshot names its members';
    return collections.some((entry) => entry.member !== undefined) ? 'a replica set has no members to name' : null;
  }
  if (header.type !== 'sharded') return 'a replica set has no members to name';
  if (members.filter((member) => member.configServer).length !== 1) return 'a sharded snapshot has one config server';
  for (const field of ['id', 'shardName', 'replicaSetName'] as const) {
    if (new Set(members.map((member) => member[field])).size !== members.length) return `two members have one ${field}`;
  }
  for (const [index, member] of members.entries()) {
    const own = collections.filter((entry) => entry.member === index);
    const documents = own.reduce((sum, entry) => sum + entry.documents, 0);
    const bytes = own.reduce((sum, entry) => sum + entry.bytes, 0);
    if (member.collections !== own.length || member.documents !== documents || member.bytes !== bytes)
      return `member ${member.shardName} and its collections do not agree`;
    const { t, i } = header.clusterTime;
    if (member.position.t > t || (member.position.t === t && member.position.i > i))
      return `the position of member ${member.shardName} is later than the snapshot`;
  }
  return collections.every((entry) => entry.member !== undefined && entry.member < members.length)
    ? null
    : 'a collection is of no member';
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
