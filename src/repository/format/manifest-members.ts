import { must } from '../../lib/assert.ts';
import type { Manifest, ManifestMember } from './manifest.ts';

/**
 * One member of a sharded snapshot, as the manifest of a replica set: what reads a replica set's snapshot reads it. It
 * has no object of its own; its T is the snapshot's, its `position` the member's newest oplog entry at or before T.
 */
export function memberManifest(manifest: Manifest, index: number): Manifest {
  const { members, ...header } = manifest.header;
  const {
    id: _id,
    shardName: _name,
    configServer: _config,
    ...own
  } = must(members?.[index], 'a member of the snapshot');
  const { t, i } = header.clusterTime;
  const collections = manifest.collections
    .filter((entry) => entry.member === index)
    .map(({ member: _member, ...entry }) => entry);
  return {
    header: { ...header, ...own, type: 'replicaSet', clusterTime: { t, i, term: own.position.term } },
    collections,
  };
}

export interface ManifestPart {
  /** Null for a replica set, whose snapshot is its only part. */
  member: ManifestMember | null;
  manifest: Manifest;
}

/** The replica sets of a snapshot: itself, or its members in the header's order. */
export function partsOf(manifest: Manifest): ManifestPart[] {
  const { members } = manifest.header;
  if (members === undefined) return [{ member: null, manifest }];
  return members.map((member, index) => ({ member, manifest: memberManifest(manifest, index) }));
}
