import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { Timestamp } from 'mongodb';
import { compareTruth } from '../../../test/support/compare.ts';
import { emptyStore } from '../../../test/support/empty-store.ts';
import { FlakyStore } from '../../../test/support/flaky-store.ts';
import { type ReplicaSet, until, useReplicaSet } from '../../../test/support/replica-set.ts';
import { SeededRandom } from '../../../test/support/seeded-random.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { Tailing } from '../../../test/support/tailing.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { type Optime, type Timestamp64, timestampOf, timestampParts } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { systemClock } from '../../lib/clock.ts';
import { Fault } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { readOplogEntry } from '../../oplog/entry.ts';
import { openRepository } from '../../repository/repository.ts';
import { readCoverage, readSlices, type SliceSource } from '../../repository/slices.ts';
import { sliceOplog } from '../replay/slice-oplog.ts';
import { restoreSnapshot } from '../restore/restore-snapshot.ts';
import type { TakenSnapshot } from '../take/take-snapshot.ts';

after(() => Tailing.stopAll());

const sliceSource = (fixture: SnapshotFixture, set: ReplicaSet): SliceSource => ({
  clusterId: fixture.clusterId,
  replicaSetName: set.name,
});

/** Every entry that the source's oplog still holds from `from` up to `to`, raw. */
async function oplogBetween(set: ReplicaSet, from: Timestamp64, to: Timestamp64): Promise<Buffer[]> {
  const range = { $gte: new Timestamp(timestampParts(from)), $lte: new Timestamp(timestampParts(to)) };
  const found = set.client.db('local').collection('oplog.rs').find({ ts: range }, { raw: true });
  return ((await found.toArray()) as unknown as Uint8Array[]).map((raw) => Buffer.from(raw));
}

/** Adds documents until told to stop; with a pace, so that a small machine gets to its other work. */
function writeOn(set: ReplicaSet, db: string): { stop: () => Promise<number> } {
  let writing = true;
  const docs = set.client.db(db).collection<{ n: number; pad: string }>('docs');
  const work = (async () => {
    let n = 0;
    for (; writing; n++) {
      await docs.insertOne({ n, pad: 'x'.repeat(200) });
      if (n % 20 === 0) await systemClock.sleep(5);
    }
    return n;
  })();
  return {
    stop: async () => {
      writing = false;
      return await work;
    },
  };
}

describe('a tailer whose object store fails one call in five', () => {
  const source = useReplicaSet({ name: 'source' });

  test('captures every entry all the same, also across restarts: one run, no gap, the same bytes', async () => {
    const seed = Number(process.env.SEED ?? systemRandom.bytes(4).readUInt32LE(0));
    const whole = await emptyStore(systemClock);
    const fixture = await SnapshotFixture.create(source().uri, { store: whole });
    const flaky = new FlakyStore(whole, new SeededRandom(seed), 5);
    // Opening reads the store, too: as a worker that starts does.
    const repository = await until('the repository opens', async () => {
      return await openRepository({ store: flaky, clock: systemClock, random: systemRandom }).catch(() => null);
    });
    const limits = { sliceMs: 60, pollMs: 10, storeRetryMs: 5 };
    let tail = new Tailing(source(), { repository, clusterId: fixture.clusterId, limits });
    const begin = await tail.mark();
    const writer = writeOn(source(), 'flaky');
    for (let restart = 0; restart < 4; restart++) {
      await tail.mark();
      await tail.stop();
      tail = new Tailing(source(), { repository, clusterId: fixture.clusterId, limits });
      await until('more calls have failed', async () => (flaky.failures > 5 * (restart + 1) ? true : null));
    }
    const written = await writer.stop();
    const to = await tail.mark();
    await tail.stop();
    const { runs, gaps } = await readCoverage(fixture.repository, sliceSource(fixture, source()));
    assert.deepEqual([runs.length, gaps], [1, []], `seed ${seed}`);
    const expected = await oplogBetween(source(), begin, to);
    const from: Optime = { ts: begin, term: readOplogEntry(must(expected[0], 'the first mark'), 0).term };
    const captured: Buffer[] = [];
    for await (const entries of readSlices(fixture.repository, sliceSource(fixture, source()), { from, to }))
      captured.push(entries);
    assert.ok(
      Buffer.concat(captured).equals(Buffer.concat(expected.slice(1))),
      `seed ${seed}: the oplog, byte for byte`,
    );
    assert.ok(
      written > 50 && flaky.failures > 20,
      `${written} written, ${flaky.failures} of ${flaky.calls} calls failed`,
    );
  });
});

describe('a tailer that meets entries larger than a document may be', () => {
  const source = useReplicaSet({ name: 'source', cacheGb: 1 });

  test('captures them as they are', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    const tail = new Tailing(source(), fixture);
    const begin = await tail.mark();
    const docs = source().client.db('large').collection<{ _id: number; bytes: Buffer }>('docs');
    for (const _id of [1, 2]) await docs.insertOne({ _id, bytes: Buffer.alloc(16 * 1024 * 1024 - 28, _id) });
    const to = await tail.mark();
    await tail.stop();
    const expected = await oplogBetween(source(), begin, to);
    assert.equal(expected.filter((entry) => entry.length > 16 * 1024 * 1024).length, 2);
    const from: Optime = { ts: begin, term: readOplogEntry(must(expected[0], 'the first mark'), 0).term };
    const captured: Buffer[] = [];
    for await (const entries of readSlices(fixture.repository, sliceSource(fixture, source()), { from, to }))
      captured.push(entries);
    assert.ok(Buffer.concat(captured).equals(Buffer.concat(expected.slice(1))));
  });
});

describe('a tailer that a tiny oplog overtakes', () => {
  const source = useReplicaSet({
    name: 'source',
    oplogMb: 1,
    args: ['--syncdelay', '1'],
    setParameters: { minSnapshotHistoryWindowInSeconds: 3600 },
  });
  const target = useReplicaSet({ name: 'target' });

  const docs = () => source().client.db('tiny').collection<{ _id: number; pad: string }>('docs');

  async function rollOver(past: Timestamp64): Promise<void> {
    const oplog = source().client.db('local').collection('oplog.rs');
    await until('the oplog has rolled over', async () => {
      const rows = Array.from({ length: 500 }, (_, _id) => ({ _id, pad: systemRandom.bytes(400).toString('hex') }));
      await docs().deleteMany({});
      await docs().insertMany(rows);
      return timestampOf((await oplog.findOne({}, { sort: { $natural: 1 } }))?.ts) > past ? true : null;
    });
  }

  /** A restore from a snapshot to a point, as the service composes it. */
  async function restoreTo(fixture: SnapshotFixture, taken: TakenSnapshot, end: Timestamp64): Promise<void> {
    const { clusterTime, snapshotId } = taken.header;
    const from = { ts: timestampOf(clusterTime), term: BigInt(clusterTime.term) };
    const { signal } = new AbortController();
    const oplog = await sliceOplog(fixture.repository, sliceSource(fixture, source()), { from, end }, signal);
    await restoreSnapshot(
      {
        repository: fixture.repository,
        clusterId: fixture.clusterId,
        snapshotId,
        uri: target().uri,
        verifyContent: true,
        pointInTime: { end: { ts: end, inclusive: true }, source: oplog },
        clock: systemClock,
        log: silentLogger,
        signal,
        report: () => undefined,
      },
      await fixture.manifest(snapshotId),
    );
  }

  /**
   * Restores to a moment after the new snapshot, and finds the old one to lead nowhere before the target is touched.
   */
  async function expectWindowReopened(fixture: SnapshotFixture, tail: Tailing, old: TakenSnapshot): Promise<void> {
    await tail.mark();
    const fresh = await fixture.take();
    await docs().deleteMany({ _id: { $lt: 100 } });
    const point = await tail.mark();
    const truth = await readTruth(source().client, new Timestamp(timestampParts(point)));
    await restoreTo(fixture, fresh, point);
    const restored = await readTruth(target().client, null);
    assert.deepEqual(compareTruth(truth, restored), []);
    await assert.rejects(
      restoreTo(fixture, old, point),
      (error) => error instanceof Fault && /does not cover .* without a gap/.test(error.message),
    );
    assert.deepEqual(compareTruth(restored, await readTruth(target().client, null)), [], 'the target was left alone');
  }

  test('while it was away: names the gap, begins a new run, and a snapshot opens the window again', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    let tail = new Tailing(source(), fixture);
    await docs().insertOne({ _id: -1, pad: '' });
    await tail.mark();
    const old = await fixture.take();
    const end = await tail.mark();
    await tail.stop();
    await rollOver(end);
    tail = new Tailing(source(), fixture);
    await tail.mark();
    const { runs, gaps } = await readCoverage(fixture.repository, sliceSource(fixture, source()));
    assert.deepEqual([runs.length, gaps.length], [2, 1]);
    const gap = must(gaps[0], 'a gap');
    assert.equal(
      gap.from,
      must(
        runs.find((run) => run.first <= end),
        'the old run',
      ).last,
    );
    assert.match(gap.cause, /no longer holds the last captured entry/);
    await expectWindowReopened(fixture, tail, old);
    await tail.stop();
  });

  test('while the object store was down: holds one slice only, then names the gap and goes on', async () => {
    const store = new FlakyStore(await emptyStore(systemClock), new SeededRandom(1), Number.MAX_SAFE_INTEGER);
    const fixture = await SnapshotFixture.create(source().uri, { store });
    const tail = new Tailing(source(), { ...fixtureOf(fixture), limits: { storeRetryMs: 20 } });
    await tail.mark();
    const old = await fixture.take();
    const before = await tail.mark();
    store.down = true;
    await docs().insertOne({ _id: -2, pad: '' });
    const failed = store.failures;
    await until('the tailer has a slice that the store refuses', async () => (store.failures > failed ? true : null));
    await rollOver(before + (1n << 32n));
    store.down = false;
    const after = await tail.mark();
    const { runs, gaps } = await readCoverage(fixture.repository, sliceSource(fixture, source()));
    assert.ok(gaps.length >= 1 && runs.length === gaps.length + 1, `${runs.length} runs, ${gaps.length} gaps`);
    for (const gap of gaps) assert.match(gap.cause, /no longer reaches back to/);
    assert.ok(runs.some((run) => run.first <= before && before <= run.last) && runs.some((run) => run.last >= after));
    assert.equal(tail.last?.gaps, gaps.length, 'each gap is told once');
    await expectWindowReopened(fixture, tail, old);
    await tail.stop();
  });

  const fixtureOf = ({ repository, clusterId }: SnapshotFixture) => ({ repository, clusterId });
});
