import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../test/support/fake-clock.ts';
import { LoginThrottle } from './login-throttle.ts';

const owner = { remoteAddress: '192.0.2.1', principal: 'abcdefgh' };

function failures(throttle: LoginThrottle, login: typeof owner, times: number): void {
  for (let n = 0; n < times; n++) throttle.failed(login);
}

test('some failures are free, and each after them doubles the wait, up to five minutes', async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle({ clock });
  failures(throttle, owner, 4);
  assert.equal(throttle.waitSeconds(owner), 0);
  const waits: number[] = [];
  for (let n = 0; n < 10; n++) {
    throttle.failed(owner);
    waits.push(throttle.waitSeconds(owner));
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
});

test('a wait ends, and a success forgets what went before', async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle({ clock });
  failures(throttle, owner, 6);
  assert.equal(throttle.waitSeconds(owner), 2);
  await clock.leap(2_000);
  assert.equal(throttle.waitSeconds(owner), 0);
  throttle.succeeded(owner);
  throttle.failed(owner);
  assert.equal(throttle.waitSeconds(owner), 0);
});

test('failures elsewhere lock nobody out', () => {
  const throttle = new LoginThrottle({ clock: new FakeClock() });
  failures(throttle, { ...owner, remoteAddress: '203.0.113.9' }, 50);
  assert.equal(throttle.waitSeconds(owner), 0);
});

test('many principals from one source wait together; who got in from there before does not', () => {
  const throttle = new LoginThrottle({ clock: new FakeClock() });
  throttle.succeeded(owner);
  for (let n = 0; n < 25; n++) throttle.failed({ ...owner, principal: `guess${n}` });
  assert.equal(throttle.waitSeconds({ ...owner, principal: 'fresh' }), 32);
  assert.equal(throttle.waitSeconds(owner), 0);
});

test('addresses of one IPv6 network are one source', () => {
  const throttle = new LoginThrottle({ clock: new FakeClock() });
  for (let n = 0; n < 21; n++) throttle.failed({ remoteAddress: `2001:db8:1:2::${n}`, principal: `p${n}` });
  assert.equal(throttle.waitSeconds({ remoteAddress: '2001:db8:1:2:ffff::1', principal: 'q' }), 2);
  assert.equal(throttle.waitSeconds({ remoteAddress: '2001:db8:1:3::1', principal: 'q' }), 0);
});

test('failures are forgotten one by one', async () => {
  const clock = new FakeClock();
  const throttle = new LoginThrottle({ clock });
  failures(throttle, owner, 5);
  await clock.leap(25 * 60_000);
  assert.equal(throttle.failed(owner), 1);
});

test('memory is bounded: the oldest are forgotten', () => {
  const throttle = new LoginThrottle({ clock: new FakeClock(), trackedMax: 3 });
  failures(throttle, owner, 9);
  for (let n = 0; n < 3; n++) throttle.failed({ remoteAddress: `198.51.100.${n}`, principal: 'x' });
  assert.equal(throttle.waitSeconds(owner), 0);
});
