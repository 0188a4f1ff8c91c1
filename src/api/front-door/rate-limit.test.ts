import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimiter } from './rate-limit.ts';

test('a caller is refused after its limit and admitted again in the next window; others are not touched', () => {
  const time = { ms: 5000 };
  const clock = { nowMs: () => 0, monotonicMs: () => time.ms, sleep: async () => {} };
  const limiter = new RateLimiter(clock, { limit: 2, windowMs: 10_000 });
  assert.deepEqual(limiter.take('a'), { limit: 2, remaining: 1, retryAfterSeconds: 0 });
  time.ms += 3500;
  assert.deepEqual(limiter.take('a'), { limit: 2, remaining: 0, retryAfterSeconds: 0 });
  assert.deepEqual(limiter.take('a'), { limit: 2, remaining: 0, retryAfterSeconds: 7 });
  assert.equal(limiter.take('b').retryAfterSeconds, 0);
  time.ms += 6500;
  assert.equal(limiter.take('a').remaining, 1);
});
