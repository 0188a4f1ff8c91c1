import type { ShapeOf } from '../../../contract/primitives.ts';
import type { ReplicaSetSnapshot, ShardedClusterSnapshot } from '../../../contract/snapshots.ts';
import type { Snapshot } from '../../domain/snapshots/snapshots.ts';
import { isoSeconds } from '../../lib/clock.ts';
import type { Call, CloudProvider } from '../call.ts';
import { timeIfKnown } from './times.ts';

/** What an answer needs beside the snapshot. */
type Said = Pick<Call, 'links' | 'service'>;

function providerOf({ status }: Snapshot, { service }: Said): { cloudProvider?: CloudProvider } {
  return status === 'completed' && service.storedAt !== null ? { cloudProvider: service.storedAt } : {};
}

/**
 * A snapshot on the wire. `createdAt`, `mongodVersion` and the size come with the data: until it is completed the first
 * two are absent and the size is 0. `expiresAt` is there from the start, provisional until completion. `cloudProvider`
 * says where the repository is, in a cloud's object store; absent for a directory. `masterKeyUUID` is a cloud's and
 * never there.
 */
function fieldsOf(snapshot: Snapshot, { links }: Said, path: string) {
  const cluster = `/groups/${snapshot.projectId}/clusters/${snapshot.clusterName}`;
  return {
    ...timeIfKnown('createdAt', snapshot.status === 'completed' ? snapshot.createdAtMs : null),
    ...(snapshot.description === '' ? {} : { description: snapshot.description }),
    expiresAt: isoSeconds(snapshot.expiresAtMs),
    frequencyType: snapshot.frequencyType,
    id: snapshot.id,
    links: [links.self(`${cluster}/backup/snapshots/${path}${snapshot.id}`), links.to('cluster', cluster)],
    ...(snapshot.mongodVersion === null ? {} : { mongodVersion: snapshot.mongodVersion }),
    policyItems: snapshot.policyItems,
    snapshotType: snapshot.snapshotType,
    status: snapshot.status,
    storageSizeBytes: snapshot.storageSizeBytes ?? 0,
    type: snapshot.type === 'sharded' ? ('shardedCluster' as const) : ('replicaSet' as const),
  };
}

export function replicaSetSnapshot(snapshot: Snapshot, said: Said): ShapeOf<typeof ReplicaSetSnapshot> {
  return {
    ...fieldsOf(snapshot, said, ''),
    ...providerOf(snapshot, said),
    copyRegions: snapshot.copyRegions,
    // Recorded answers show the cluster's name here from the first moment to the last, whatever the set is called.
    replicaSetName: snapshot.clusterName,
  };
}

/**
 * Also of a replica set, then without members: Terraform asks for every snapshot in both ways, and an error here would
 * show as a change in each plan.
 */
export function asShardedClusterSnapshot(snapshot: Snapshot, said: Said): ShapeOf<typeof ShardedClusterSnapshot> {
  return {
    ...fieldsOf(snapshot, said, 'shardedCluster/'),
    ...(snapshot.type === 'sharded' ? { configServerType: 'DEDICATED' as const } : {}),
    members: snapshot.replicaSets.map(({ id, replicaSetName }) => ({
      ...providerOf(snapshot, said),
      id,
      replicaSetName,
    })),
    snapshotIds: snapshot.replicaSets.map(({ id }) => id),
  };
}
