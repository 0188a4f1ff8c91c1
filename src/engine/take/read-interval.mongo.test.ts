import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Timestamp } from 'mongodb';
import { compareTruth } from '../../../test/support/compare.ts';
import { type ReplicaSet, until, useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { Tailing } from '../../../test/support/tailing.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { documentLength } from '../../bson/raw-bson.ts';
import { formatTimestamp, timestampOf } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import type { Logger } from '../../lib/logger.ts';
import { systemRandom } from '../../lib/random.ts';
import { type SliceSpan, sliceName } from '../../repository/format/slice-name.ts';
import { readCoverage, readSlice, writeSlice } from '../../repository/slices.ts';
import type { TakenSnapshot } from './take-snapshot.ts';

const DOCUMENTS = 2_000;

/** A source that is tailed, its snapshots, and a target to compare on. */
class Tailed {
  readonly source: ReplicaSet;
  readonly target: ReplicaSet;
  readonly fixture: SnapshotFixture;
  readonly #db: string;
  readonly lines: string[] = [];
  tail: Tailing;

  constructor(source: ReplicaSet, target: ReplicaSet, fixture: SnapshotFixture, db: string) {
    this.source = source;
    this.target = target;
    this.fixture = fixture;
    this.#db = db;
    this.tail = new Tailing(source, fixture);
  }

  /** With a first snapshot that lies in what is captured. */
  static async begin(source: ReplicaSet, target: ReplicaSet, db: string): Promise<Tailed> {
    const tailed = new Tailed(source, target, await SnapshotFixture.create(source.uri), db);
    await tailed.docs.insertMany(Array.from({ length: DOCUMENTS }, (_, i) => ({ _id: i, n: 0, pad: 'x'.repeat(300) })));
    await tailed.tail.mark();
    await tailed.take();
    return tailed;
  }

  get docs() {
    return this.source.client.db(this.#db).collection<{ _id: number; n: number; pad: string }>('docs');
  }

  get slices() {
    return { clusterId: this.fixture.clusterId, replicaSetName: this.source.name };
  }

  /** Half of the documents, each by itself, and transactions. */
  async change(): Promise<void> {
    await this.docs.updateMany({ _id: { $lt: DOCUMENTS / 2 } }, { $inc: { n: 1 } });
    await this.docs.deleteMany({ $or: [{ _id: { $lt: 100 } }, { _id: { $gte: DOCUMENTS - 50 } }] });
    const session = this.source.client.startSession();
    try {
      await session.withTransaction(async () => {
        for (let i = 0; i < 50; i++) await this.docs.insertOne({ _id: -i - 1, n: 0, pad: 'new' }, { session });
      });
    } finally {
      await session.endSession();
    }
    await this.docs.deleteMany({ _id: { $lt: -20 } });
  }

  async take(): Promise<TakenSnapshot> {
    const write = (...parts: unknown[]) => {
      this.lines.push(parts.map((part) => JSON.stringify(part)).join(' '));
    };
    const log = { info: write, warn: write, error: write, debug: write, child: () => log } as unknown as Logger;
    return await this.fixture.take({ log });
  }

  async expectExact(taken: TakenSnapshot): Promise<void> {
    const expected = await readTruth(this.source.client, new Timestamp(taken.header.clusterTime));
    await this.fixture.restore(this.target.uri, taken);
    assert.deepEqual(compareTruth(expected, await readTruth(this.target.client, null)), []);
  }

  /** The slices after the snapshot's that the source's oplog has rolled past. */
  async overtakenSlices(taken: TakenSnapshot): Promise<SliceSpan[]> {
    const oplog = this.source.client.db('local').collection('oplog.rs');
    const oldest = timestampOf((await oplog.findOne({}, { sort: { $natural: 1 } }))?.ts);
    return (await this.slicesAfter(taken)).filter((slice) => slice.last < oldest);
  }

  async slicesAfter(taken: TakenSnapshot): Promise<SliceSpan[]> {
    const { runs } = await readCoverage(this.fixture.repository, this.slices);
    return runs.flatMap((run) => run.slices).filter((slice) => slice.first > timestampOf(taken.header.clusterTime));
  }

  /** The key of the slice in the middle of these. */
  async middle(slices: readonly SliceSpan[]): Promise<string> {
    const name = sliceName(must(slices[Math.floor(slices.length / 2)], 'slices after the snapshot'));
    for await (const { objectKey } of this.fixture.repository.store.list('oplog/'))
      if (objectKey.endsWith(name)) return objectKey;
    return assert.fail('the slice is stored');
  }
}

after(() => Tailing.stopAll());

describe('an incremental snapshot of a cluster with continuous backup', () => {
  const source = useReplicaSet({ name: 'source', setParameters: { minSnapshotHistoryWindowInSeconds: 3600 } });
  const target = useReplicaSet({ name: 'target' });

  test("reads its interval from slices, leaves the source's oplog alone, and is exact", async () => {
    const tailed = await Tailed.begin(source(), target(), 'covered');
    await tailed.change();
    await tailed.tail.mark();
    const covered = await tailed.take();
    const { sliceEntriesRead, oplogEntriesRead, scannedCollections } = covered.statistics;
    assert.ok(sliceEntriesRead > 1_100, `${sliceEntriesRead} entries from slices`);
    assert.ok(oplogEntriesRead < 20, `${oplogEntriesRead} entries from the source, all of them after the mark`);
    assert.equal(scannedCollections, 0);
    await tailed.expectExact(covered);

    await tailed.tail.stop();
    await tailed.change();
    const beyond = await tailed.take();
    assert.ok(beyond.statistics.oplogEntriesRead > 900, 'what no slice covers comes from the source');
    await tailed.expectExact(beyond);
  });

  test('reads on from the source where a slice is damaged or missing, and says so', async () => {
    const tailed = await Tailed.begin(source(), target(), 'damaged');
    const first = must(tailed.fixture.last, 'the first snapshot');
    for (let i = 0; i < 4; i++) {
      await tailed.docs.updateMany({}, { $inc: { n: 1 } });
      await tailed.tail.mark();
    }
    await tailed.tail.stop();
    const { store } = tailed.fixture.repository;
    const victim = await tailed.middle(await tailed.slicesAfter(first));
    const whole = await store.get(victim);
    await store.delete(victim);
    await store.put(victim, whole.subarray(0, whole.length - 7));
    const taken = await tailed.take();
    assert.ok(taken.statistics.sliceEntriesRead > 500 && taken.statistics.oplogEntriesRead > 500);
    assert.equal(taken.statistics.scannedCollections, 0);
    assert.match(tailed.lines.join('\n'), new RegExp(`${victim}.*reading the source's oplog instead`));
    await tailed.expectExact(taken);

    // The same interval again, with a hole in the slices.
    await store.delete(victim);
    tailed.fixture.last = first;
    const again = await tailed.take();
    assert.equal(again.header.parentSnapshotId, first.header.snapshotId);
    assert.ok(again.statistics.oplogEntriesRead > 500);
    assert.equal(again.statistics.scannedCollections, 0);
    await tailed.expectExact(again);
  });

  test('scans everything again where the slices tell another history than the source', async () => {
    const tailed = await Tailed.begin(source(), target(), 'other');
    await tailed.tail.stop();
    const { runs } = await readCoverage(tailed.fixture.repository, tailed.slices);
    const last = must(runs[0]?.slices.at(-1), 'a slice');
    const entries = await readSlice(tailed.fixture.repository, tailed.slices, last);
    let at = 0;
    while (at + documentLength(entries, at) < entries.length) at += documentLength(entries, at);
    const tip = entries.subarray(at);
    const never = Buffer.from(tip);
    never.writeBigUInt64LE(last.last + 7n, never.indexOf('\x11ts\0') + 4);
    await writeSlice(tailed.fixture.repository, tailed.slices, Buffer.concat([tip, never]));
    await tailed.change();
    const taken = await tailed.take();
    assert.ok(taken.statistics.scannedCollections > 0);
    assert.match(tailed.lines.join('\n'), /the oplog was overtaken; scanning everything again/);
    await tailed.expectExact(taken);
  });
});

describe('a source with a tiny oplog', () => {
  const target = useReplicaSet({ name: 'target' });
  const source = useReplicaSet({
    name: 'source',
    oplogMb: 1,
    args: ['--syncdelay', '1'],
    setParameters: { minSnapshotHistoryWindowInSeconds: 3600 },
  });
  let tailed: Tailed;

  before(async () => {
    tailed = await Tailed.begin(source(), target(), 'tiny');
  });

  /** Writes, captured step by step, until the oplog no longer holds the first of them. */
  async function overtake(taken: TakenSnapshot): Promise<void> {
    await until(`the oplog is past ${formatTimestamp(timestampOf(taken.header.clusterTime))}`, async () => {
      await tailed.docs.updateMany(
        { _id: { $gte: 0, $lt: 500 } },
        { $set: { pad: `${'y'.repeat(700)}${systemRandom.bytes(4).toString('hex')}` } },
      );
      await tailed.tail.mark();
      return (await tailed.overtakenSlices(taken)).length >= 3 ? true : null;
    });
  }

  test('stays incremental through its slices when its oplog no longer reaches back to the parent', async () => {
    const first = must(tailed.fixture.last, 'the first snapshot');
    await overtake(first);
    await tailed.docs.deleteMany({ _id: { $gte: 400, $lt: 450 } });
    const second = await tailed.take();
    assert.equal(second.header.parentSnapshotId, first.header.snapshotId);
    assert.equal(second.statistics.scannedCollections, 0, 'nothing was scanned again');
    assert.ok(second.statistics.documentsRead <= 700, `${second.statistics.documentsRead} documents read`);
    await tailed.expectExact(second);
  });

  test('scans again, and says why, when a slice is missing as well', async () => {
    const parent = must(tailed.fixture.last, 'a snapshot');
    await overtake(parent);
    await tailed.fixture.repository.store.delete(await tailed.middle(await tailed.overtakenSlices(parent)));
    const taken = await tailed.take();
    assert.ok(taken.statistics.scannedCollections > 0);
    assert.match(tailed.lines.join('\n'), /no longer reaches back to the parent's time, and no slices lead on from it/);
    await tailed.expectExact(taken);
  });

  test('scans again when a slice turns out to be damaged in the middle of the interval', async () => {
    const parent = must(tailed.fixture.last, 'a snapshot');
    await overtake(parent);
    const { store } = tailed.fixture.repository;
    const victim = await tailed.middle(await tailed.overtakenSlices(parent));
    const whole = await store.get(victim);
    await store.delete(victim);
    await store.put(victim, whole.subarray(0, whole.length - 7));
    const taken = await tailed.take();
    assert.ok(taken.statistics.scannedCollections > 0);
    assert.match(
      tailed.lines.join('\n'),
      new RegExp(`${victim}[^]*the oplog was overtaken; scanning everything again`),
    );
    await tailed.expectExact(taken);
  });
});
