import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serialize } from 'bson';
import type { CollectionEntry, Manifest } from '../repository/format/manifest.ts';
import { indexEvidence } from './missing-indexes.ts';

function collection(namespace: string, ...names: string[]): CollectionEntry {
  const [db = '', name = ''] = [
    namespace.slice(0, namespace.indexOf('.')),
    namespace.slice(namespace.indexOf('.') + 1),
  ];
  const indexes = names.map((one) => Buffer.from(serialize({ v: 2, key: { a: 1 }, name: one })));
  const counts = { documents: 0, bytes: 0, layers: [] };
  return { db, name, type: 'collection', uuid: 'aa', info: Buffer.alloc(0), indexes, ...counts };
}

function evidence(...collections: CollectionEntry[]): string {
  return indexEvidence({ header: { type: 'replicaSet' }, collections } as unknown as Manifest);
}

test('what servers always build tells that indexes were lost', () => {
  assert.equal(evidence(collection('admin.system.users', '_id_'), collection('shop.orders', '_id_')), 'lost');
  assert.equal(evidence(collection('admin.system.roles', '_id_')), 'lost');
});

test('one secondary index tells that they were listed', () => {
  assert.equal(evidence(collection('shop.orders', '_id_', 'n_1'), collection('shop.other', '_id_')), 'kept');
  assert.equal(evidence(collection('admin.system.users', '_id_', 'user_1_db_1'), collection('a.b', '_id_')), 'kept');
});

test('a source without users and without a secondary index cannot be told from one that lost them', () => {
  assert.equal(evidence(collection('shop.orders', '_id_'), collection('admin.system.version', '_id_')), 'unknown');
  assert.equal(evidence(collection('admin.system.version', '_id_')), 'kept');
});
