import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { ClusterTailing } from '../../../test/support/cluster-tailing.ts';
import { until } from '../../../test/support/replica-set.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { ShardedFixture } from '../../../test/support/sharded-fixture.ts';
import { must } from '../../lib/assert.ts';
import { readCoverage } from '../../repository/slices.ts';

after(() => ClusterTailing.stopAll());

describe('the tailers of a sharded cluster', () => {
  const cluster = useShardedCluster();

  test('capture every replica set; one that is lost keeps no other from its work, and goes on without a gap', async () => {
    const fixture = await ShardedFixture.create(cluster());
    const { repository, clusterId } = fixture;
    const coverageOf = (replicaSetName: string) => readCoverage(repository, { clusterId, replicaSetName });
    let tailing = new ClusterTailing(cluster(), { repository, clusterId });
    await tailing.mark();
    const replicaSets = must(tailing.last?.replicaSets, 'a sharded cluster has replica sets');
    assert.deepEqual(
      replicaSets.map((one) => [one.shardName, one.replicaSetName, one.configServer]),
      [
        ['s0', 'rs0', false],
        ['s1', 'rs1', false],
        ['config', 'cfg', true],
      ],
    );
    const least = must(tailing.last?.captured, 'all replica sets are captured');
    for (const one of replicaSets) assert.ok(must(one.captured, 'captured') >= least);

    const lost = must(cluster().shard(1).set.members[0], 'a member');
    await lost.kill();
    const others = [cluster().shard(0).set, cluster().config];
    const before = must(tailing.capturedOf('rs1'), 'captured before');
    for (let n = 0; n < 3; n++) {
      await cluster().shard(0).set.client.db('x').collection('c').insertOne({ n });
      await tailing.mark(others);
    }
    assert.equal(tailing.capturedOf('rs1'), before, 'nothing can come of the lost one');
    await lost.restart();
    await cluster().shard(1).set.whenComplete();
    await tailing.mark();

    // A stepped-down primary, and a worker that takes over.
    const { set } = cluster().shard(0);
    await set.client.db('admin').command({ replSetStepDown: 1, force: true });
    await set.primary();
    await set.client.db('x').collection('c').insertOne({ after: 'election' });
    await tailing.mark();
    await tailing.stop();
    tailing = new ClusterTailing(cluster(), { repository, clusterId });
    await tailing.mark();
    await tailing.stop();
    for (const { name } of cluster().sets) {
      const { runs, gaps } = await coverageOf(name);
      assert.deepEqual([runs.length, gaps], [1, []], name);
    }
  });

  test('notice a shard that comes and one that goes', async () => {
    const fixture = await ShardedFixture.create(cluster());
    const { repository, clusterId } = fixture;
    const shards = cluster().config.client.db('config').collection<{ _id: string; host?: string }>('shards');
    const majority = { writeConcern: { w: 'majority' } } as const;
    const hidden = must(await shards.findOneAndDelete({ _id: 's1' }, majority), 's1 is a shard');
    const namesOf = (tailing: ClusterTailing) => tailing.last?.replicaSets?.map((one) => one.shardName).join() ?? '';
    try {
      const tailing = new ClusterTailing(cluster(), { repository, clusterId, limits: { replicaSetsEveryMs: 50 } });
      await tailing.mark([cluster().shard(0).set, cluster().config]);
      assert.equal(namesOf(tailing), 's0,config');
      await shards.insertOne(hidden, majority);
      await tailing.mark();
      assert.equal(namesOf(tailing), 's0,s1,config');
      // Known by other hosts, where nobody is, and by its own again: it goes on where it ended.
      await shards.updateOne({ _id: 's1' }, { $set: { host: 'rs1/localhost:1' } }, majority);
      const left = tailing.capturedOf('rs1');
      await until('the shard is looked for elsewhere', async () => (tailing.capturedOf('rs1') === null ? true : null));
      await tailing.mark([cluster().shard(0).set, cluster().config]);
      await shards.replaceOne({ _id: 's1' }, hidden, majority);
      await tailing.mark();
      assert.ok((tailing.capturedOf('rs1') ?? 0n) > (left ?? 0n));
      const { runs, gaps } = await readCoverage(repository, { clusterId, replicaSetName: 'rs1' });
      assert.deepEqual([runs.length, gaps], [1, []]);
      await shards.deleteOne({ _id: 's1' }, majority);
      await until('the shard that went is forgotten', async () => namesOf(tailing) === 's0,config' || null);
      await tailing.stop();
    } finally {
      await shards.updateOne({ _id: 's1' }, { $setOnInsert: hidden }, { upsert: true, ...majority });
    }
  });
});
