import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { oplogAfter } from '../../src/engine/replay/slice-oplog.ts';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { throughWeather } from '../../src/lib/weather/through-weather.ts';
import { type Squall, type Struck, shuffled, squalls, strike } from '../support/bad-weather.ts';
import { compareTruth } from '../support/compare.ts';
import { emptyStore } from '../support/empty-store.ts';
import { FlakyStore } from '../support/flaky-store.ts';
import { Network } from '../support/network.ts';
import { useReplicaSet } from '../support/replica-set.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { SnapshotFixture } from '../support/snapshot-fixture.ts';
import { Tailing } from '../support/tailing.ts';
import { readTruth } from '../support/truth.ts';

/**
 * Snapshots of a set of three, and its oplog followed beside them, while its primary stands down, dies or hangs, the
 * network to it breaks or falls silent, or the store stalls: both go on or begin again by themselves, and the snapshot
 * and a point after it are restored equal to the source.
 *
 * SEED=n deals out the squalls anew; `npm test -- --long weather` tries every squall in every phase.
 */
const long = process.env.TIDEMARK_LONG === '1';
const seed = process.env.SEED === 'new' ? systemRandom.bytes(4).readUInt32LE(0) : Number(process.env.SEED ?? 12);
const phases = ['scanning', 'catching up', 'writing manifest'];
const DOCUMENTS = 5_000;

function dealt(): { phase: string; squall: Squall }[] {
  const random = new SeededRandom(seed);
  const all = phases.flatMap((phase) => squalls.map((squall) => ({ phase, squall })));
  const order = shuffled(all, (limit) => random.below(limit));
  // What is silent for long is for the long run.
  const quick = squalls.filter((squall) => squall !== 'swallow');
  return long ? order : quick.flatMap((squall) => order.find((one) => one.squall === squall) ?? []);
}

describe(`snapshots and tailing in bad weather, seed ${seed}`, () => {
  const setParameters = { ttlMonitorEnabled: false };
  const source = useReplicaSet({ name: 'source', members: 3, setParameters });
  const target = useReplicaSet({ name: 'target', setParameters });
  let network: Network;
  let store: FlakyStore;
  let fixture: SnapshotFixture;
  let tailing: Tailing;

  const orders = () => source().client.db('shop').collection<{ _id: number; n: number }>('orders');

  before(async () => {
    network = await Network.start();
    store = new FlakyStore(await emptyStore(systemClock), new SeededRandom(seed), Number.MAX_SAFE_INTEGER);
    fixture = await SnapshotFixture.create(network.through(source().uri), { store, blobBytes: 64 * 1024 });
    const rows = Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i, n: 0, pad: 'x'.repeat(200) }));
    await orders().insertMany(rows, { writeConcern: { w: 'majority' } });
    await orders().createIndex({ n: 1 });
    const { repository, clusterId } = fixture;
    tailing = new Tailing(source(), { repository, clusterId, uri: network.through(source().uri) });
    await tailing.begun();
  });

  after(async () => {
    Tailing.stopAll();
    await network.stop();
  });

  async function takeThrough(phase: string, squall: Squall): Promise<number> {
    const primary = await source().primary();
    let struck: Struck | null = null;
    let attempts = 0;
    const pass = () => struck?.pass();
    // What the engine bears by itself is not told: the weather is over when it has gone on for a while.
    const overMs = 2_000;
    const report = (progress: { phase: string }) => {
      if (progress.phase !== phase || struck !== null) return;
      struck = strike(squall, { set: source(), primary, network, store });
      void systemClock.sleep(overMs).then(pass);
    };
    const signal = AbortSignal.timeout(170_000);
    const tools = { clock: systemClock, random: systemRandom, signal };
    const patience = { attemptsMax: 8, totalMsMax: 160_000 };
    try {
      await throughWeather({ ...tools, patience, report: pass }, async (attempt) => {
        attempts = attempt;
        return await fixture.take({ ...(phase === 'scanning' ? { parent: null } : {}), report, signal });
      });
    } finally {
      await must<Struck>(struck, `it came to ${phase}`).over();
      await source().whenComplete();
    }
    return attempts;
  }

  for (const [index, { phase, squall }] of dealt().entries()) {
    test(`${squall} while ${phase}`, async (t) => {
      await orders().updateMany({ _id: { $mod: [7, index % 7] } }, { $inc: { n: 1 } }, majority);
      const before = await readTruth(source().client, null);
      const attempts = await takeThrough(phase, squall);
      t.diagnostic(`${attempts} attempts`);
      await fixture.restore(target().uri);
      assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), [], 'the snapshot');
      await orders().updateMany({ _id: { $mod: [5, index % 5] } }, { $inc: { n: 1 } }, majority);
      const ts = await tailing.mark();
      const later = await readTruth(source().client, null);
      const { header } = must(fixture.last, 'a snapshot');
      const slices = await oplogAfter(fixture.repository, header, ts, new AbortController().signal);
      await fixture.restore(target().uri, fixture.last, {
        pointInTime: { end: { ts, inclusive: true }, source: slices },
      });
      assert.deepEqual(compareTruth(later, await readTruth(target().client, null)), [], 'the point after it');
      assert.equal(tailing.failure, null);
    });
  }
});

const majority = { writeConcern: { w: 'majority' } } as const;
