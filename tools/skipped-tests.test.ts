import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readReport, renderReport, renderServers, together } from './skipped-tests.ts';

const counts = { passed: 7, failed: 1, cancelled: 1, skipped: 3, todo: 0 };
const lines = [
  { file: '/r/test/a.e2e.test.ts', name: 'one', why: 'moto cannot be had' },
  { file: '/r/test/b.e2e.test.ts', name: 'two', why: 'moto cannot be had' },
  { file: '/r/src/c.test.ts', name: 'three', why: '' },
  { counts, tookMs: { '/r/src/c.test.ts': 12 } },
].map((record) => JSON.stringify(record));

test('tests that were skipped are told by their reason, those without one too, and the counts come last', () => {
  const report = readReport(`${lines.join('\n')}\n`, '/r');
  assert.deepEqual(report?.tookMs, { 'src/c.test.ts': 12 });
  assert.deepEqual(report === null ? null : renderReport(report), [
    'Skipped tests, by reason:',
    '     2  test/a.e2e.test.ts, test/b.e2e.test.ts\n        moto cannot be had',
    '     1  src/c.test.ts\n        no reason was given',
    '',
    '7 passed, 2 failed, 3 skipped',
  ]);
});

test('a run that was cut off has no report', () => {
  assert.equal(readReport(`${lines[0]}\n`, '/r'), null);
});

test('a run without skips says so', () => {
  assert.equal(renderReport({ counts, skipped: [] })[0], 'Nothing was skipped.');
});

test('what became of the suites on each server is a table, and what could not be had is in it', () => {
  const counts = { passed: 34, failed: 1, cancelled: 1, skipped: 5, todo: 0 };
  const report = { counts, skipped: [{ file: 'a.test.ts', name: 'x', why: 'needs a server of 6.0' }], tookMs: {} };
  const runs = [
    { version: '5.0.4', suites: 3, report, why: '' },
    { version: '8.0.4', suites: 3, report: null, why: 'no answer' },
  ];
  assert.deepEqual(renderServers(runs), [
    'Servers:',
    '  version  suites  passed  failed skipped',
    '  5.0.4         3      34       2       5',
    '  8.0.4         3  not to be had here: no answer',
  ]);
  assert.deepEqual(together([report, report]).counts, { passed: 68, failed: 2, cancelled: 2, skipped: 10, todo: 0 });
  assert.equal(together([report, report]).skipped.length, 2);
});
