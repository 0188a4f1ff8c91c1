import { must } from '../../lib/assert.ts';
import type { CollectionEntry, Manifest, ManifestReplicaSet } from './manifest.ts';

/**
 * One replica set of a sharded snapshot, as the manifest of a replica set: what reads a replica set's snapshot reads
 * it. It has no object of its own; its T is the snapshot's, its `position` the replica set's newest oplog entry at or
 * before T.
 */
export function replicaSetManifest(manifest: Manifest, index: number): Manifest {
  const { replicaSets, ...header } = manifest.header;
  const {
    id: _id,
    shardName: _name,
    configServer: _config,
    ...own
  } = must(replicaSets?.[index], 'a replica set of the snapshot');
  const { t, i } = header.clusterTime;
  const collections = manifest.collections
    .filter((entry) => entry.replicaSet === index)
    .map(({ replicaSet: _replicaSet, ...entry }) => entry);
  return {
    header: { ...header, ...own, type: 'replicaSet', clusterTime: { t, i, term: own.position.term } },
    collections,
    ...(manifest.sections === undefined ? {} : { sections: manifest.sections }),
  };
}

export interface ReplicaSetManifest {
  /** Null where the snapshot is of a replica set. */
  replicaSet: ManifestReplicaSet | null;
  manifest: Manifest;
}

/** Of whom the snapshot holds something: of a sharded one in the order by which collections name theirs. */
export function replicaSetNamesOf({ header }: Manifest): string[] {
  return header.replicaSets?.map(({ replicaSetName }) => replicaSetName) ?? [header.replicaSetName];
}

/** The replica set that holds the collection. */
export function holderOf({ replicaSet = 0 }: CollectionEntry, replicaSetNames: readonly string[]): string {
  return must(replicaSetNames[replicaSet], 'a collection is of one of the replica sets');
}

/** The replica sets of a snapshot: itself, or its replica sets in the header's order. */
export function replicaSetsOf(manifest: Manifest): ReplicaSetManifest[] {
  const { replicaSets } = manifest.header;
  if (replicaSets === undefined) return [{ replicaSet: null, manifest }];
  return replicaSets.map((replicaSet, index) => ({ replicaSet, manifest: replicaSetManifest(manifest, index) }));
}
