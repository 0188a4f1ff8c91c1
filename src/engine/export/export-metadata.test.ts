import assert from 'node:assert/strict';
import { test } from 'node:test';
import { raw } from '../../../test/exactness/raw-values.ts';
import { collectionOf } from '../../../test/support/test-repository.ts';
import type { CollectionEntry } from '../../repository/format/manifest.ts';
import { metadataJson } from './export-metadata.ts';

const misread = { $oid: 'no hex' };
const entryOf = (type: CollectionEntry['type'], options: object, indexes: object[] = []): CollectionEntry => ({
  ...collectionOf('orders', []),
  type,
  uuid: type === 'view' ? null : 'ab'.repeat(16),
  info: raw({ name: 'orders', type, options }),
  indexes: indexes.map(raw),
});

test('an index and an option that would be read as something else are left out and named', () => {
  const good = { v: 2, key: { a: 1 }, name: 'good', partialFilterExpression: { a: { $regex: '^x', $options: 'i' } } };
  const bad = { v: 2, key: { b: 1 }, name: 'bad', partialFilterExpression: { b: { $eq: misread } } };
  const entry = entryOf('collection', { validator: { c: { $ne: misread } }, validationLevel: 'moderate' }, [good, bad]);
  const { json, leftOut } = metadataJson(entry, entry);
  const { indexes, options } = JSON.parse(json?.toString('utf8') ?? '');
  assert.deepEqual(
    indexes.map((index: { name: string }) => index.name),
    ['good'],
  );
  assert.deepEqual(options, { validationLevel: 'moderate' });
  assert.deepEqual(
    leftOut.map(({ namespace, kind, name }) => [namespace, kind, name]),
    [
      ['shop.orders', 'index', 'bad'],
      ['shop.orders', 'option', 'validator'],
    ],
  );
  assert.match(leftOut[0]?.problem ?? '', /partialFilterExpression\.b\.\$eq/);
});

test('a view whose pipeline would be read as something else is left out as a whole', () => {
  const stages = (x: unknown) => [{ $match: { a: 1 } }, { $addFields: { x: { $literal: x } } }];
  for (const x of [misread, { $numberInt: '5' }, { $date: { $numberLong: '1' } }]) {
    const entry = entryOf('view', { viewOn: 'orders', pipeline: stages(x) });
    const { json, leftOut } = metadataJson(entry, entry);
    assert.equal(json, null);
    assert.deepEqual(
      leftOut.map(({ kind, name }) => [kind, name]),
      [['view', 'orders']],
    );
    assert.match(leftOut[0]?.problem ?? '', /pipeline\.1\.\$addFields\.x\.\$literal/);
  }
  const sound = entryOf('view', { viewOn: 'orders', pipeline: stages({ $literal: 1 }) });
  assert.deepEqual(metadataJson(sound, sound).leftOut, []);
});
