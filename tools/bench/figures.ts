import { formatBytes, formatCount, formatDuration } from '../../src/cli/sizes.ts';
import type { Column } from '../../src/cli/table.ts';

export interface Incremental {
  ms: number;
  storedBytes: number;
  documentsRead: number;
  bytesRead: number;
  changedDocuments: number;
}

/**
 * The one object that `npm run bench -- --json` ends with. Times in milliseconds, sizes in bytes, ratios to the floor
 * of the same run.
 */
export interface Figures {
  dataBytes: number;
  documents: number;
  scanFloorMs: number;
  loadFloorMs: number;
  loadWithIndexesFloorMs: number;
  /** Processor time that a first snapshot takes at the least, over the cores, and what it would store. */
  boundMs: number;
  boundStoredBytes: number;
  firstSnapshotMs: number;
  firstSnapshotStoredBytes: number;
  firstSnapshotReadBytes: number;
  firstSnapshotRatio: number;
  incremental: Record<'0.1' | '1' | '10', Incremental>;
  /** The same number of changes as at 1 %, in a collection a quarter as large. */
  smaller: { dataBytes: number; firstSnapshotMs: number; incremental: Incremental };
  restoreMs: number;
  restoreRatio: number;
  /** With every blob read and hashed before the target is touched, as a restore does unless told not to. */
  restoreVerifiedMs: number;
  restoreWithIndexesMs: number;
  restoreWithIndexesRatio: number;
  peakRssBytes: number;
  peakRss: { firstSnapshot: number; incremental: number; restore: number };
}

interface Line {
  work: string;
  measured: string;
  floor: string;
  share: string;
  budget: string;
  held: boolean | null;
}

export const figureColumns: readonly Column[] = [
  { header: 'WORK' },
  { header: 'MEASURED', align: 'right' },
  { header: 'AGAINST', align: 'right' },
  { header: 'RATIO', align: 'right' },
  { header: 'BUDGET', align: 'right' },
  { header: '' },
];

export function figureRows(figures: Figures): string[][] {
  return figureLines(figures).map(({ work, measured, floor, share, budget, held }) => [
    work,
    measured,
    floor,
    share,
    budget,
    held === null ? '' : held ? 'held' : 'MISSED',
  ]);
}

function figureLines(figures: Figures): Line[] {
  const { incremental, smaller } = figures;
  const one = incremental['1'];
  const info = (work: string, measured: string): Line => ({
    work,
    measured,
    floor: '',
    share: '',
    budget: '',
    held: null,
  });
  return [
    info('scan floor', `${formatDuration(figures.scanFloorMs)}, ${rate(figures.dataBytes, figures.scanFloorMs)}`),
    info('load floor', `${formatDuration(figures.loadFloorMs)}, ${rate(figures.dataBytes, figures.loadFloorMs)}`),
    timed('first snapshot', figures.firstSnapshotMs, figures.scanFloorMs, 3, 'x'),
    timed('  against what the processors have to do', figures.firstSnapshotMs, figures.boundMs, 1.15, 'x'),
    {
      ...info('  stored', `${formatBytes(figures.firstSnapshotStoredBytes)} of ${formatBytes(figures.dataBytes)}`),
      floor: formatBytes(figures.boundStoredBytes),
      share: `${(figures.firstSnapshotStoredBytes / figures.boundStoredBytes).toFixed(2)} x`,
    },
    ...(['0.1', '1', '10'] as const).flatMap((percent) => incrementalLines(figures, percent)),
    {
      work: 'same changes, a quarter of the data',
      measured: formatDuration(smaller.incremental.ms),
      floor: formatDuration(one.ms),
      share: `${(one.ms / smaller.incremental.ms).toFixed(2)} x`,
      budget: 'no growth',
      held: one.ms <= smaller.incremental.ms * 1.5,
    },
    timed('restore, no indexes, --skip-verify', figures.restoreMs, figures.loadFloorMs, 1.15, 'x'),
    timed('restore, no indexes, verified', figures.restoreVerifiedMs, figures.loadFloorMs, null, 'x'),
    timed(
      'restore with indexes, --skip-verify',
      figures.restoreWithIndexesMs,
      figures.loadWithIndexesFloorMs,
      null,
      'x',
    ),
    {
      work: 'peak memory',
      measured: formatBytes(figures.peakRssBytes),
      floor: '',
      share: '',
      budget: '512 MB',
      held: figures.peakRssBytes <= 512 * 1024 * 1024,
    },
  ];
}

function incrementalLines(figures: Figures, percent: '0.1' | '1' | '10'): Line[] {
  const { ms, storedBytes, documentsRead, changedDocuments } = figures.incremental[percent];
  const budgeted = percent === '1';
  return [
    timed(`incremental, ${percent} % changed`, ms, figures.firstSnapshotMs, budgeted ? 0.1 : null, '%'),
    {
      work: '  stored',
      measured: formatBytes(storedBytes),
      floor: formatBytes(figures.firstSnapshotStoredBytes),
      share: share(storedBytes, figures.firstSnapshotStoredBytes),
      budget: budgeted ? '3.0 %' : '',
      held: budgeted ? storedBytes <= figures.firstSnapshotStoredBytes * 0.03 : null,
    },
    {
      work: '  documents read',
      measured: formatCount(documentsRead),
      floor: formatCount(changedDocuments),
      share: `${(documentsRead / Math.max(1, changedDocuments)).toFixed(2)} x`,
      budget: '',
      held: null,
    },
  ];
}

function timed(work: string, ms: number, floorMs: number, budget: number | null, unit: 'x' | '%'): Line {
  const ratio = ms / floorMs;
  const show = (value: number): string => (unit === 'x' ? `${value.toFixed(2)} x` : `${(value * 100).toFixed(1)} %`);
  return {
    work,
    measured: formatDuration(ms),
    floor: formatDuration(floorMs),
    share: show(ratio),
    budget: budget === null ? '' : show(budget),
    held: budget === null ? null : ratio <= budget,
  };
}

function share(part: number, whole: number): string {
  return `${((part / whole) * 100).toFixed(1)} %`;
}

function rate(bytes: number, ms: number): string {
  return `${formatBytes((bytes * 1000) / ms)}/s`;
}
