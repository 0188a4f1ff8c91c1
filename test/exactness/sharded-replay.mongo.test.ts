import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemRandom } from '../../src/lib/random.ts';
import { ClusterTailing } from '../support/cluster-tailing.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { useShardedCluster } from '../support/sharded-cluster.ts';
import { checkShardedReplay } from './check-sharded-replay.ts';

/**
 * A restore of a sharded cluster to any moment is what snapshot reads of its shards saw then: random workloads on both
 * shards, transactions over both, chunks on the move, a tailer that is killed and a primary that stands down.
 *
 * SEED=n runs that seed, SEED=new a new one; `--long` makes it longer.
 */
const long = process.env.TIDEMARK_LONG === '1';
const seed = process.env.SEED === 'new' ? systemRandom.bytes(4).readUInt32LE(0) : Number(process.env.SEED ?? 21);

const source = useShardedCluster({ setParameters: { orphanCleanupDelaySecs: 0, ttlMonitorSleepSecs: 1 } });
// It leaves orphans alone, so that they can be compared.
const target = useShardedCluster({
  prefix: 't',
  setParameters: { disableResumableRangeDeleter: true, ttlMonitorEnabled: false },
});

/** For collections by themselves. */
const alone = useReplicaSet({ name: 'alone', cacheGb: 1 });

after(() => ClusterTailing.stopAll());

test(`restores of a sharded cluster to moments of the workload of seed ${seed} are exact`, async (t) => {
  const report = await checkShardedReplay(
    seed,
    source(),
    { target: target(), alone: alone() },
    {
      points: long ? 18 : 6,
      downloads: long ? 6 : 2,
      ms: long ? 60_000 : 6_000,
      faults: true,
    },
  );
  t.diagnostic(JSON.stringify(report));
  assert(report.documents > 1000 && report.entries > 1000, 'there was something to replay and to compare');
  assert(report.togetherDocuments >= 90 * 6, 'of two snapshots and some moments the bank was restored by itself');
  assert(report.togetherDocuments % 90 === 0, 'always whole');
  assert(report.downloadedDocuments >= 2 * 90, 'of two moments the bank was downloaded');
  assert(report.transfers > 10 && report.moves > 1, 'transactions over both shards were made, and chunks moved');
  assert(report.insideMigrations > 0, 'a moment lies inside a migration');
  assert(report.torn > 0, 'a moment lies between a transaction and its commits');
  assert(report.sliceEntries > 100, 'the increment came from slices');
  assert(report.ambiguous < report.documents / 100, 'little was left out');
});
