import type { ProbedCluster } from '../domain/cluster-facts/cluster-probe.ts';
import type { ClusterFacts } from '../mongo/topology.ts';

/** As the rules know a cluster: without what only the choice of a member to read from needs. */
export function probedCluster({ members, ...facts }: ClusterFacts): ProbedCluster {
  const known = members.map(({ appliedTs: _applied, delayed: _delayed, arbiter: _arbiter, ...member }) => member);
  return { ...facts, members: known };
}
