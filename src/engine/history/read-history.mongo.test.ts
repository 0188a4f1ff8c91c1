import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { BSON, type Collection, Timestamp } from 'mongodb';
import { useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { Tailing } from '../../../test/support/tailing.ts';
import { parseNamespace } from '../../bson/namespace.ts';
import { type Timestamp64, timestampOf } from '../../bson/timestamp.ts';
import { Damage } from '../../lib/errors.ts';
import { writeGap } from '../../repository/slices.ts';
import type { DocumentVersion, HistoryItem } from './history-item.ts';
import { putDocument } from './put-document.ts';
import { type HistorySnapshot, readHistory } from './read-history.ts';

after(() => Tailing.stopAll());

const ID = Buffer.from([0x10, 7, 0, 0, 0]);
const EVER = (1n << 63n) - 1n;

describe('the history of a document', () => {
  const source = useReplicaSet({ name: 'source' });

  /** A captured source with its snapshots, and what its document really was. */
  class Recorded {
    readonly fixture: SnapshotFixture;
    readonly snapshots: HistorySnapshot[] = [];
    readonly versions: { operation: string; document: Buffer | null }[] = [];
    tail: Tailing;
    readonly #db: string;

    constructor(fixture: SnapshotFixture, db: string) {
      this.fixture = fixture;
      this.#db = db;
      this.tail = new Tailing(source(), fixture);
    }

    static async begin(db: string): Promise<Recorded> {
      return new Recorded(await SnapshotFixture.create(source().uri), db);
    }

    get docs(): Collection<{ _id: number; [name: string]: unknown }> {
      return this.collection('docs');
    }

    collection(name: string): Collection<{ _id: number; [name: string]: unknown }> {
      return source().client.db(this.#db).collection(name);
    }

    async take(): Promise<Timestamp64> {
      const { header } = await this.fixture.take();
      const ts = timestampOf(header.clusterTime);
      this.snapshots.push({ id: header.snapshotId, ts });
      return ts;
    }

    /** Does something and notes what it made of the document with the id 7 of a collection. */
    async step(operation: string, act: () => Promise<unknown>, name = 'docs'): Promise<void> {
      await act();
      const found = await this.collection(name).findOne({ _id: 7 }, { raw: true });
      this.versions.push({ operation, document: found === null ? null : Buffer.from(found as unknown as Uint8Array) });
    }

    async history(window: { from?: bigint; to?: bigint; id?: Buffer; name?: string } = {}): Promise<HistoryItem[]> {
      const items: HistoryItem[] = [];
      for await (const item of readHistory({
        repository: this.fixture.repository,
        source: { clusterId: this.fixture.clusterId, replicaSetName: 'source' },
        namespace: parseNamespace(`${this.#db}.${window.name ?? 'docs'}`),
        id: window.id ?? ID,
        snapshots: this.snapshots,
        from: window.from ?? 0n,
        to: window.to ?? EVER,
        signal: new AbortController().signal,
        report: () => undefined,
      }))
        items.push(item);
      return items;
    }

    /** The versions that were told are those that were, byte for byte. */
    expectVersions(items: readonly HistoryItem[]): DocumentVersion[] {
      const told = items.filter((item) => item.kind === 'version');
      const show = ({ operation, document }: { operation: string; document: Buffer | null }) =>
        `${operation} ${document === null ? 'nothing' : document.toString('hex')}`;
      assert.deepEqual(told.map(show), this.versions.map(show));
      return told;
    }
  }

  test('tells every version byte for byte: writes of all kinds, transactions, drops, renames and what came instead', async () => {
    const recorded = await Recorded.begin('whole');
    const { docs } = recorded;
    await recorded.tail.mark();
    await recorded.step('insert', () => docs.insertOne({ _id: 7, a: 1, list: [1, 2, 3], deep: { x: { y: 1 } } }));
    await docs.insertMany([{ _id: 8 }, { _id: 9 }]);
    await recorded.step('update', () =>
      docs.updateOne({ _id: 7 }, { $set: { 'deep.x.y': 2, b: 'new' }, $push: { list: 4 } } as never),
    );
    await recorded.take();
    await recorded.step('replace', () => docs.replaceOne({ _id: 7 }, { z: 1, a: 2 }));
    await recorded.step('delete', () => docs.deleteOne({ _id: 7 }));
    await docs.updateMany({}, { $set: { other: 1 } });
    await recorded.step('insert', async () => {
      const session = source().client.startSession();
      await session.withTransaction(async () => {
        await docs.insertOne({ _id: 7, from: 'a transaction' }, { session });
        await docs.insertOne({ _id: 70, pad: 'x' }, { session });
      });
      await session.endSession();
    });
    const aborted = source().client.startSession();
    aborted.startTransaction();
    await docs.updateOne({ _id: 7 }, { $set: { never: true } }, { session: aborted });
    await aborted.abortTransaction();
    await aborted.endSession();
    await recorded.step('renameCollection', () => docs.rename('moved'), 'moved');
    await recorded.step(
      'update',
      () => recorded.collection('moved').updateOne({ _id: 7 }, { $inc: { n: 1 } } as never),
      'moved',
    );
    // Another collection gets the name, which had the document under its own name before.
    await recorded.collection('staged').insertOne({ _id: 7, staged: 1 });
    await recorded.collection('staged').updateOne({ _id: 7 }, { $set: { staged: 2 } });
    await recorded.step('renameCollection', () => recorded.collection('staged').rename('docs'));
    await recorded.step('dropCollection', () => docs.drop());
    await recorded.step('insert', () => docs.insertOne({ _id: 7, again: true }));
    await recorded.tail.mark();
    await recorded.tail.stop();

    const items = await recorded.history();
    const told = recorded.expectVersions(items);
    assert.deepEqual(
      items.filter((item) => item.kind === 'unknown').map(({ from, to }) => [from === null, to === null]),
      [
        [true, false],
        [false, true],
      ],
      'unknown is what came before and what comes after the capture',
    );
    const inTransaction = told.filter(({ transaction }) => transaction !== null);
    assert.deepEqual(
      inTransaction.map(({ operation, document }) => [operation, BSON.deserialize(document as Buffer).from]),
      [['insert', 'a transaction']],
    );
    assert.deepEqual(new Set(told.map(({ namespace }) => namespace)), new Set(['whole.docs', 'whole.moved']));

    // From any moment on: what was in force then, and what came after.
    for (const [index, version] of told.entries()) {
      const later = (await recorded.history({ from: version.at })).filter((item) => item.kind === 'version');
      const wanted = told.slice(index);
      assert.deepEqual(later.slice(-wanted.length), wanted, `from version ${index}`);
    }
    // The same id as another type of number; and one that never was.
    assert.equal((await recorded.history({ id: doubleId(7) })).length, items.length);
    assert.ok(
      (await recorded.history({ id: doubleId(7.5) })).every(
        (item) => item.kind === 'unknown' || item.content === 'absent',
      ),
    );
  });

  test('says what it does not know: before the first snapshot, in a gap, between snapshots', async () => {
    const before = source().client.db('gaps').collection<{ _id: number }>('docs');
    await before.insertMany([{ _id: 7 }, { _id: 8 }], { writeConcern: { w: 'majority' } });
    const recorded = await Recorded.begin('gaps');
    const { docs } = recorded;
    await recorded.tail.begun();
    await docs.updateOne({ _id: 7 }, { $set: { n: 1 } });
    await recorded.tail.mark();
    await recorded.take();
    await docs.updateOne({ _id: 7 }, { $set: { n: 2 } });
    const end = await recorded.tail.mark();
    await recorded.tail.stop();
    await writeGap(
      recorded.fixture.repository,
      { clusterId: recorded.fixture.clusterId, replicaSetName: 'source' },
      end,
      'the oplog was overtaken',
    );
    await docs.updateOne({ _id: 7 }, { $set: { n: 3 } });
    await docs.deleteOne({ _id: 8 }, { writeConcern: { w: 'majority' } });
    recorded.tail = new Tailing(source(), recorded.fixture);
    await recorded.tail.mark();
    await docs.updateOne({ _id: 7 }, { $set: { n: 4 } });
    await recorded.tail.mark();
    await recorded.take();
    await recorded.tail.mark();
    await recorded.tail.stop();
    await docs.updateOne({ _id: 7 }, { $set: { n: 5 } });
    await recorded.take();

    const shown = (await recorded.history()).map((item) => {
      if (item.kind === 'unknown') return `unknown: ${item.cause}`;
      const content = item.document === null ? item.content : String(BSON.deserialize(item.document).n);
      return `${item.operation}: ${content}`;
    });
    assert.deepEqual(shown, [
      'unknown: nothing was captured before',
      'update: unknown',
      'snapshot: 1',
      'update: 2',
      'unknown: the oplog was overtaken',
      'update: unknown',
      'snapshot: 4',
      'unknown: the oplog was not captured',
      'snapshot: 5',
      'unknown: the oplog was not captured',
    ]);
    // In the gap nothing is in force that was known before it.
    const [inGap, ...others] = await recorded.history({ from: end + 1n, to: end + 1n });
    assert.deepEqual([inGap?.kind, others], ['unknown', []]);
  });

  test('refuses damaged slices by name, and writes one version back, byte for byte', async () => {
    const recorded = await Recorded.begin('back');
    const { docs } = recorded;
    await recorded.tail.mark();
    await docs.insertOne({ _id: 7, zero: new Timestamp({ t: 0, i: 0 }), '10': 1, '2': 2 });
    // An insert fills the field; only this makes it empty.
    await docs.updateOne({ _id: 7 }, [{ $set: { zero: { $literal: new Timestamp({ t: 0, i: 0 }) } } }]);
    await recorded.tail.mark();
    await recorded.take();
    await docs.deleteOne({ _id: 7 });
    await recorded.tail.mark();
    await recorded.tail.stop();
    const versions = (await recorded.history()).filter((item) => item.kind === 'version');
    const lost = versions.at(-2)?.document;
    assert.ok(versions.at(-1)?.content === 'absent' && lost);
    const into = { uri: source().uri, document: lost, signal: new AbortController().signal };
    const put = (name: string, overwrite: boolean) =>
      putDocument({ ...into, namespace: { db: 'back', name }, overwrite });
    const read = async (name: string) =>
      Buffer.from((await recorded.collection(name).findOne({ _id: 7 }, { raw: true })) as unknown as Uint8Array);
    assert.equal(await put('docs', false), 'inserted');
    assert.ok((await read('docs')).equals(lost));
    assert.equal(await put('docs', false), 'exists');
    await docs.updateOne({ _id: 7 }, { $set: { changed: 1 } });
    assert.equal(await put('docs', true), 'replaced');
    assert.ok((await read('docs')).equals(lost));
    assert.equal(await put('elsewhere', true), 'inserted');
    assert.ok((await read('elsewhere')).equals(lost));
    await assert.rejects(
      putDocument({ ...into, namespace: { db: 'admin', name: 'system.users' }, overwrite: true }),
      /own/,
    );

    const { store } = recorded.fixture.repository;
    for await (const { objectKey } of store.list('oplog/')) {
      const whole = await store.get(objectKey);
      await store.delete(objectKey);
      await store.put(objectKey, whole.subarray(0, whole.length - 5));
      await assert.rejects(recorded.history(), (error) => error instanceof Damage && error.message.includes(objectKey));
      break;
    }
  });
});

function doubleId(value: number): Buffer {
  const id = Buffer.alloc(9, 0x01);
  id.writeDoubleLE(value, 1);
  return id;
}
