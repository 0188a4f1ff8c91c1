import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../lib/clock.ts';
import { noColors, visibleWidth } from './colors.ts';
import { ProgressBar, renderProgress } from './progress-bar.ts';
import { RecordingTerminal } from './recording-terminal.ts';

function movedClock(): Clock & { nowAt: number } {
  return {
    nowAt: 0,
    nowMs() {
      return this.nowAt;
    },
    monotonicMs() {
      return this.nowAt;
    },
    sleep: async () => {},
  };
}

const progress = { phase: 'scanning', documentsDone: 10, bytesDone: 500e6, bytesTotal: 1e9, subject: 'shop.orders' };

test('shows share, rate and time left', () => {
  const line = renderProgress(progress, { elapsedMs: 2000, columns: 200, colors: noColors });
  assert.match(
    line,
    /^scanning +█{12}░{12} {3}50 % {2}500 MB of 1\.0 GB {2}250 MB\/s {2}2\.0 s left {2}10 documents {2}shop\.orders$/,
  );
});

test('never says more than all, however wrong the estimate', () => {
  const line = renderProgress({ ...progress, bytesDone: 3e9 }, { elapsedMs: 2000, columns: 200, colors: noColors });
  assert.match(line, /100 % {2}3\.0 GB of 3\.0 GB/);
});

test('fits the line', () => {
  for (const columns of [10, 40, 79]) {
    const line = renderProgress(progress, { elapsedMs: 2000, columns, colors: noColors });
    assert.ok(visibleWidth(line) <= columns, `${visibleWidth(line)} > ${columns}`);
  }
});

test('redraws at most ten times a second on a terminal, and clears its line', () => {
  const terminal = new RecordingTerminal({ columns: 100 });
  const clock = movedClock();
  const bar = new ProgressBar(terminal, clock);
  for (; clock.nowAt < 1000; clock.nowAt += 1) bar.report(progress);
  assert.equal(terminal.errors.length, 10);
  bar.clear();
  assert.equal(terminal.errors.at(-1), '\r\u001b[2K');
});

test('prints one line for each phase where there is no terminal', () => {
  const terminal = new RecordingTerminal();
  const bar = new ProgressBar(terminal, movedClock());
  for (const phase of ['scanning', 'scanning', 'catching up']) bar.report({ ...progress, phase });
  bar.clear();
  assert.deepEqual(terminal.errors, ['scanning\n', 'catching up\n']);
});
