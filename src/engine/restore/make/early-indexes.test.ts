import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Document, Double, serialize } from 'bson';
import type { CollectionEntry, LayerRef } from '../../../repository/format/manifest.ts';
import { bytesOfSmall, earlyIndexes, isSmall } from './early-indexes.ts';

const layer = (documents: number, bytes: number): LayerRef => ({
  ...{ kind: 'base', takenIn: '', documents, deleted: 0, bytes, storedBytes: 0, ordered: false },
  ...{ documentLists: [], deletedLists: [] },
});

function entryWith(
  indexes: readonly Document[],
  { options = {}, ...rest }: Partial<CollectionEntry> & { options?: Document } = {},
): CollectionEntry {
  const info = Buffer.from(serialize({ name: 'docs', type: 'collection', options }));
  const idIndex = { v: 2, key: { _id: 1 }, name: '_id_' };
  return {
    ...{ db: 'shop', name: 'docs', type: 'collection', uuid: null, info, documents: 0, bytes: 0 },
    ...{ indexes: [idIndex, ...indexes].map((index) => Buffer.from(serialize(index))), layers: [layer(10, 1000)] },
    ...rest,
  };
}

const plain = { v: 2, key: { n: 1 }, name: 'n_1' };
const countOf = (entry: CollectionEntry): number => earlyIndexes(entry)?.length ?? 0;

describe('indexes that are made before the documents', () => {
  test('are those of plain fields, whatever is said of them that refuses no document', () => {
    const harmless = [
      plain,
      { v: 2, key: { 'a.b': -1, c: 1 }, name: 'compound', sparse: true, hidden: true },
      { v: 2, key: { d: new Double(1) }, name: 'd', partialFilterExpression: { d: { $gt: 1 } } },
      { v: 2, key: { e: 1 }, name: 'e', collation: { locale: 'de' }, background: true, ns: 'shop.docs' },
    ];
    assert.equal(countOf(entryWith(harmless)), harmless.length);
  });

  test('are none where one of them is unique, lets documents expire, is special, old or unknown', () => {
    const others: Document[] = [
      { ...plain, unique: true },
      { ...plain, prepareUnique: true },
      { ...plain, expireAfterSeconds: 10 },
      { v: 2, key: { place: '2dsphere' }, name: 'place', '2dsphereIndexVersion': 3 },
      { v: 2, key: { n: 'hashed' }, name: 'hashed' },
      { v: 2, key: { n: 1, m: 'text' }, name: 'text' },
      { v: 2, key: { '$**': 1 }, name: 'all' },
      { ...plain, v: 1 },
      { ...plain, fancy: 1 },
    ];
    for (const other of others) {
      const found = earlyIndexes(
        entryWith([
          { v: 2, key: { m: 1 }, name: 'm_1' },
          { ...other, name: 'other' },
        ]),
      );
      assert.equal(found, null, JSON.stringify(other));
    }
    assert.equal(earlyIndexes(entryWith([])), null);
  });

  test('are none of what is large, the system or no collection', () => {
    assert.equal(countOf(entryWith([plain], { layers: [layer(600, 1000), layer(600, 1000)] })), 0);
    assert.equal(countOf(entryWith([plain], { layers: [layer(10, 2 << 20)] })), 0);
    assert.equal(countOf(entryWith([plain], { name: 'system.js' })), 0);
    assert.equal(countOf(entryWith([plain], { type: 'timeseries' })), 0);
    assert.equal(countOf(entryWith([plain], { layers: [] })), 1);
  });

  test('a collection is small by all its layers together', () => {
    assert.ok(isSmall({ layers: [layer(500, 1000), layer(500, 1000)] }));
    assert.ok(!isSmall({ layers: [layer(501, 1000), layer(500, 1000)] }));
    assert.equal(bytesOfSmall({ layers: [layer(1, 10), layer(1, 20)] }), 30);
  });
});
