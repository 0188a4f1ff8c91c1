import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MongoClient } from 'mongodb';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { systemClock } from '../../lib/clock.ts';
import { createIdSource } from '../../lib/ids.ts';
import { silentLogger } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import type { ClusterFacts } from '../../mongo/topology.ts';
import { take } from './take.ts';

const ids = createIdSource(systemClock, systemRandom);

/** How often its configuration was asked for, as the servers themselves counted: nothing else here asks for it. */
async function timesAsked(clients: readonly MongoClient[]): Promise<number> {
  const counts = clients.map(async (client) => {
    const { metrics } = await client.db('admin').command({ serverStatus: 1 });
    return Number(metrics.commands.replSetGetConfig?.total ?? 0);
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function takeOf(uri: string): Promise<ClusterFacts[]> {
  const { repository, clusterId } = await SnapshotFixture.create(uri);
  const found: ClusterFacts[] = [];
  await take({
    ...{ uri, repository, clusterId, clusterName: 'source', projectId: ids.next(), snapshotId: ids.next() },
    parent: null,
    retention: {
      ...{ description: null, snapshotType: 'onDemand', frequencyType: 'ondemand', expiresAt: null, policyItems: [] },
    },
    newId: () => ids.next(),
    holdRecord: { write: async () => undefined, erase: async () => undefined },
    whenFound: async (facts) => void found.push(facts),
    ...{ clock: systemClock, random: systemRandom, log: silentLogger },
    signal: new AbortController().signal,
    report: () => undefined,
  });
  return found;
}

describe('a snapshot asks once what there is', () => {
  const set = useReplicaSet({ name: 'source' });
  const cluster = useShardedCluster();

  test('of a replica set', async () => {
    const { client, uri } = set();
    const before = await timesAsked([client]);
    const [facts, ...more] = await takeOf(uri);
    assert.deepEqual([facts?.topology, more.length], ['replicaSet', 0]);
    assert.equal((await timesAsked([client])) - before, 1);
  });

  test('of each replica set of a sharded cluster', async () => {
    const clients = cluster().sets.map(({ client }) => client);
    const before = await timesAsked(clients);
    const [facts, ...more] = await takeOf(cluster().uri);
    assert.deepEqual([facts?.topology, more.length], ['sharded', 0]);
    assert.equal((await timesAsked(clients)) - before, clients.length);
  });
});
