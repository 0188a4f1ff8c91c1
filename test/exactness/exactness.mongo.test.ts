import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemRandom } from '../../src/lib/random.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { Tailing } from '../support/tailing.ts';
import { checkSeed } from './check-seed.ts';

/**
 * The claim of docs/consistency.md, tried on random workloads: a snapshot restored is the source at one cluster time,
 * byte for byte. The truth comes from MongoDB's own recovery (test/support/replayed-copy.ts) and, where the source can
 * still be read at that time, from the source.
 *
 * SEED=n runs that seed; `npm test -- --seeds N exactness` runs N new ones; `--long` makes each longer.
 */
const FIXED_SEEDS = [1, 2];
const long = process.env.TIDEMARK_LONG === '1';

function seeds(): number[] {
  if (process.env.SEED !== undefined) return [Number(process.env.SEED)];
  const more = Number(process.env.TIDEMARK_SEEDS ?? 0);
  const first = systemRandom.bytes(4).readUInt32LE(0);
  return more > 0 ? Array.from({ length: more }, (_, index) => first + index) : FIXED_SEEDS;
}

after(() => Tailing.stopAll());

const target = useReplicaSet({ name: 'target', cacheGb: 1, setParameters: { ttlMonitorEnabled: false } });

for (const seed of seeds()) {
  test(`snapshots under the workload of seed ${seed} are exact`, async (t) => {
    const report = await checkSeed(seed, target(), { snapshots: long ? 8 : 3, operations: long ? 400 : 120 });
    t.diagnostic(JSON.stringify(report));
    assert(report.documents > 1000 && report.collections > 30, 'there was something to compare');
    assert(report.doubtful < report.collections / 10, 'hardly anything was left out');
    assert(report.confirmedAtSource > report.collections / 3, 'the source itself confirmed a good part of it');
  });
}

test('snapshots whose intervals are read from slices are exact', async (t) => {
  const seed = Number(process.env.SEED ?? 3);
  const report = await checkSeed(seed, target(), {
    snapshots: long ? 8 : 3,
    operations: long ? 400 : 120,
    tailed: true,
  });
  t.diagnostic(JSON.stringify(report));
  assert(report.documents > 1000 && report.collections > 30, 'there was something to compare');
  assert(report.doubtful < report.collections / 10, 'hardly anything was left out');
  assert(report.sliceEntries > 500, 'slices were read');
});
