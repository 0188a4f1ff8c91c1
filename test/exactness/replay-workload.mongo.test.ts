import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemRandom } from '../../src/lib/random.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { Tailing } from '../support/tailing.ts';
import { checkReplay } from './check-replay.ts';

/**
 * A restore to any point is the source at that point, byte for byte: random workloads, random points. The truth comes
 * from MongoDB's own recovery (test/support/replayed-copy.ts).
 *
 * SEED=n runs that seed; `npm test -- --seeds N replay` runs N new ones; `--long` makes each longer.
 */
const FIXED_SEEDS = [11, 12];
const long = process.env.TIDEMARK_LONG === '1';

function seeds(): number[] {
  if (process.env.SEED !== undefined) return [Number(process.env.SEED)];
  const more = Number(process.env.TIDEMARK_SEEDS ?? 0);
  const first = systemRandom.bytes(4).readUInt32LE(0);
  return more > 0 ? Array.from({ length: more }, (_, index) => first + index) : FIXED_SEEDS;
}

const target = useReplicaSet({ name: 'target', cacheGb: 1, setParameters: { ttlMonitorEnabled: false } });

after(() => Tailing.stopAll());

for (const seed of seeds()) {
  test(`restores to points of the workload of seed ${seed} are exact`, async (t) => {
    const report = await checkReplay(seed, target(), { points: long ? 8 : 3, operations: long ? 600 : 150 });
    t.diagnostic(JSON.stringify(report));
    assert(report.documents > 1000 && report.operations > 200, 'there was something to replay and to compare');
    assert(report.ambiguous < report.documents / 100, 'little was left out');
  });
}

test('downloads of points of the workload, loaded as mongorestore loads them, are exact', async (t) => {
  const seed = seeds()[0] ?? 11;
  const report = await checkReplay(seed, target(), { points: long ? 6 : 2, operations: 100, asArchive: true });
  t.diagnostic(JSON.stringify(report));
  assert(report.documents > 1000 && report.operations > 200, 'there was something to replay and to compare');
  assert(report.ambiguous < report.documents / 100, 'little was left out');
});

/** MINUTES=n lets the workload run for so long, with a snapshot each minute. */
const minutes = Number(process.env.MINUTES ?? (long ? 1 : 0));

for (const seed of seeds().slice(0, process.env.TIDEMARK_SEEDS === undefined ? 1 : undefined)) {
  test(`restores from what a tailer captured of the workload of seed ${seed} are exact`, async (t) => {
    const options = { points: minutes > 0 ? 3 : 2, operations: 100, tailed: true, ms: minutes * 60_000 };
    const report = await checkReplay(seed, target(), options);
    t.diagnostic(JSON.stringify(report));
    assert(report.documents > 1000 && report.operations > 200, 'there was something to replay and to compare');
    assert(report.ambiguous < report.documents / 100, 'little was left out');
    assert(minutes === 0 || report.sliceEntries > 1000, 'increments came from slices');
  });
}
