import type { ClusterType } from '../../catalog/schema.ts';
import type { Cluster } from './clusters.ts';

/** What a cluster is, for people. */
export const DEPLOYMENT_NAMES: Record<ClusterType, string> = { replicaSet: 'replica set', sharded: 'sharded cluster' };

/** In words, for whoever has just connected it: what it is, by which name, and its version. */
export function describeDeployment({ type, replicaSetName, mongodVersion }: Cluster): string {
  const name = type === 'sharded' ? `, config servers ${replicaSetName}` : ` ${replicaSetName}`;
  return `${DEPLOYMENT_NAMES[type]}${name}, MongoDB ${mongodVersion}`;
}
