import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { dropDatabases } from '../../../test/support/archive-source.ts';
import { ClusterTailing } from '../../../test/support/cluster-tailing.ts';
import { collect } from '../../../test/support/collect.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { restoreArchive } from '../../../test/support/restore-archive.ts';
import { type Moment, RoutedMoments } from '../../../test/support/routed-moments.ts';
import { useShardedCluster } from '../../../test/support/sharded-cluster.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { must } from '../../lib/assert.ts';
import { type DownloadRequest, prepareDownload, readDownload } from './download.ts';

after(() => ClusterTailing.stopAll());
const { signal } = new AbortController();

describe('downloads of a point in time of a sharded cluster', () => {
  /** What was moved stays where it was, as orphans. */
  const source = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 3600 } });
  const target = useReplicaSet({ name: 'target', setParameters: { ttlMonitorEnabled: false } });
  let routed: RoutedMoments;
  before(async () => {
    routed = await RoutedMoments.make(source());
  });

  const requestFor = (moment: Moment): DownloadRequest => {
    const { repository, clusterId } = routed.fixture;
    const pointInTime = { end: { ts: moment.ts, inclusive: true }, slices: repository };
    return { repository, clusterId, snapshotId: routed.taken.header.snapshotId, pointInTime, signal };
  };

  test('each shard has an archive of what it owned then: loaded and replayed as mongorestore does, byte for byte', async () => {
    for (const [what, moment] of routed.moments) {
      const request = requestFor(moment);
      const files = await prepareDownload({ ...request, report: () => undefined });
      assert.deepEqual(
        files.map(({ replicaSetName, isShard }) => [replicaSetName, isShard]),
        source().shards.map(({ set }) => [set.name, true]),
      );
      let documents = 0;
      for (const { replicaSetName, writer, bytes } of files) {
        const file = Buffer.concat(await collect(readDownload({ ...request, replicaSetName, writer })));
        assert.equal(file.length, bytes, 'the bytes that were promised');
        const shard = must(
          source().shards.find(({ set }) => set.name === replicaSetName),
          'a file is of a shard',
        );
        const expected = must(moment.shards.get(shard.id), 'the shard was looked at');
        await dropDatabases(target().client);
        await restoreArchive(gunzipSync(file), target().client, (await target().primary()).port);
        const found = await readTruth(target().client, null);
        // What others own is there as well, and empty.
        const isEmpty = (name: string) => (found.collections.get(name)?.documents?.size ?? 0) === 0;
        const skip = (name: string) => name.startsWith('admin.') || (!expected.collections.has(name) && isEmpty(name));
        assert.deepEqual(compareTruth(expected, found, { skip }), [], `${what}: ${shard.id}`);
        for (const { documents: held } of expected.collections.values()) documents += held?.size ?? 0;
      }
      const seen = [...moment.together.collections.values()];
      const whole = seen.reduce((sum, one) => sum + (one.documents?.size ?? 0), 0);
      assert.equal(documents, whole, 'every document is in one of them');
    }
  });
});
