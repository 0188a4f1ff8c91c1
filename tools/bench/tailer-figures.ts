import { formatBytes, formatCount, formatDuration } from '../../src/cli/sizes.ts';
import type { Column } from '../../src/cli/table.ts';
import type { TailerFigures } from './tailer-speed.ts';

export const tailerColumns: readonly Column[] = [
  { header: 'WHAT', elastic: true },
  { header: 'MEASURED', align: 'right' },
  { header: 'BUDGET', align: 'right' },
  { header: '' },
];

const LAG_SECONDS_MAX = 10;
/** How much faster than the source made them entries should be replayed. */
const REPLAY_TIMES_MIN = 3;

export function tailerRows(figures: TailerFigures): string[][] {
  const rate = (perSecond: number): string => `${formatCount(Math.round(perSecond))}/s`;
  const verdict = (held: boolean): string => (held ? 'held' : 'MISSED');
  const times = figures.replayedPerSecond / figures.entriesPerSecond;
  return [
    ['writes, wanted', rate(figures.wantedPerSecond), '', ''],
    ['writes, done', rate(figures.writtenPerSecond), '', ''],
    ['entries of the oplog', rate(figures.entriesPerSecond), '', ''],
    [
      'lag, at most',
      `${figures.lagSecondsMax} s`,
      `${LAG_SECONDS_MAX} s`,
      verdict(figures.lagSecondsMax <= LAG_SECONDS_MAX),
    ],
    ['lag, on average', `${figures.lagSecondsMean.toFixed(1)} s`, '', ''],
    ['processor, of one core', `${(figures.cpuShare * 100).toFixed(1)} %`, '', ''],
    ['memory', formatBytes(figures.rssBytes), '', ''],
    ['slices', `${figures.slices}, ${formatBytes(figures.storedBytes)}`, '', ''],
    ['replay', rate(figures.replayedPerSecond), '', ''],
    [
      'replay, against the source',
      `${times.toFixed(2)} x`,
      `${REPLAY_TIMES_MIN} x`,
      verdict(times >= REPLAY_TIMES_MIN),
    ],
    ['restore to the last moment, whole', formatDuration(figures.restoreMs), '', ''],
  ];
}
