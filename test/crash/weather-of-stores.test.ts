import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jobPatience } from '../../src/lib/weather/patience.ts';
import { throughWeather } from '../../src/lib/weather/through-weather.ts';
import { copySnapshot, openCopyRepository } from '../../src/repository/copy-snapshot.ts';
import { checkRepository } from '../../src/repository/upkeep/check.ts';
import { MemoryStore } from '../../src/storage/memory.ts';
import {
  assertWhole,
  bucket,
  contents,
  exportInto,
  prefix,
  snapshotId,
  withSnapshot,
} from '../support/export-fixture.ts';
import { exportedObjects } from '../support/exported.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FlakyStore } from '../support/flaky-store.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { testClusterId } from '../support/test-repository.ts';

/**
 * Exports and copies into a store that fails one call in so many, by chance, half of the writes having happened: they
 * begin again by themselves and end whole. SEED=n is one row of chance; RUNS=n that many.
 */
const first = Number(process.env.SEED ?? 1);
const runs = Number(process.env.RUNS ?? 25);
/** An attempt at a copy goes through everything again: it needs a row of calls that go well. */
const ONE_CALL_IN = { export: [4, 10, 30], copy: [20, 60] };

const oneIn = (what: keyof typeof ONE_CALL_IN, seed: number): number =>
  ONE_CALL_IN[what][seed % ONE_CALL_IN[what].length] ?? 4;

/** Waits pass at once, in order. */
async function through<T>(work: (attempt: number) => Promise<T>): Promise<{ attempts: number; result: T }> {
  const clock = new FakeClock();
  let attempts = 0;
  const report = () => void clock.leap(1_000_000);
  const signal = new AbortController().signal;
  const patience = { ...jobPatience, attemptsMax: 200, totalMsMax: null };
  const result = await throughWeather({ patience, clock, random: new SeededRandom(1), signal, report }, (attempt) => {
    attempts = attempt;
    return work(attempt);
  });
  return { attempts, result };
}

test(`exports into stores that come and go end whole, seeds ${first} to ${first + runs - 1}`, async (t) => {
  const repository = await withSnapshot(contents);
  let most = 0;
  for (let seed = first; seed < first + runs; seed++) {
    const store = bucket();
    const flaky = new FlakyStore(store, new SeededRandom(seed), oneIn('export', seed));
    const { attempts } = await through(async (n) => await exportInto(flaky, repository, { resumed: n > 1 }));
    assertWhole(await exportedObjects(store, prefix), contents);
    most = Math.max(most, attempts);
  }
  t.diagnostic(`${most} attempts at most`);
  assert.ok(most > 1 || runs < 5, 'the weather was bad');
});

test(`copies into stores that come and go end whole, seeds ${first} to ${first + runs - 1}`, async (t) => {
  const from = await withSnapshot(contents);
  let most = 0;
  for (let seed = first; seed < first + runs; seed++) {
    const store = new MemoryStore(new FakeClock());
    const flaky = new FlakyStore(store, new SeededRandom(seed), oneIn('copy', seed));
    const { attempts } = await through(async () => {
      const to = await openCopyRepository(from, flaky);
      return await copySnapshot(from, to, { clusterId: testClusterId, snapshotId });
    });
    const report = await checkRepository(await openCopyRepository(from, store), { readData: true });
    assert.deepEqual([report.snapshots, report.problems], [1, []], `seed ${seed}`);
    most = Math.max(most, attempts);
  }
  t.diagnostic(`${most} attempts at most`);
  assert.ok(most > 1 || runs < 5, 'the weather was bad');
});
