import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../lib/errors.ts';
import { requireDecided } from './sharded-point-in-time.ts';

test('what is captured to the end of the snapshot tells of every transaction prepared before its time; less does not', () => {
  const finished = 1_790_000_000n << 32n;
  requireDecided('shard1', finished, finished);
  assert.throws(
    () => requireDecided('shard1', finished - 1n, finished),
    (error) => error instanceof Fault && error.retryable && /shard1 is captured up to/.test(error.message),
  );
});
