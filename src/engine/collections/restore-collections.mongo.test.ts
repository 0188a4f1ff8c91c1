import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BSON, type Db } from 'mongodb';
import { altered } from '../../../test/support/altered-manifest.ts';
import { compareTruth } from '../../../test/support/compare.ts';
import { MemoryJournal } from '../../../test/support/memory-journal.ts';
import { ReplicaSet, useReplicaSet } from '../../../test/support/replica-set.ts';
import {
  besides,
  type CollectionRun,
  renamed,
  restoreChosen,
  type Wanted,
} from '../../../test/support/restored-collections.ts';
import { serverIs } from '../../../test/support/server-version.ts';
import { SnapshotRig } from '../../../test/support/snapshot-rig.ts';
import { readTruth, type Truth } from '../../../test/support/truth.ts';
import { isAbort } from '../../lib/abort.ts';
import { must } from '../../lib/assert.ts';
import type { Manifest } from '../../repository/format/manifest.ts';
import { describeLeftOut, type LeftOutSummary } from '../left-out.ts';
import type { TakenSnapshot } from '../take/take-snapshot.ts';

const source = useReplicaSet({ name: 'source', cacheGb: 1, setParameters: { ttlMonitorEnabled: false } });
const target = useReplicaSet({ name: 'target', cacheGb: 1, setParameters: { ttlMonitorEnabled: false } });

const restore = (rig: SnapshotRig, taken: TakenSnapshot, wanted: Wanted, run: CollectionRun = {}) =>
  restoreChosen(rig, taken, wanted, { uri: target().uri, ...run });

/** That the target has `names` as the source's truth has them, and everything else as it was before. */
async function expectOnly(expected: Truth, before: Truth, names: Record<string, string>): Promise<void> {
  assert.deepEqual(compareTruth(besides(before, renamed(expected, names)), await now()), []);
}

const now = async () => await readTruth(target().client, null);

async function fill(db: Db): Promise<void> {
  await db
    .collection('orders')
    .insertMany(Array.from({ length: 300 }, (_, n) => ({ _id: n as never, n, who: `w${n % 7}` })));
  await db.collection('orders').createIndexes([
    { key: { who: 1 }, name: 'who' },
    { key: { n: 1 }, name: 'n', unique: true },
    { key: { at: 1 }, name: 'ttl', expireAfterSeconds: 3600 },
  ]);
  await db.createCollection('empty', { collation: { locale: 'de' } });
  await db.createCollection('capped', { capped: true, size: 65_536, max: 20 });
  await db.collection('capped').insertMany(Array.from({ length: 40 }, (_, n) => ({ _id: n as never, n })));
  // An ordinary one where the server has no clustered collections: only those can expire by an option.
  const clustered = { clusteredIndex: { key: { _id: 1 }, unique: true }, expireAfterSeconds: 86_400 };
  await db.createCollection('clustered', serverIs('6.0') ? clustered : {});
  await db.collection('clustered').insertMany(Array.from({ length: 30 }, (_, n) => ({ _id: new Date(n) as never, n })));
  await db.createCollection('series', { timeseries: { timeField: 't', metaField: 'm' }, expireAfterSeconds: 86_400 });
  await db
    .collection('series')
    .insertMany(Array.from({ length: 50 }, (_, n) => ({ t: new Date(n * 1000), m: n % 3, n })));
  await db.collection('series').createIndex({ m: 1, t: 1 }, { name: 'mt' });
  await db.createCollection('recent', { viewOn: 'orders', pipeline: [{ $match: { n: { $gt: 200 } } }] });
  await db.createCollection('newest', { viewOn: 'recent', pipeline: [{ $match: { n: { $gt: 250 } } }] });
  await db.createCollection('checked', { validator: { n: { $type: 'int' } } });
  await db.collection('checked').insertOne({ _id: 1 as never, n: 'no int' }, { bypassDocumentValidation: true });
}

const ORDINARY = ['orders', 'empty', 'capped', 'clustered', 'checked'];
const ALL = [...ORDINARY, 'series', 'system.buckets.series', 'recent', 'newest'];

const names = (list: readonly string[], from: string, to: string, suffix = '') =>
  Object.fromEntries(list.map((name) => [`${from}.${name}`, `${to}.${name}${suffix}`]));

async function clearTarget(): Promise<void> {
  for (const { name } of (await target().client.db().admin().listDatabases()).databases) {
    if (!['admin', 'config', 'local'].includes(name)) await target().client.db(name).dropDatabase();
  }
}

let rig: SnapshotRig;
let taken: TakenSnapshot;
let truth: Truth;
let filled = false;

/** The source is filled and taken once; the target is cleared before every test. */
async function prepare(): Promise<void> {
  await clearTarget();
  if (filled) return;
  rig = await SnapshotRig.create({ chunker: { targetBytes: 4096, minBytes: 1024, maxBytes: 8192 } as never });
  await fill(source().client.db('shop'));
  await source()
    .client.db('other')
    .collection('left')
    .insertOne({ _id: 1 as never });
  taken = await rig.take(source().uri);
  truth = await readTruth(source().client, null);
  filled = true;
}

describe('create new', () => {
  test('a whole database, of every kind of collection, beside what is there', async () => {
    await prepare();
    await target()
      .client.db('mine')
      .collection('kept')
      .insertOne({ _id: 1 as never });
    const before = await now();
    const { journal, result } = await restore(rig, taken, { databases: { shop: 'shop' } });
    await expectOnly(truth, before, names(ALL, 'shop', 'shop'));
    assert.deepEqual(new Set(Object.values(journal.states())), new Set(['SUCCESSFUL']));
    assert.deepEqual(
      journal.records.map(({ source: name }) => name).sort(),
      [...ORDINARY, 'series', 'recent', 'newest'].map((name) => `shop.${name}`).sort(),
    );
    assert.equal(journal.of('shop.orders').restoredDocuments, 300);
    const buckets = truth.collections.get('shop.system.buckets.series')?.documents?.size;
    assert.equal(journal.of('shop.series').restoredDocuments, buckets);
    assert.equal(journal.of('shop.orders').indexState, 'SUCCESSFUL');
    assert.equal(result.collections, 8);
  });

  test('a database whose name is taken comes under another, its views with it', async () => {
    await prepare();
    await target()
      .client.db('shop')
      .collection('orders')
      .insertOne({ _id: 'mine' as never });
    const before = await now();
    const { journal } = await restore(rig, taken, { databases: { shop: 'shop' } });
    await expectOnly(truth, before, names(ALL, 'shop', 'shop_restored'));
    assert.equal(journal.of('shop.recent').effectiveTarget, 'shop_restored.recent');
  });

  test('suffixes name databases and collections, and a view follows its collection', async () => {
    await prepare();
    const { journal } = await restore(rig, taken, { databases: { shop: 'shop_old' }, collectionSuffix: '_x' });
    const expected = renamed(truth, names(ORDINARY, 'shop', 'shop_old', '_x'));
    const actual = await now();
    assert.deepEqual(compareTruth(expected, actual, { skip: (name) => !expected.collections.has(name) }), []);
    const view = must(actual.collections.get('shop_old.newest_x'), 'the view is there');
    assert.equal(BSON.deserialize(view.options).viewOn, 'recent_x');
    assert.equal(journal.of('shop.series').effectiveTarget, 'shop_old.series_x');
    const series = target().client.db('shop_old').collection('series_x');
    assert.equal(await series.countDocuments(), 50);
  });

  test('collections under names of their own; a name that is taken is changed', async () => {
    await prepare();
    await target()
      .client.db('d')
      .collection('a')
      .insertOne({ _id: 1 as never });
    await target().client.db('d').createCollection('b', { viewOn: 'a', pipeline: [] });
    const before = await now();
    const wanted = { 'shop.orders': 'd.a', 'shop.capped': 'd.b', 'other.left': 'd.c', 'shop.series': 'e.s' };
    const { journal } = await restore(rig, taken, { collections: wanted });
    await expectOnly(truth, before, {
      'shop.orders': 'd.a_restored',
      'shop.capped': 'd.b_restored',
      'other.left': 'd.c',
      'shop.series': 'e.s',
      'shop.system.buckets.series': 'e.system.buckets.s',
    });
    assert.equal(journal.of('shop.orders').target, 'd.a');
    assert.equal(journal.of('shop.orders').effectiveTarget, 'd.a_restored');
  });

  test('a name that somebody takes while documents are loaded', async () => {
    await prepare();
    const journal = new MemoryJournal();
    journal.beforeChange = async (_source, { state }) => {
      if (state === 'FINALIZING')
        await target()
          .client.db('d')
          .collection('a')
          .insertOne({ _id: 1 as never });
    };
    const { result } = await restore(rig, taken, { collections: { 'shop.orders': 'd.a' } }, { journal });
    assert.equal(result.documents, 300);
    assert.equal(journal.of('shop.orders').effectiveTarget, 'd.a_restored');
    assert.equal(await target().client.db('d').collection('a').countDocuments(), 1);
  });
});

describe('overwrite existing', () => {
  const overwrite = { writeStrategy: 'overwriteExisting' } as const;

  test('what has a wanted name is replaced, whatever it is, and nothing else', async () => {
    await prepare();
    const db = target().client.db('shop');
    await db.collection('orders').insertMany([{ _id: 1 as never, mine: 1 }, { _id: 'x' as never }]);
    await db.collection('orders').createIndex({ mine: 1 });
    await db.createCollection('series', { timeseries: { timeField: 'other' } });
    await db.collection('series').insertOne({ other: new Date(1000) });
    await db.createCollection('capped', { viewOn: 'orders', pipeline: [] });
    await db.collection('recent').insertOne({ _id: 1 as never });
    await db.createCollection('empty', { timeseries: { timeField: 't' } });
    await db.createCollection('newest', { viewOn: 'capped', pipeline: [] });
    await db.collection('not_in_the_backup').insertOne({ _id: 1 as never });
    const before = await now();
    before.collections.delete('shop.system.buckets.empty');
    await restore(rig, taken, { databases: { shop: 'shop' } }, overwrite);
    await expectOnly(truth, before, names(ALL, 'shop', 'shop'));
  });

  test('nothing is missing until all is loaded', async () => {
    await prepare();
    const db = target().client.db('shop');
    await db.collection('orders').insertOne({ _id: 'mine' as never });
    await db.createCollection('series', { timeseries: { timeField: 't' } });
    const before = await now();
    const journal = new MemoryJournal();
    journal.beforeStep = (step) => {
      if (step === 'placing') throw new Error('stop here');
    };
    await assert.rejects(restore(rig, taken, { databases: { shop: 'shop' } }, { ...overwrite, journal }), /stop here/);
    assert.deepEqual(compareTruth(before, await now()), []);
    assert.deepEqual(new Set(Object.values(journal.states())), new Set(['NOT_RESTORED']));
  });
});

describe('indexes', () => {
  const collections = { 'shop.orders': 'd.orders', 'shop.clustered': 'd.clustered', 'shop.series': 'd.series' };
  const listed = async () =>
    Object.fromEntries(
      [...(await now()).collections].map(([name, { indexes, options }]) => [
        name,
        { indexes: [...indexes.keys()].sort(), expires: 'expireAfterSeconds' in BSON.deserialize(options) },
      ]),
    );

  test('none', async () => {
    await prepare();
    const { journal, result } = await restore(rig, taken, { collections }, { indexStrategy: 'none' });
    const found = await listed();
    assert.deepEqual(found['d.orders'], { indexes: ['_id_'], expires: false });
    assert.equal(found['d.clustered']?.expires, false);
    assert.equal(found['d.series']?.expires, false);
    assert.equal(result.indexes, 0);
    assert.equal(journal.of('shop.orders').indexState, 'NOT_RESTORED');
  });

  test('all except those by which documents expire', async () => {
    await prepare();
    await restore(rig, taken, { collections }, { indexStrategy: 'allExceptTtl' });
    const found = await listed();
    assert.deepEqual(found['d.orders'], { indexes: ['_id_', 'n', 'who'], expires: false });
    assert.deepEqual(found['d.system.buckets.series'], { indexes: ['mt'], expires: false });
    assert.equal(found['d.clustered']?.expires, false);
  });

  const twice = 'who';
  /** A unique index that the data violate, an option and a view stage of a server to come. */
  const impossible = (manifest: Manifest) =>
    altered(manifest, {
      'shop.orders': { indexes: (index) => void (index.name === twice && Object.assign(index, { unique: true })) },
      'shop.checked': { info: ({ options }) => void Object.assign(options, { fancy: 1 }) },
      'shop.newest': { info: ({ options }) => void Object.assign(options, { pipeline: [{ $fancy: 1 }] }) },
    });
  const lost = ['index who of shop.orders', 'option fancy of shop.checked', 'view shop.newest'];
  const shown = (leftOut: LeftOutSummary) =>
    leftOut.named.map((one) => describeLeftOut({ ...one, problem: '' })).sort();

  test('what the target refuses does not cost the rest: new collections come without it, and it is named', async () => {
    await prepare();
    const before = await now();
    const { journal, result } = await restore(rig, taken, { databases: { shop: 'd' } }, { alter: impossible });
    assert.deepEqual(shown(result.leftOut), lost);
    const views = ['newest'];
    const rest = ALL.filter((name) => !views.includes(name));
    const expected = besides(before, renamed(truth, names(rest, 'shop', 'd')));
    const differences = compareTruth(expected, await now());
    assert.ok(differences.length > 0, 'an index is missing');
    for (const line of differences) assert.match(line, /^d\.orders: .*index.*who/);
    const orders = journal.of('shop.orders');
    assert.deepEqual([orders.state, orders.indexState, orders.restoredDocuments], ['SUCCESSFUL', 'FAILED', 300]);
    assert.match(orders.indexError ?? '', /^index who of shop\.orders \(.*E11000/);
    assert.deepEqual([journal.of('shop.newest').state, journal.of('shop.recent').state], ['FAILED', 'SUCCESSFUL']);
  });

  test('a collection that lacks an index does not replace the one that is there; the others are replaced', async () => {
    await prepare();
    const d = target().client.db('d');
    await d.collection('orders').insertOne({ _id: 'mine' as never });
    await d.collection('capped').insertOne({ _id: 'mine' as never });
    const before = await now();
    const overwrite = { alter: impossible, writeStrategy: 'overwriteExisting' } as const;
    const two = { collections: { 'shop.orders': 'd.orders', 'shop.capped': 'd.capped' } };
    const { journal, result } = await restore(rig, taken, two, overwrite);
    assert.deepEqual(shown(result.leftOut), lost.slice(0, 1));
    await expectOnly(truth, before, { 'shop.capped': 'd.capped' });
    assert.deepEqual(journal.states(), { 'shop.orders': 'INDEX_BUILD_FAILED', 'shop.capped': 'SUCCESSFUL' });
    assert.deepEqual(
      [journal.of('shop.orders').indexState, journal.of('shop.orders').restoredDocuments],
      ['FAILED', 0],
    );

    // Alone it has failed.
    const then = await now();
    const alone = restore(rig, taken, { collections: { 'shop.orders': 'd.orders' } }, overwrite);
    await assert.rejects(alone, /failed while building indexes; the target is as it was before: index who .*E11000/);
    assert.deepEqual(compareTruth(then, await now()), []);
  });
});

describe('refused before the target is touched', () => {
  async function refused(wanted: Wanted, message: RegExp, run: CollectionRun = {}): Promise<MemoryJournal> {
    await prepare();
    await target()
      .client.db('shop')
      .collection('orders')
      .insertOne({ _id: 'mine' as never });
    const before = await now();
    const journal = new MemoryJournal();
    await assert.rejects(restore(rig, taken, wanted, { ...run, journal }), { name: 'Fault', message });
    assert.deepEqual(compareTruth(before, await now()), []);
    return journal;
  }

  test('names that the backup does not have', async () => {
    const wanted = { collections: { 'shop.orders': 'shop.orders', 'shop.none': 'shop.none' }, databases: { no: 'no' } };
    const journal = await refused(wanted, /^no is not in the backup, which has .+ \(and 1 more\)/);
    assert.deepEqual(journal.states(), { 'shop.orders': 'NOT_RESTORED', no: 'NOT_FOUND', 'shop.none': 'NOT_FOUND' });
  });

  test('names that cannot be', async () => {
    await refused(
      { collections: { 'shop.orders': 'd.x', 'shop.capped': 'd.x' } },
      /shop\.orders and shop\.capped would both get it/,
    );
    await refused({ collections: { 'shop.orders': 'SHOP.x' } }, /may not differ in case alone/);
    await refused({ collections: { 'shop.orders': `d.${'x'.repeat(254)}` } }, /more than 255 bytes/);
  });

  test('a sharded cluster', async () => {
    const config = await ReplicaSet.start({ name: 'cfg', args: ['--configsvr'] });
    try {
      await refused({ databases: { shop: 'shop' } }, /leads to a sharded cluster/, { uri: config.uri });
    } finally {
      await config.stop();
    }
  });
});

describe('a process that dies', () => {
  const wanted = { collections: { 'shop.orders': 'd.orders', 'shop.series': 'd.series', 'shop.newest': 'd.newest' } };
  const expected = {
    'shop.orders': 'd.orders',
    'shop.series': 'd.series',
    'shop.newest': 'd.newest',
    'shop.system.buckets.series': 'd.system.buckets.series',
  };

  /** Throws before the step of that number and at every step after it, so that nothing can be cleared away either. */
  function dyingAt(number: number): MemoryJournal {
    const journal = new MemoryJournal();
    let steps = 0;
    journal.beforeStep = () => {
      if (++steps >= number) throw new Error('the process died');
    };
    return journal;
  }

  for (const writeStrategy of ['createNew', 'overwriteExisting'] as const) {
    test(`at any step, and the next one ends it: ${writeStrategy}`, async () => {
      let crashes = 0;
      for (let number = 2; ; number++) {
        await prepare();
        await target()
          .client.db('d')
          .collection('kept')
          .insertOne({ _id: 1 as never });
        if (writeStrategy === 'overwriteExisting') {
          await target()
            .client.db('d')
            .collection('orders')
            .insertOne({ _id: 'mine' as never });
          await target()
            .client.db('d')
            .createCollection('series', { timeseries: { timeField: 't' } });
        }
        const before = await now();
        const journal = dyingAt(number);
        const run = { writeStrategy, journal };
        try {
          await restore(rig, taken, wanted, run);
          break;
        } catch (error) {
          assert.match((error as Error).message, /the process died/);
          crashes++;
        }
        if (!journal.isPlacing) {
          const left = compareTruth(before, await now(), { skip: (name) => isOurs(name, journal) });
          assert.deepEqual(left, [], `after step ${number - 1}`);
        }
        journal.beforeStep = () => undefined;
        await restore(rig, taken, wanted, { ...run, attempt: 2 });
        await expectOnly(truth, before, expected);
        assert.deepEqual(new Set(Object.values(journal.states())), new Set(['SUCCESSFUL']), `step ${number}`);
      }
      assert(crashes >= 9, `${crashes} crashes`);
    });
  }

  function isOurs(name: string, journal: MemoryJournal): boolean {
    if (name.includes('.tidemark_restore_')) return true;
    const series = journal.records.find(({ source: from }) => from === 'shop.series');
    return series?.stagedName === 'series' && name.endsWith('series');
  }
});

describe('told to stop', () => {
  test('nothing stays on the target', async () => {
    await prepare();
    await target()
      .client.db('shop')
      .collection('orders')
      .insertOne({ _id: 'mine' as never });
    const before = await now();
    const stop = new AbortController();
    const journal = new MemoryJournal();
    journal.beforeChange = async (_name, { indexState }) => {
      if (indexState === 'IN_PROGRESS') stop.abort();
    };
    const run = { writeStrategy: 'overwriteExisting', signal: stop.signal, journal } as const;
    await assert.rejects(restore(rig, taken, { databases: { shop: 'shop' } }, run), (error) => isAbort(error));
    assert.deepEqual(compareTruth(before, await now()), []);
    assert.deepEqual(new Set(Object.values(journal.states())), new Set(['NOT_RESTORED']));
  });
});
