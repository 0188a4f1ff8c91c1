import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { until } from '../../../test/support/served-tidemark.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { forEachDocument } from '../../bson/raw-bson.ts';
import { type Optime, timestampOf } from '../../bson/timestamp.ts';
import { must } from '../../lib/assert.ts';
import { systemClock } from '../../lib/clock.ts';
import { Cancelled, Damage, Fault } from '../../lib/errors.ts';
import { silentLogger } from '../../lib/logger.ts';
import { readOplogEntry } from '../../oplog/entry.ts';
import { deleteSlicesUpTo, readCoverage, readSlices, writeGap } from '../../repository/slices.ts';
import { type TailProgress, tailOplog } from './tail-oplog.ts';

const QUICK = { sliceMs: 200, pollMs: 20 };

/** A tailer at work; `stop` ends it as the loss of its lease would. */
function startTail(
  fixture: SnapshotFixture,
  uri: string,
  limits: object = QUICK,
  wantedUpTo: () => bigint | null = () => null,
): { last: () => TailProgress | null; stop: () => Promise<void> } {
  const controller = new AbortController();
  let last: TailProgress | null = null;
  const ended = tailOplog({
    uri,
    repository: fixture.repository,
    clusterId: fixture.clusterId,
    limits,
    clock: systemClock,
    log: silentLogger,
    signal: controller.signal,
    wantedUpTo,
    onProgress: (progress) => {
      last = progress;
    },
  });
  ended.catch(() => undefined);
  return {
    last: () => last,
    stop: async () => {
      controller.abort(new Cancelled());
      await assert.rejects(ended, Cancelled);
    },
  };
}

describe('continuous capture', () => {
  const source = useReplicaSet({ name: 'source', members: 3 });

  const sliceSource = (fixture: SnapshotFixture) => ({ clusterId: fixture.clusterId, replicaSetName: 'source' });

  async function capturedUpTo(tail: ReturnType<typeof startTail>): Promise<bigint> {
    await until('the tailer has begun', async () => tail.last());
    const { operationTime } = await source()
      .client.db('admin')
      .command({ appendOplogNote: 1, data: { mark: 1 }, writeConcern: { w: 'majority' } });
    const wanted = timestampOf(operationTime);
    await until('the tailer has captured the mark', async () =>
      (tail.last()?.captured?.ts ?? 0n) >= wanted ? true : null,
    );
    return wanted;
  }

  async function expectOplog(fixture: SnapshotFixture, from: Optime, to: bigint): Promise<number> {
    const expected = await source()
      .client.db('local')
      .collection('oplog.rs')
      .find({}, { raw: true, sort: { $natural: 1 } })
      .toArray();
    const inRange = (expected as unknown as Buffer[]).filter((entry) => {
      const { ts } = readOplogEntry(Buffer.from(entry), 0);
      return ts > from.ts && ts <= to;
    });
    const captured: Buffer[] = [];
    for await (const entries of readSlices(fixture.repository, sliceSource(fixture), { from, to }))
      captured.push(entries);
    assert.deepEqual(Buffer.concat(captured), Buffer.concat(inRange.map((entry) => Buffer.from(entry))));
    return inRange.length;
  }

  async function startOf(fixture: SnapshotFixture): Promise<Optime> {
    const { runs } = await readCoverage(fixture.repository, sliceSource(fixture));
    const first = must(runs[0], 'a run').first;
    return { ts: first, term: await termAt(first) };
  }

  async function termAt(ts: bigint): Promise<bigint> {
    const entries = (await source()
      .client.db('local')
      .collection('oplog.rs')
      .find({}, { raw: true })
      .toArray()) as unknown as Buffer[];
    for (const raw of entries) {
      const entry = readOplogEntry(Buffer.from(raw), 0);
      if (entry.ts === ts) return entry.term;
    }
    return assert.fail('the entry is in the oplog');
  }

  test('what is captured is the oplog, byte for byte, across restarts of the tailer and the loss of members', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    const docs = source().client.db('tail').collection<{ _id: number; n: number }>('docs');
    let tail = startTail(fixture, source().uri);
    await until('the tailer has begun', async () => tail.last());
    for (let i = 0; i < 300; i++) await docs.insertOne({ _id: i, n: 0 });
    await capturedUpTo(tail);
    await tail.stop();
    await docs.updateMany({}, { $inc: { n: 1 } });
    tail = startTail(fixture, source().uri);
    await capturedUpTo(tail);
    const read = must(tail.last(), 'progress').host;
    await must(
      source().members.find((member) => member.address === read),
      'the member that is read',
    ).kill();
    await docs.deleteMany({ _id: { $lt: 100 } });
    await capturedUpTo(tail);
    assert.notEqual(tail.last()?.host, read);
    for (const member of source().members) if (!member.running) await member.restart();
    await source().whenComplete();
    await source().stepDown();
    await docs.insertOne({ _id: -1, n: 0 });
    const to = await capturedUpTo(tail);
    await tail.stop();
    const coverage = await readCoverage(fixture.repository, sliceSource(fixture));
    assert.equal(coverage.runs.length, 1, 'one run');
    assert.equal(coverage.gaps.length, 0);
    assert.ok((coverage.runs[0]?.slices.length ?? 0) >= 4);
    const entries = await expectOplog(fixture, await startOf(fixture), to);
    assert.ok(entries > 700, `${entries} entries`);
  });

  test('somebody who waits has the slice sealed, and how far it is behind is told while it is not', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    const docs = source().client.db('tail').collection('wanted');
    let wanted: bigint | null = null;
    const tail = startTail(fixture, source().uri, { ...QUICK, sliceMs: 3_600_000 }, () => wanted);
    const lags = new Set<number>();
    await until('the tailer is seconds behind', async () => {
      await docs.insertOne({ pad: 'x' });
      lags.add(tail.last()?.lagSeconds ?? 0);
      return [...lags].some((lag) => lag >= 2) ? true : null;
    });
    assert.equal(tail.last()?.slices, 0);
    const { operationTime } = await source()
      .client.db('admin')
      .command({ appendOplogNote: 1, data: { mark: 1 }, writeConcern: { w: 'majority' } });
    wanted = timestampOf(operationTime);
    await until('it is stored', async () =>
      (tail.last()?.captured?.ts ?? 0n) >= timestampOf(operationTime) ? true : null,
    );
    assert.equal(tail.last()?.slices, 1);
    await tail.stop();
  });

  test('a slice that is deleted, altered or cut is refused by name, and a range nobody captured is refused in words', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    const docs = source().client.db('tail').collection('more');
    const tail = startTail(fixture, source().uri);
    for (let i = 0; i < 5; i++) {
      await docs.insertMany(Array.from({ length: 50 }, () => ({ pad: 'x'.repeat(100) })));
      await capturedUpTo(tail);
    }
    const to = await capturedUpTo(tail);
    await tail.stop();
    const { store } = fixture.repository;
    const keys: string[] = [];
    for await (const info of store.list('oplog/')) keys.push(info.objectKey);
    const from = await startOf(fixture);
    const readAll = async () => {
      for await (const entries of readSlices(fixture.repository, sliceSource(fixture), { from, to })) {
        forEachDocument(entries, () => undefined);
      }
    };
    await readAll();
    const victim = must(keys[2], 'an inner slice');
    const original = await store.get(victim);
    await store.delete(victim);
    await assert.rejects(readAll(), (error) => error instanceof Fault && /without a gap/.test(error.message));
    for (const damaged of [
      original.subarray(0, original.length - 3),
      flipped(original, original.length - 1),
      flipped(original, 9),
    ]) {
      await store.put(victim, damaged);
      await assert.rejects(readAll(), (error) => error instanceof Damage && error.message.includes(victim));
      await store.delete(victim);
    }
    await store.put(victim, must(await store.get(must(keys[1], 'another')), 'its neighbor'));
    await assert.rejects(readAll(), Damage);
    await store.delete(victim);
    await store.put(victim, original);
    await readAll();
    await assert.rejects(async () => {
      const beyond = readSlices(fixture.repository, sliceSource(fixture), { from, to: to + (100n << 32n) });
      for await (const _ of beyond) assert.fail('nothing is given');
    }, Fault);
  });

  test('a history that does not go on from the last slice becomes a named gap and a new run', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    let tail = startTail(fixture, source().uri);
    await source().client.db('tail').collection('gap').insertOne({ a: 1 });
    const end = await capturedUpTo(tail);
    await tail.stop();
    const { runs } = await readCoverage(fixture.repository, sliceSource(fixture));
    await writeGap(fixture.repository, sliceSource(fixture), must(runs[0], 'a run').last, 'the oplog was overtaken');
    tail = startTail(fixture, source().uri);
    await source().client.db('tail').collection('gap').insertOne({ a: 2 });
    await capturedUpTo(tail);
    await tail.stop();
    const coverage = await readCoverage(fixture.repository, sliceSource(fixture));
    assert.equal(coverage.runs.length, 2);
    assert.deepEqual(
      coverage.gaps.map((gap) => gap.cause),
      ['the oplog was overtaken'],
    );
    assert.ok(end > 0n);
  });

  test('pruning never takes the slice that the tailer goes on from', async () => {
    const fixture = await SnapshotFixture.create(source().uri);
    let tail = startTail(fixture, source().uri);
    for (let i = 0; i < 3; i++) await capturedUpTo(tail);
    const end = await capturedUpTo(tail);
    await tail.stop();
    await deleteSlicesUpTo(fixture.repository, sliceSource(fixture), end + (1n << 32n));
    const left = await readCoverage(fixture.repository, sliceSource(fixture));
    assert.equal(left.runs[0]?.slices.length, 1);
    tail = startTail(fixture, source().uri);
    await capturedUpTo(tail);
    await tail.stop();
    assert.equal((await readCoverage(fixture.repository, sliceSource(fixture))).runs.length, 1, 'the run goes on');
    await deleteSlicesUpTo(fixture.repository, sliceSource(fixture), null);
    assert.equal((await readCoverage(fixture.repository, sliceSource(fixture))).runs.length, 0);
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] as number) ^ 0x10;
  return copy;
}
