import type { DomainPorts } from '../domain/create-domain.ts';
import { startBalancerOf } from '../engine/sharding/balancer-hold.ts';
import { take } from '../engine/take/take.ts';
import { createIdSource } from '../lib/ids.ts';
import type { ClusterFacts } from '../mongo/topology.ts';
import type { Repository } from '../repository/repository.ts';
import { probedCluster } from './probed-cluster.ts';
import type { Tools } from './tools.ts';

export function createSnapshotEngine(
  repository: Repository,
  { clock, random, log }: Omit<Tools, 'ids'>,
): DomainPorts['snapshotEngine'] {
  const ids = createIdSource(clock, random);
  return {
    take: async ({ balancerRecord: holdRecord, whenFound: tell, ...request }) => {
      const retention = request.retentionAt(clock.nowMs());
      const newId = () => ids.next();
      const whenFound = async (facts: ClusterFacts) => await tell(probedCluster(facts));
      const taken = await take({ ...request, retention, repository, clock, random, log, holdRecord, newId, whenFound });
      log.info({ snapshot: request.snapshotId, source: taken.sourceHost, ...taken.statistics }, 'snapshot taken');
      return { header: taken.header, storageSizeBytes: taken.referencedStoredBytes - taken.manifestBytes };
    },
    startBalancer: startBalancerOf,
  };
}
