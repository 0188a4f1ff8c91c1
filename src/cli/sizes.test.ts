import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatDuration, formatNumberOf, formatRate, formatTime } from './sizes.ts';

test('bytes keep two or three digits and never show 1000 of a unit', () => {
  assert.deepEqual([0, 999, 1000, 1234, 99_949, 99_950, 999_499, 999_500, 45e6, 1.05e9, 2e15].map(formatBytes), [
    '0 B',
    '999 B',
    '1.0 kB',
    '1.2 kB',
    '99.9 kB',
    '100 kB',
    '999 kB',
    '1.0 MB',
    '45.0 MB',
    '1.1 GB',
    '2.0 PB',
  ]);
});

test('counts are grouped and take a plural', () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(formatCount), ['0', '999', '1,000', '1,234,567']);
  assert.deepEqual(
    [formatNumberOf(1, 'document'), formatNumberOf(2000, 'document')],
    ['1 document', '2,000 documents'],
  );
});

test('durations use the unit that fits', () => {
  assert.deepEqual([0, 850, 999.6, 12_345, 59_960, 245_000, 3_600_000, 7_380_000].map(formatDuration), [
    '0 ms',
    '850 ms',
    '1.0 s',
    '12.3 s',
    '1 min 00 s',
    '4 min 05 s',
    '1 h 00 min',
    '2 h 03 min',
  ]);
});

test('rates need a time that passed', () => {
  assert.equal(formatRate(410e6, 1000), '410 MB/s');
  assert.equal(formatRate(1, 0), '');
});

test('times are UTC to the second', () => {
  assert.equal(formatTime(Date.UTC(2026, 10, 22, 10, 20, 30, 999)), '2026-11-22 10:20:30Z');
});
