import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffOf } from './backoff.ts';

test('a wait doubles up to the longest, however often it is asked for', () => {
  const waits = [1, 2, 3, 4, 5, 2_000].map((n) => backoffOf({ first: 2, most: 12 }, n));
  assert.deepEqual(waits, [2, 4, 8, 12, 12, 12]);
});
