import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextSnapshotStatus, snapshotTransitions } from '../snapshots/snapshot-state.ts';
import { isValidRetention, mayExpire, retentionEndMs } from './retention.ts';

const at = (text: string) => Date.parse(text);

test('days and weeks are of fixed length, months and years are the calendar’s', () => {
  const ends: [string, Parameters<typeof retentionEndMs>[1], number, string][] = [
    ['2026-11-22T10:20:30.456Z', 'DAYS', 1, '2026-11-23T10:20:30.456Z'],
    ['2026-11-22T10:20:30.456Z', 'WEEKS', 2, '2026-12-06T10:20:30.456Z'],
    ['2026-11-22T10:20:30.456Z', 'MONTHS', 2, '2027-01-22T10:20:30.456Z'],
    ['2026-12-31T23:59:59.999Z', 'MONTHS', 2, '2027-02-28T23:59:59.999Z'],
    ['2027-12-31T00:00:00.000Z', 'MONTHS', 2, '2028-02-29T00:00:00.000Z'],
    ['2028-02-29T12:00:00.000Z', 'YEARS', 1, '2029-02-28T12:00:00.000Z'],
    ['2028-02-29T12:00:00.000Z', 'YEARS', 4, '2032-02-29T12:00:00.000Z'],
  ];
  for (const [from, unit, value, end] of ends) {
    assert.equal(new Date(retentionEndMs(at(from), unit, value)).toISOString(), end, `${from} + ${value} ${unit}`);
  }
});

test('a retention is a whole number from 1 to two centuries', () => {
  for (const value of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 201]) {
    assert.equal(isValidRetention('YEARS', value), false, String(value));
  }
  assert.equal(isValidRetention('YEARS', 200), true);
  assert.equal(isValidRetention('DAYS', 1), true);
});

test('what may expire', () => {
  const facts = { nowMs: 100, newestCompletedId: 'newest', newerNotCompleted: true };
  const snapshot = (id: string, status: string, expiresAtMs = 100, doNotDelete: 0 | 1 = 0) => ({
    id,
    status,
    expiresAtMs,
    doNotDelete,
  });
  assert.equal(mayExpire(snapshot('old', 'completed', 100, 1), facts), false);
  assert.equal(mayExpire(snapshot('old', 'completed'), facts), true);
  assert.equal(mayExpire(snapshot('old', 'completed', 101), facts), false);
  assert.equal(mayExpire(snapshot('newest', 'completed'), facts), false);
  assert.equal(mayExpire(snapshot('newest', 'completed'), { ...facts, newerNotCompleted: false }), true);
  assert.equal(mayExpire(snapshot('bad', 'failed'), facts), true);
  assert.equal(mayExpire(snapshot('now', 'inProgress'), facts), false);
});

test('a snapshot completes only from in progress, and what has ended has ended', () => {
  assert.equal(nextSnapshotStatus('queued', 'start'), 'inProgress');
  assert.equal(nextSnapshotStatus('inProgress', 'start'), 'inProgress');
  assert.equal(nextSnapshotStatus('inProgress', 'complete'), 'completed');
  assert.throws(() => nextSnapshotStatus('queued', 'complete'));
  for (const status of ['completed', 'failed'] as const) {
    assert.ok(Object.values(snapshotTransitions[status]).every((next) => next === 'impossible'));
  }
});
