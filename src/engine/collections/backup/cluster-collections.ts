import { formatNamespace } from '../../../bson/namespace.ts';
import { assert, must } from '../../../lib/assert.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import type { Ownership, ShardRouting } from '../../sharding/shard-routing.ts';

/** Where documents of a collection are: one replica set's entry, and which of its documents are no orphans. */
export interface DocumentsPart {
  entry: CollectionEntry;
  /** Empty where the backup is of a replica set. */
  shardName: string;
  owned: Ownership;
}

/** A backup's collections as clients see them: each namespace once, with the parts that its documents lie in. */
export interface OfferedCollections {
  collections: readonly CollectionEntry[];
  partsOf(entry: CollectionEntry): readonly DocumentsPart[];
}

export interface ShardCollections {
  shardName: string;
  collections: readonly CollectionEntry[];
}

/** Those of a replica set: what is there is all that there is. */
export function replicaSetCollections(collections: readonly CollectionEntry[]): OfferedCollections {
  return { collections, partsOf: (entry) => [{ entry, shardName: '', owned: 'all' }] };
}

/**
 * Those of a sharded cluster, without its config servers: a namespace is what the first shard by name that owns some of
 * it says, and its documents are what each shard owns. What no shard owns, as what a database's former primary shard
 * still has, is not there for any client. Pure.
 */
export function clusterCollections(shards: readonly ShardCollections[], routing: ShardRouting): OfferedCollections {
  const owned = shards.flatMap(({ shardName, collections }) =>
    collections.flatMap((entry) => {
      const ownership = routing.ownership(entry, shardName);
      return ownership === 'none' ? [] : [{ entry, shardName, owned: ownership }];
    }),
  );
  const parts = new Map<CollectionEntry, readonly DocumentsPart[]>();
  for (const found of Map.groupBy(owned, ({ entry }) => formatNamespace(entry)).values())
    parts.set(joined(found), found);
  return {
    collections: [...parts.keys()],
    partsOf: (entry) => must(parts.get(entry), 'an entry of this list'),
  };
}

/** Its counts are at least what clients see: orphans are among them. */
function joined(parts: readonly DocumentsPart[]): CollectionEntry {
  const entries = parts.map(({ entry }) => entry);
  const [first] = entries;
  assert(first !== undefined, 'a namespace is of some shard');
  return {
    ...first,
    documents: entries.reduce((sum, { documents }) => sum + documents, 0),
    bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    layers: entries.flatMap(({ layers }) => layers),
  };
}

/** Whether several shards each hold a collection whole, which the routing puts on none of them alone. */
export function isUnrouted(parts: readonly DocumentsPart[]): boolean {
  return parts.length > 1 && parts.some(({ owned }) => owned === 'all');
}
