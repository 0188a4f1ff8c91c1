import { createHash } from 'node:crypto';

/** An id for a part that Atlas names and we do not store: the same one every time, from the cluster's own. Pure. */
function partId(clusterId: string, part: string): string {
  return createHash('sha256').update(`${clusterId}/${part}`).digest('hex').slice(0, 24);
}

/** The replication spec as versions before 2024-08-05 name it; theirs has another id, as in recorded answers. */
export function replicationSpecIdOf(clusterId: string): string {
  return partId(clusterId, 'replicationSpec');
}

/** Of the shard at that place; a replica set is its own first. */
export function shardSpecIdOf(clusterId: string, shard = 0): string {
  return partId(clusterId, `shard ${shard}`);
}

export function zoneIdOf(clusterId: string): string {
  return partId(clusterId, 'zone 0');
}
