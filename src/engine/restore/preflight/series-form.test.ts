import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoBuckets, requireBuckets } from './series-form.ts';

const about = { op: 'restore', name: 'target' };

test('a target whose time series have no buckets is refused by name', () => {
  requireBuckets(new Set(['a', 'system.buckets.a', 'system.views']), 'system.buckets.a', about);
  for (const made of [['a'], ['a', 'system.buckets.b'], []])
    assert.throws(
      () => requireBuckets(new Set(made), 'system.buckets.a', about),
      (error) => error instanceof NoBuckets && /^target makes time series without a view/.test(error.message),
    );
});
