import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Document, deserialize, serialize } from 'bson';
import type { CollectionEntry, LayerRef } from '../repository/format/manifest.ts';
import { indexesToBuild } from './index-specifications.ts';
import { orderViews, planRestore, refuseVersion } from './restore-plan.ts';

function raw(document: Document): Buffer {
  return Buffer.from(serialize(document));
}

function entry(ns: string, type: CollectionEntry['type'] = 'collection', options: Document = {}): CollectionEntry {
  const [db = '', ...rest] = ns.split('.');
  const layers = type === 'collection' ? [{ documents: 1 } as LayerRef] : [];
  return {
    db,
    name: rest.join('.'),
    type,
    uuid: null,
    info: raw({ name: rest.join('.'), options }),
    indexes: [],
    documents: 1,
    bytes: 1,
    layers,
  };
}

const names = (entries: readonly CollectionEntry[]) => entries.map((one) => `${one.db}.${one.name}`);

test('a plan creates a time series but not its buckets, fills the buckets, and leaves the target its own identity', () => {
  const plan = planRestore([
    entry('admin.mine'),
    entry('admin.system.roles'),
    entry('admin.system.users'),
    entry('admin.system.version'),
    entry('d.plain'),
    entry('d.series', 'timeseries'),
    entry('d.system.buckets.series'),
    entry('d.system.buckets.orphan'),
    entry('d.system.js'),
    entry('d.view', 'view', { viewOn: 'plain', pipeline: [] }),
  ]);
  assert.deepEqual(names(plan.create), ['admin.mine', 'd.plain', 'd.series', 'd.system.buckets.orphan', 'd.system.js']);
  assert.deepEqual(names(plan.load), [
    'admin.mine',
    'd.plain',
    'd.system.buckets.series',
    'd.system.buckets.orphan',
    'd.system.js',
  ]);
  assert.deepEqual(names(plan.views), ['d.view']);
  assert.equal(plan.users?.name, 'system.users');
  assert.equal(plan.roles?.name, 'system.roles');
});

test('what no restore can make is left out and named', () => {
  const plan = planRestore([
    entry('d.tmp.agg_out.1', 'collection', { temp: true }),
    entry('d.lasting', 'collection', { temp: false }),
    entry('d.stray'),
    entry('d.system.buckets.stray'),
    entry('e.system.buckets.stray'),
  ]);
  assert.deepEqual(names(plan.create), ['d.lasting', 'd.stray', 'e.system.buckets.stray']);
  assert.deepEqual(names(plan.load), names(plan.create));
  assert.deepEqual(names(plan.leftOut), ['d.tmp.agg_out.1', 'd.system.buckets.stray']);
});

test('a view comes after the view it is on, also when they are named the other way round, and a circle does not hang', () => {
  const views = [
    entry('d.a', 'view', { viewOn: 'b', pipeline: [] }),
    entry('d.b', 'view', { viewOn: 'c', pipeline: [] }),
    entry('d.c', 'view', { viewOn: 'plain', pipeline: [] }),
    entry('e.b', 'view', { viewOn: 'missing', pipeline: [] }),
  ];
  assert.deepEqual(names(orderViews(views)), ['d.c', 'd.b', 'd.a', 'e.b']);
  const circle = [
    entry('d.x', 'view', { viewOn: 'y', pipeline: [] }),
    entry('d.y', 'view', { viewOn: 'x', pipeline: [] }),
  ];
  assert.equal(orderViews(circle).length, 2);
});

const version = (mongodVersion: string, featureCompatibilityVersion: string) => ({
  mongodVersion,
  featureCompatibilityVersion,
});

test('the same major version or the next can take a snapshot, with at least its feature compatibility version', () => {
  const snapshot = version('6.0.5', '6.0');
  for (const target of [version('6.0.20', '6.0'), version('7.0.1', '7.0'), version('7.0.1', '6.0')])
    refuseVersion(snapshot, target);
  for (const target of [version('5.0.9', '5.0'), version('8.0.0', '8.0'), version('6.0.5', '5.0')]) {
    assert.throws(() => refuseVersion(snapshot, target), /cannot be restored/);
  }
  // Of the older release in all but the files that it writes.
  assert.throws(() => refuseVersion(version('6.0.5', '5.0'), version('5.0.9', '5.0')), /cannot be restored/);
  refuseVersion(version('6.0.5', '5.0'), version('6.0.20', '5.0'));
  refuseVersion(version('8.0.4', '8.0'), version('8.3.1', '8.3'));
  assert.throws(() => refuseVersion(version('8.3.1', '8.3'), version('8.0.4', '8.0')), /cannot be restored/);
});

test('indexes are built from their raw specifications, without the one on _id, and say the simple collation where the default is another', () => {
  const indexes = [
    raw({ v: 2, key: { _id: 1 }, name: '_id_' }),
    raw({ v: 2, key: { a: 1 }, name: 'a', ns: 'd.c', hidden: true }),
    raw({ v: 2, key: { b: 1 }, name: 'b', collation: { locale: 'fr' } }),
    raw({ v: 2, key: { ts: 1 }, name: 'cl', unique: true, clustered: true }),
  ];
  const plain = indexesToBuild(indexes, raw({ name: 'c', options: {} }));
  assert.deepEqual(
    plain.map((index) => deserialize(index)),
    [
      { v: 2, key: { a: 1 }, name: 'a', hidden: true },
      { v: 2, key: { b: 1 }, name: 'b', collation: { locale: 'fr' } },
    ],
  );
  const collated = indexesToBuild(indexes, raw({ name: 'c', options: { collation: { locale: 'de' } } }));
  assert.deepEqual(
    collated.map((index) => deserialize(index).collation.locale),
    ['simple', 'fr'],
  );
});

test('an index of version 1 loses the simple collation that servers of 9.0 list for it, and no other', () => {
  const simple = { locale: 'simple' };
  const indexes = [
    raw({ v: 1, key: { a: 1 }, name: 'a', collation: simple }),
    raw({ v: 2, key: { b: 1 }, name: 'b', collation: simple }),
  ];
  for (const options of [{}, { collation: { locale: 'de' } }])
    assert.deepEqual(
      indexesToBuild(indexes, raw({ name: 'c', options })).map((index) => deserialize(index).collation),
      [undefined, simple],
    );
});

test('replicated record ids are the target’s matter, and what a former version took too much is not given back', () => {
  const { create, load } = planRestore([
    entry('d.plain', 'collection', { recordIdsReplicated: true, capped: true, size: 4096 }),
    entry('config.user_writes_critical_sections'),
    entry('config.clusterParameters'),
  ]);
  for (const planned of [create, load]) {
    assert.deepEqual(names(planned), ['d.plain', 'config.clusterParameters']);
    assert.deepEqual(deserialize(planned[0]?.info ?? Buffer.alloc(0)).options, { capped: true, size: 4096 });
  }
});
