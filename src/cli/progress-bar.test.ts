import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../lib/clock.ts';
import type { Progress } from '../lib/progress.ts';
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

const progress = { phase: 'copying', documentsDone: 10, bytesDone: 500e6, bytesTotal: 1e9, subject: 'shop.orders' };

test('shows share, rate and time left', () => {
  const line = renderProgress(progress, { elapsedMs: 2000, columns: 200, colors: noColors });
  assert.match(
    line,
    /^copying +█{12}░{12} {3}50 % {2}2\.0 s left {2}500 MB of 1\.0 GB {2}250 MB\/s {2}10 documents {2}shop\.orders$/,
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

test('the time left stands in a line of 80 columns, whatever the phase', () => {
  const phase = 'putting the collections in their places';
  for (const one of ['scanning', 'loading documents', 'waiting for the other shards', phase]) {
    const line = renderProgress({ ...progress, phase: one }, { elapsedMs: 400_000, columns: 79, colors: noColors });
    assert.match(line, / % {2}\d+ (min|h) \d\d \S+ left/, line);
  }
});

test('one bar goes evenly over the phases of a snapshot and of a restore, never back, and begins again with a retry', () => {
  const terminal = new RecordingTerminal({ columns: 80 });
  const clock = movedClock();
  const bar = new ProgressBar(terminal, clock);
  const percentAt = (shown: Partial<Progress> & { phase: string }): number => {
    clock.nowAt += 1000;
    bar.report({ documentsDone: 0, bytesDone: 0, ...shown });
    return Number(/(\d+) %/.exec(terminal.errors.at(-1) ?? '')?.[1] ?? Number.NaN);
  };
  const scanning = (bytesDone: number) => percentAt({ phase: 'scanning', bytesDone, bytesTotal: 100 });
  const snapshot = [
    percentAt({ phase: 'starting' }),
    ...[0, 25, 50, 75, 100].map(scanning),
    percentAt({ phase: 'catching up', bytesDone: 110 }),
    percentAt({ phase: 'writing manifest', bytesDone: 110 }),
  ];
  assert.deepEqual(
    snapshot,
    snapshot.toSorted((a, b) => a - b),
  );
  const steps = snapshot.map((percent, at) => percent - (snapshot[at - 1] ?? 0));
  assert.ok(Math.max(...steps) <= 25 && (snapshot.at(-1) ?? 0) >= 90, snapshot.join());
  // Of a sharded cluster one shard speaks after the other.
  assert.ok(scanning(50) >= 90);
  assert.ok(Number.isNaN(percentAt({ phase: 'waiting 4 s before try 3 of 20: the network broke' })));
  assert.ok(scanning(50) < 50);
});

test('the rate is that of the phase, not of what came before it', () => {
  const options = { elapsedMs: 1000, columns: 200, colors: noColors, bytesBefore: 400e6 };
  assert.match(renderProgress(progress, options), / {2}100 MB\/s {2}/);
});
