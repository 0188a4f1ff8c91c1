import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemRandom } from '../lib/random.ts';
import { Nonces, nonceLifeMs } from './nonces.ts';

function fixture(options: { trackedMax?: number } = {}) {
  const time = { ms: 1_700_000_000_000 };
  const clock = { nowMs: () => time.ms, monotonicMs: () => time.ms, sleep: async () => {} };
  return { time, clock, nonces: new Nonces({ clock, random: systemRandom, ...options }) };
}

test('a nonce is 32 base64 characters, each one new', () => {
  const { nonces } = fixture();
  assert.match(nonces.issue(), /^[A-Za-z0-9+/]{32}$/);
  assert.notEqual(nonces.issue(), nonces.issue());
});

test('a nonce lives five minutes', () => {
  const { nonces, time } = fixture();
  const nonce = nonces.issue();
  time.ms += nonceLifeMs - 1;
  assert.ok(nonces.isFresh(nonce));
  time.ms += 1;
  assert.ok(!nonces.isFresh(nonce));
});

test("a nonce that was changed, made up, or another process's is not fresh", () => {
  const { nonces, clock } = fixture();
  const nonce = nonces.issue();
  const flipped = (nonce[0] === 'A' ? 'B' : 'A') + nonce.slice(1);
  const elsewhere = new Nonces({ clock, random: systemRandom }).issue();
  for (const bad of [flipped, elsewhere, '', 'x', 'A'.repeat(32), `${nonce}A`]) assert.ok(!nonces.isFresh(bad), bad);
});

test('counts must rise', () => {
  const { nonces } = fixture();
  const nonce = nonces.issue();
  assert.ok(nonces.use(nonce, 1));
  assert.ok(!nonces.use(nonce, 1));
  assert.ok(nonces.use(nonce, 5));
  assert.ok(!nonces.use(nonce, 4));
  assert.ok(!nonces.use(nonces.issue(), 0));
});

test('a full table forgets the oldest and refuses it from then on, so that forgetting allows no replay', () => {
  const { nonces, time } = fixture({ trackedMax: 2 });
  const used = [];
  for (let i = 0; i < 3; i++) {
    time.ms += 1000;
    const nonce = nonces.issue();
    assert.ok(nonces.use(nonce, 1));
    used.push(nonce);
  }
  assert.deepEqual(
    used.map((nonce) => nonces.isFresh(nonce)),
    [false, true, true],
  );
});
