import type { ShapeOf } from '../../../contract/primitives.ts';
import type { RegisteredCluster } from '../../../contract/tidemark.ts';
import type { Cluster, ConnectedNow } from '../../domain/clusters/clusters.ts';
import { isoSeconds } from '../../lib/clock.ts';
import { type LinkBuilder, relation } from '../links.ts';
import { isoOrNull } from './times.ts';

/** The connection string is shown without its secrets. */
export function registeredClusterBody(cluster: Cluster, links: LinkBuilder): ShapeOf<typeof RegisteredCluster> {
  const path = `/groups/${cluster.projectId}/clusters/${cluster.name}`;
  return {
    connectionString: cluster.displayUri,
    createdAt: isoSeconds(cluster.createdAtMs),
    featureCompatibilityVersion: cluster.featureCompatibilityVersion,
    groupId: cluster.projectId,
    id: cluster.id,
    links: [links.at(`/api/tidemark/v1${path}`, 'self'), links.at(`/api/atlas/v2${path}`, relation('cluster'))],
    members: cluster.members.map(({ hidden, host, priority, state }) => ({ hidden, host, priority, state })),
    mongodVersion: cluster.mongodVersion,
    probedAt: isoOrNull(cluster.probedAtMs),
    probeFailure: cluster.probeFailure,
    name: cluster.name,
    replicaSetName: cluster.replicaSetName,
    type: cluster.type === 'sharded' ? 'shardedCluster' : 'replicaSet',
  };
}

/** In the answer to the request that gave its connection string. */
export function connectedBody(cluster: ConnectedNow, links: LinkBuilder): ShapeOf<typeof RegisteredCluster> {
  const { overriddenOptions, missingPrivileges } = cluster;
  return { ...registeredClusterBody(cluster, links), overriddenOptions, missingPrivileges };
}
