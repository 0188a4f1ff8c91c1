import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { must } from '../../src/lib/assert.ts';
import { findServers } from '../../tools/servers.ts';
import { needsServer, serverIs, serverVersion } from '../support/server-version.ts';
import { ShardedCluster, useShardedCluster } from '../support/sharded-cluster.ts';
import { ShardedFixture } from '../support/sharded-fixture.ts';
import { readTruth } from '../support/truth.ts';

const BUCKETS = 'system.buckets.measured';
const others = (await findServers('known')).filter(
  ({ version }) => version !== serverVersion && Number.parseInt(version, 10) >= 6 && serverIs('6.0'),
);

/**
 * A server makes a time series for buckets that are there only where they have its own validator, which patch releases
 * changed.
 */
describe('sharded time series between releases', { skip: needsServer('6.0') }, () => {
  const source = useShardedCluster();

  for (const { version, binary, why } of others) {
    const skip = binary === null ? `there is no server of ${version} here: ${why}` : false;
    test(`from ${serverVersion} to ${version}: buckets of the source's UUID, with what is in them`, {
      skip,
    }, async () => {
      const db = `to${version.replaceAll('.', '')}`;
      await source().createDatabase(db, 0);
      const timeseries = { timeField: 't', metaField: 'm' };
      await source().shardCollection(db, 'measured', { m: 1 }, { timeseries });
      const measured = Array.from({ length: 100 }, (_, n) => ({ t: new Date(n * 1000), m: n % 10, n }));
      await source().shard(0).set.client.db(db).collection('measured').insertMany(measured);
      await source().moveRange(db, BUCKETS, 1, { meta: 5 });
      const fixture = await ShardedFixture.create(source());
      await fixture.take();
      const target = await ShardedCluster.start({ prefix: 'o', ...(binary === null ? {} : { binary }) });
      try {
        await fixture.restore(target.uri);
        const uuid = await source().collectionUuid(db, BUCKETS);
        assert.deepEqual(await target.collectionUuid(db, BUCKETS), uuid);
        for (const [index, { set }] of target.shards.entries()) {
          const listed = await set.client.db(db).command({ listCollections: 1, filter: { name: BUCKETS } });
          assert.deepEqual(listed.cursor.firstBatch[0]?.info.uuid, uuid, set.name);
          const [expected, actual] = [source().shard(index).set, set].map(async (one) =>
            (await readTruth(one.client, null)).collections.get(`${db}.${BUCKETS}`),
          );
          const held = must((await expected)?.documents, 'the source has buckets on every shard');
          assert.ok(held.size > 0);
          assert.deepEqual((await actual)?.documents, held, set.name);
        }
        const series = target.shard(0).set.client.db(db).collection('measured');
        await assert.rejects(series.countDocuments(), /sharded collections/, 'its view leads to a sharded collection');
        const routed = (found: Map<string, unknown[]>) => [...found.values()];
        const expected = routed(await source().findRouted(db, BUCKETS));
        assert.deepEqual(routed(await target.findRouted(db, BUCKETS)), expected);
      } finally {
        await target.stop();
      }
    });
  }
});
