import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BSON } from 'mongodb';
import { raw } from '../../../test/exactness/raw-values.ts';
import { seriesIndexes } from './series-indexes.ts';

test('indexes of buckets become those of the time series', () => {
  const of = (key: object, more: object = {}) => raw({ v: 2, key, name: 'i', ...more });
  const shown = (index: Buffer, metaField: string | null = 'who') =>
    seriesIndexes([index], metaField).map((one) => BSON.deserialize(one));
  const at = { 'control.min.at': 1, 'control.max.at': 1 };
  assert.deepEqual(shown(of({ meta: 1, ...at })), [{ v: 2, key: { who: 1, at: 1 }, name: 'i' }]);
  assert.deepEqual(shown(of({ 'meta.a.b': -1, 'control.max.at': -1, 'control.min.at': -1 }, { hidden: true })), [
    { v: 2, key: { 'who.a.b': -1, at: -1 }, name: 'i', hidden: true },
  ]);
  assert.deepEqual(shown(of(at), null), [{ v: 2, key: { at: 1 }, name: 'i' }]);
  const originalSpec = { v: 2, key: { 'data.place': '2dsphere' }, name: 'near' };
  assert.deepEqual(shown(of({ x: 1 }, { originalSpec })), [originalSpec]);
  assert.deepEqual(shown(of({ 'control.min.at': 1, 'control.max.to': 1 })), []);
  assert.deepEqual(shown(of({ _id: 1 })), []);
});
