import type { DomainPorts } from '../domain/create-domain.ts';
import { startBalancer } from '../engine/sharding/balancer-hold.ts';
import { takeShardedSnapshot } from '../engine/take/take-sharded-snapshot.ts';
import { takeSnapshot } from '../engine/take/take-snapshot.ts';
import { createIdSource } from '../lib/ids.ts';
import { findShardMembers } from '../mongo/shard-members.ts';
import type { Repository } from '../repository/repository.ts';
import type { Tools } from './tools.ts';

/** A replica set's snapshots, or those of all the replica sets of a sharded cluster. */
export function createSnapshotEngine(
  repository: Repository,
  { clock, random, log }: Omit<Tools, 'ids'>,
): DomainPorts['snapshotEngine'] {
  const ids = createIdSource(clock, random);
  return {
    take: async (request) => {
      const retention = request.retentionAt(clock.nowMs());
      const options = { ...request, retention, repository, clock, random, log };
      const members = await findShardMembers(request.uri, { signal: request.signal });
      const holdRecord = request.balancerRecord;
      const newMemberId = () => ids.next();
      const taken = await (members === null
        ? takeSnapshot(options)
        : takeShardedSnapshot({ ...options, members, holdRecord, newMemberId }));
      log.info({ snapshot: request.snapshotId, source: taken.sourceHost, ...taken.statistics }, 'snapshot taken');
      return { header: taken.header, storageSizeBytes: taken.referencedStoredBytes - taken.manifestBytes };
    },
    startBalancer: async (uri) => {
      const config = (await findShardMembers(uri))?.find((member) => member.configServer);
      if (config !== undefined) await startBalancer(config.uri);
    },
  };
}
