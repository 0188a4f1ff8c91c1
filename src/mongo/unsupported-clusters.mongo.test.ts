import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ShardedCluster } from '../../test/support/sharded-cluster.ts';
import { must } from '../lib/assert.ts';
import { Fault } from '../lib/errors.ts';
import { discoverCluster } from './topology.ts';

describe('sharded clusters of newer servers', () => {
  let cluster: ShardedCluster | undefined;
  before(async () => {
    cluster = await ShardedCluster.start({ shards: 1 });
  });
  after(async () => {
    await Promise.all((cluster?.sets ?? []).map((set) => set.stop()));
  });

  async function refusal(): Promise<string> {
    const error = await discoverCluster(must(cluster, 'a cluster').uri).then(
      () => assert.fail('it was taken'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof Fault);
    return `${error.message}. ${error.hint}`;
  }

  test('shards that keep routing metadata of their own are refused by name', async () => {
    const shard = must(cluster, 'a cluster').shard(0).set.client.db('config');
    for (const name of ['shard.catalog.databases', 'shard.catalog.collections']) {
      await shard.collection(name).insertOne({ _id: 'shop' as never });
      assert.match(await refusal(), new RegExp(`config.${name}, MongoDB 9.0.*feature compatibility version`));
      await shard.collection(name).deleteMany({});
    }
    assert.equal((await discoverCluster(must(cluster, 'a cluster').uri)).facts.topology, 'sharded');
  });

  test('config servers that are a shard too are refused by name', async () => {
    const { config } = must(cluster, 'a cluster');
    const shards = config.client.db('config').collection('shards');
    const host = `${config.name}/${must(config.members[0], 'a member').address}`;
    await shards.insertOne({ _id: 'config' as never, host, state: 1 }, { writeConcern: { w: 'majority' } });
    assert.match(await refusal(), /keeps data on its config servers \(a config shard\).*replica set of their own/s);
    await shards.deleteOne({ _id: 'config' as never });
  });
});
