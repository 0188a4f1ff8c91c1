import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { type Document, Timestamp } from 'mongodb';
import { compareTruth } from '../../../test/support/compare.ts';
import { type ReplicaSet, useReplicaSet } from '../../../test/support/replica-set.ts';
import { SnapshotFixture } from '../../../test/support/snapshot-fixture.ts';
import { Tailing } from '../../../test/support/tailing.ts';
import { readTruth } from '../../../test/support/truth.ts';
import { Cancelled, CancelledHalfway } from '../../lib/errors.ts';
import { oplogAfter } from '../replay/slice-oplog.ts';

const ID_INDEX = { v: 1, key: { _id: 1 }, name: '_id_' };
/** A server's feature compatibility version before its own, and its own. */
const FORMER_VERSIONS: Record<string, readonly [string, string]> = { '5.0': ['4.4', '5.0'], '6.0': ['5.0', '6.0'] };
const TRIAL = 'tidemark_preflight';

describe('what is known before a target is cleared', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target' });
  after(() => Tailing.stopAll());

  /** Made as oplogs of long ago make them. */
  async function createByOplog(name: string, options: Document): Promise<void> {
    const operation = { op: 'c', ns: 'old.$cmd', o: { create: name, ...options } };
    await source()
      .client.db('admin')
      .command({ applyOps: [operation] });
  }

  test('indexes of version 1 are restored as such, under a collation too', async () => {
    const db = source().client.db('old');
    await createByOplog('said', { idIndex: ID_INDEX });
    await createByOplog('not said', {});
    await createByOplog('collated', { collation: { locale: 'en' }, idIndex: ID_INDEX });
    await createByOplog('collated, not said', { collation: { locale: 'en' } });
    await db.createCollection('default', { collation: { locale: 'en' } });
    const indexes = [
      { v: 1, key: { b: 5 }, name: 'old' },
      { v: 2, key: { c: 5 }, name: 'as the collection' },
      { v: 2, key: { d: 1 }, name: 'simple', collation: { locale: 'simple' } },
    ];
    await db.command({ createIndexes: 'default', indexes });
    await db.collection('default').insertOne({ b: 'x' });
    const fixture = await SnapshotFixture.create(source().uri);
    await fixture.take();
    const expected = await readTruth(source().client, null);
    await fixture.restore(target().uri);
    assert.deepEqual(compareTruth(expected, await readTruth(target().client, null)), []);
  });

  test('a restore that is cancelled once its target was cleared says that the target is incomplete; before, that it was cancelled', async () => {
    await source().client.db('shop').collection('b').insertOne({ n: 1 });
    const fixture = await SnapshotFixture.create(source().uri);
    await fixture.take();
    const cancelledIn = async (wanted: string) => {
      const cancel = new AbortController();
      const report = ({ phase }: { phase: string }) => {
        if (phase === wanted) cancel.abort(new Cancelled());
      };
      return await fixture.restore(target().uri, fixture.last, { signal: cancel.signal, report }).then(
        () => assert.fail('it was cancelled'),
        (error: Error) => error,
      );
    };
    const early = await cancelledIn('checking the target');
    assert.ok(early instanceof Cancelled && !(early instanceof CancelledHalfway), String(early));
    const late = await cancelledIn('loading documents');
    assert.ok(late instanceof CancelledHalfway, String(late));
    assert.match(late.message, /cancelled while loading documents and left the target incomplete\. Restore again/);
    await fixture.restore(target().uri);
  });

  test('something else that writes to the target is named as that, whatever it does', async () => {
    const shop = source().client.db('shop');
    await shop.dropDatabase();
    await shop.collection<{ _id: number; n: number }>('docs').insertMany([
      { _id: 1, n: 1 },
      { _id: 2, n: 2 },
    ]);
    await shop.collection('docs').createIndex({ n: 1 }, { unique: true });
    await shop.collection('late').insertOne({ n: 1 });
    const fixture = await SnapshotFixture.create(source().uri);
    await fixture.take();
    const docs = target().client.db('shop').collection<{ _id: number; n: number }>('docs');
    const pause = (command: string) => ({ failCommands: [command], blockConnection: true, blockTimeMS: 400 });
    const writers = [
      { command: 'insert', phase: 'loading documents', namespace: 'shop.docs', document: { _id: 1, n: 7 } },
      { command: 'createIndexes', phase: 'building indexes', namespace: 'shop.docs', document: { _id: 7, n: 1 } },
      { command: 'create', phase: 'creating collections', namespace: 'shop.docs', document: { _id: 7, n: 7 } },
    ];
    const admin = target().client.db('admin');
    for (const { command, phase, namespace, document } of writers) {
      // Only what the restore itself asks for waits: the intruder is quicker.
      const data = { ...pause(command), namespace, appName: 'tidemark' };
      let intrusion: Promise<unknown> | null = null;
      await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
      const report = (progress: { phase: string }) => {
        if (progress.phase === phase) intrusion ??= docs.insertOne(document);
      };
      try {
        await assert.rejects(
          fixture.restore(target().uri, fixture.last, { report }),
          /left the target incomplete: something else writes to shop\.docs on the target while it is being restored/,
          command,
        );
        await intrusion;
      } finally {
        await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
      }
    }
    await fixture.restore(target().uri);
    assert.equal(await docs.countDocuments(), 2);
  });

  test('a target of an older feature compatibility version takes what is of that version, and a later point is refused before it is touched', async (t) => {
    const { version } = await source().client.db('admin').command({ buildInfo: 1 });
    const versions = FORMER_VERSIONS[String(version).slice(0, 3)];
    if (versions === undefined) return t.skip(`nothing is known of the versions that ${version} takes`);
    const [older, newer] = versions;
    const become = async (set: ReplicaSet, setFeatureCompatibilityVersion: string) =>
      await set.client.db('admin').command({ setFeatureCompatibilityVersion });
    for (const set of [source(), target()]) await become(set, older);
    const fixture = await SnapshotFixture.create(source().uri);
    const tailing = new Tailing(source(), { repository: fixture.repository, clusterId: fixture.clusterId });
    await tailing.begun();
    const zeros = source().client.db('shop').collection('zeros');
    await zeros.insertOne({ n: 1 });
    await zeros.updateOne({ n: 1 }, { $set: { at: new Timestamp({ t: 0, i: 0 }) } });
    const { header } = await fixture.take();
    const expected = await readTruth(source().client, null);
    await fixture.restore(target().uri);
    assert.deepEqual(compareTruth(expected, await readTruth(target().client, null)), []);
    await become(source(), newer);
    const ts = await tailing.mark();
    await tailing.stop();
    const { signal } = new AbortController();
    const pointInTime = {
      end: { ts, inclusive: true },
      source: await oplogAfter(fixture.repository, header, ts, signal),
    };
    const before = await readTruth(target().client, null);
    await assert.rejects(
      fixture.restore(target().uri, fixture.last, { pointInTime }),
      /\(feature compatibility \d\.0\) cannot be restored to mongod [\d.]+ \(feature compatibility \d\.[04]\)/,
    );
    assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), []);
    await become(target(), newer);
    await fixture.restore(target().uri, fixture.last, { pointInTime });
  });

  /** What the target's server refuses, and what is said then. */
  const refusals: { name: string; command: string; errorCode: number; collection: string; says: RegExp }[] = [
    {
      name: 'options of a collection',
      command: 'create',
      errorCode: 72,
      collection: TRIAL,
      says: /no collection like/,
    },
    {
      name: 'an index, for want of a right',
      command: 'createIndexes',
      errorCode: 13,
      collection: TRIAL,
      says: /no collection like old\.default/,
    },
    {
      name: 'an expiry, for want of a right',
      command: 'collMod',
      errorCode: 13,
      collection: TRIAL,
      says: /no time series like shop\.series/,
    },
  ];

  for (const { name, command, errorCode, collection, says } of refusals) {
    test(`${name} that the target refuses: said before it is touched`, async () => {
      const db = source().client.db('shop');
      await db.dropDatabase();
      await db.collection('a').createIndex({ n: 1 });
      await db.createCollection('series', { timeseries: { timeField: 't' }, expireAfterSeconds: 1_000_000 });
      await db.createCollection('view', { viewOn: 'a', pipeline: [] });
      const fixture = await SnapshotFixture.create(source().uri);
      await fixture.take();
      const held = target().client.db('held');
      await held.collection('docs').insertOne({ kept: name });
      const before = await readTruth(target().client, null);
      const admin = target().client.db('admin');
      const data = { failCommands: [command], errorCode, namespace: `${TRIAL}.${collection}` };
      await admin.command({ configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
      try {
        await assert.rejects(fixture.restore(target().uri), (error: Error) => {
          assert.match(error.message, says);
          assert.match(error.message, /no data of it was touched/);
          return true;
        });
      } finally {
        await admin.command({ configureFailPoint: 'failCommand', mode: 'off' });
      }
      assert.deepEqual(compareTruth(before, await readTruth(target().client, null)), []);
      await fixture.restore(target().uri);
      const names = (await admin.command({ listDatabases: 1, nameOnly: true })).databases as { name: string }[];
      assert.ok(!names.some((found) => found.name === TRIAL), 'nothing is left of the trial');
    });
  }
});
