import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON } from 'mongodb';
import { formatNamespace } from '../../../bson/namespace.ts';
import { silentLogger } from '../../../lib/logger.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import { RestoreLosses } from '../../restore/losses.ts';
import { firstRecords, refusedRecords } from '../first-records.ts';
import { indexesFor, infoFor } from '../target-form.ts';
import { replicaSetCollections } from './cluster-collections.ts';
import { selectCollections } from './select-collections.ts';

function entry(namespace: string, change: Partial<CollectionEntry> = {}, options: object = {}): CollectionEntry {
  const dot = namespace.indexOf('.');
  const [db, name] = [namespace.slice(0, dot), namespace.slice(dot + 1)];
  const type = change.type ?? 'collection';
  const info = Buffer.from(BSON.serialize({ name, type, options }));
  return { db, name, type, uuid: null, info, indexes: [], documents: 3, bytes: 9, layers: [], ...change };
}

const backup = [
  entry('shop.orders'),
  entry('shop.system.js'),
  entry('shop.system.buckets.series', { documents: 7 }),
  entry('shop.series', { type: 'timeseries' }, { expireAfterSeconds: BSON.Long.fromNumber(60) }),
  entry('shop.view', { type: 'view' }, { viewOn: 'orders', pipeline: [] }),
  entry('shop.half', {}, { temp: true }),
  entry('shop.secret', {}, { encryptedFields: { fields: [] } }),
  entry('shop.enxcol_.secret.esc'),
  entry('shop.lost', { type: 'timeseries' }),
  entry('other.orders'),
];

const offered = replicaSetCollections(backup);
const none = { databases: [], collectionSuffix: '', collections: [] };

test('a database brings all its collections, time series with their buckets, but nothing that cannot come alone', () => {
  const selected = selectCollections(offered, {
    ...none,
    databases: [{ source: 'shop', target: 'copy' }],
    collectionSuffix: '_x',
  });
  assert.deepEqual(
    selected.chosen.map(({ target, documents, kind }) => [formatNamespace(target), kind, documents?.name ?? null]),
    [
      ['copy.orders_x', 'collection', 'orders'],
      ['copy.system.js_x', 'collection', 'system.js'],
      ['copy.series_x', 'timeseries', 'system.buckets.series'],
      ['copy.view_x', 'view', null],
    ],
  );
  assert.deepEqual(
    selected.unsupported.map(({ source, named }) => [source.name, named]),
    [
      ['half', false],
      ['secret', false],
      ['enxcol_.secret.esc', false],
      ['lost', false],
    ],
  );
});

test("what is named and is not there is missing, and the server's own names mean nothing", () => {
  const of = (db: string, name: string) => ({ source: { db, name }, target: { db, name } });
  const selected = selectCollections(offered, {
    ...none,
    databases: [{ source: 'none', target: 'none' }],
    collections: [
      of('other', 'orders'),
      of('other', 'none'),
      of('shop', 'system.buckets.series'),
      of('shop', 'secret'),
    ],
  });
  assert.deepEqual(
    refusedRecords(selected).map(({ source, state }) => [source, state]),
    [
      ['other.orders', 'NOT_RESTORED'],
      ['none', 'NOT_FOUND'],
      ['other.none', 'NOT_FOUND'],
      ['shop.system.buckets.series', 'NOT_FOUND'],
      ['shop.secret', 'UNSUPPORTED'],
    ],
  );
  assert.equal(selected.unsupported[0]?.named, true);
});

test('at first nothing is done, and a view has no indexes to wait for', () => {
  const selected = selectCollections(offered, { ...none, databases: [{ source: 'shop', target: 'shop' }] });
  const items = selected.chosen.map((chosen) => ({
    ...{ chosen, source: formatNamespace(chosen.source), target: chosen.target, staged: chosen.target },
    ...{
      ...{ uuid: null, partsName: 'tidemark_restore_job_1' },
      documents: 0,
      created: false,
      placed: false,
      failure: null,
      ...{ reducedInfo: null, losses: new RestoreLosses(silentLogger), lacksIndexes: false },
    },
  }));
  const states = (strategy: 'all' | 'none') =>
    firstRecords(items, selected, strategy).map(({ source, state, indexState, totalDocuments }) => [
      source.slice(5),
      state,
      indexState,
      totalDocuments,
    ]);
  assert.deepEqual(states('all').slice(2, 5), [
    ['series', 'NOT_STARTED', 'NOT_STARTED', 7],
    ['view', 'NOT_STARTED', 'SUCCESSFUL', 0],
    ['half', 'UNSUPPORTED', 'NOT_RESTORED', 0],
  ]);
  assert.deepEqual(states('none')[0], ['orders', 'NOT_STARTED', 'NOT_RESTORED', 3]);
});

test('a view follows its collection where both go to one database; options of expiry go with the indexes', () => {
  const { chosen } = selectCollections(offered, { ...none, databases: [{ source: 'shop', target: 'shop' }] });
  const optionsOf = (name: string, strategy: 'all' | 'none' | 'allExceptTtl', on: string | null) => {
    const one = chosen.find(({ source }) => source.name === name);
    assert.ok(one);
    return BSON.deserialize(infoFor(one, { strategy, nameOf: () => on })).options;
  };
  assert.deepEqual(optionsOf('view', 'all', 'renamed'), { viewOn: 'renamed', pipeline: [] });
  assert.deepEqual(optionsOf('view', 'all', null), { viewOn: 'orders', pipeline: [] });
  assert.deepEqual(optionsOf('series', 'all', null), { expireAfterSeconds: 60 });
  assert.deepEqual(optionsOf('series', 'allExceptTtl', null), {});
  assert.deepEqual(optionsOf('series', 'none', null), {});
});

test('which indexes are built', () => {
  const index = (spec: object) => Buffer.from(BSON.serialize({ v: 2, ...spec }));
  const indexes = [
    index({ name: '_id_', key: { _id: 1 } }),
    index({ name: 'a', key: { a: 1 } }),
    index({ name: 'ttl', key: { t: 1 }, expireAfterSeconds: 5 }),
  ];
  const { chosen } = selectCollections(replicaSetCollections([entry('d.c', { indexes })]), {
    ...none,
    collections: [{ source: { db: 'd', name: 'c' }, target: { db: 'd', name: 'c' } }],
  });
  const built = (strategy: 'all' | 'none' | 'allExceptTtl') =>
    chosen.flatMap((one) => indexesFor(one, strategy)).map((raw) => BSON.deserialize(raw).name);
  assert.deepEqual([built('all'), built('allExceptTtl'), built('none')], [['a', 'ttl'], ['a'], []]);
});
