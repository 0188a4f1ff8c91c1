import type { Clock } from '../lib/clock.ts';
import type { Progress } from '../lib/progress.ts';
import { type Colors, visibleWidth } from './colors.ts';
import { leftMs, shareOfWhole } from './progress-phases.ts';
import { formatBytes, formatDuration, formatNumberOf, formatRate } from './sizes.ts';
import type { Terminal } from './terminal.ts';

const DRAW_EVERY_MS = 100;
const BAR_CELLS = 24;
/** Where the line is narrow what is left to wait matters more. */
const BAR_CELLS_NARROW = 14;
const BAR_CELLS_MIN = 6;
const NARROW_COLUMNS = 100;
/** `  100 %  59 min 59 s left`, and the gap before the bar. */
const BESIDE_BAR = 27;
const ERASE_LINE = '\r\u001b[2K';

/**
 * One line that is redrawn in place on a terminal; where standard error is no terminal, one line for each phase and
 * nothing else, so that a log stays readable. `report` returns at once and may be called from inner loops.
 */
export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #clock: Clock;
  #phase: string | null = null;
  #phaseSinceMs = 0;
  #bytesBefore = 0;
  #share = 0;
  #drawnAtMs = Number.NEGATIVE_INFINITY;
  #onScreen = false;

  constructor(terminal: Terminal, clock: Clock) {
    this.#terminal = terminal;
    this.#clock = clock;
  }

  report(progress: Progress): void {
    const nowMs = this.#clock.monotonicMs();
    const newPhase = progress.phase !== this.#phase;
    if (newPhase) {
      this.#phase = progress.phase;
      this.#phaseSinceMs = nowMs;
      this.#bytesBefore = progress.bytesDone;
      if (this.#terminal.errorColumns === null) this.#terminal.printError(`${progress.phase}\n`);
    }
    if (this.#terminal.errorColumns === null) return;
    if (!newPhase && nowMs - this.#drawnAtMs < DRAW_EVERY_MS) return;
    this.#drawnAtMs = nowMs;
    const share = shareOfWhole(progress);
    // Never backwards, but for work that begins again.
    this.#share = share === null ? 0 : Math.max(this.#share, share);
    const line = renderProgress(progress, {
      elapsedMs: nowMs - this.#phaseSinceMs,
      bytesBefore: this.#bytesBefore,
      share: share === null ? null : this.#share,
      // The last column stays free: some terminals wrap when it is written.
      columns: this.#terminal.errorColumns - 1,
      colors: this.#terminal.errorColors,
    });
    this.#terminal.printError(ERASE_LINE + line);
    this.#onScreen = true;
  }

  /** Takes the line away; what follows is printed in its place. */
  clear(): void {
    if (this.#onScreen) this.#terminal.printError(ERASE_LINE);
    this.#onScreen = false;
  }
}

/**
 * `scanning     ██████░░░░  52 %  5.1 s left  1.2 GB of 2.3 GB  210 MB/s  shop.orders`, as much of it as the line
 * holds.
 * `share` is of the whole; `elapsedMs` and `bytesBefore` are of the phase.
 */
export function renderProgress(
  progress: Progress,
  options: { elapsedMs: number; columns: number; colors: Colors; bytesBefore?: number; share?: number | null },
): string {
  const { colors, elapsedMs, bytesBefore = 0, share = shareOfWhole(progress) } = options;
  const parts = [colors.bold(progress.phase.padEnd(12))];
  if (share !== null) {
    const cells = cellsOf(progress.phase, options.columns);
    const full = Math.floor(share * cells);
    parts.push(colors.cyan('█'.repeat(full)) + colors.dim('░'.repeat(cells - full)));
    parts.push(`${String(Math.floor(share * 100)).padStart(3)} %`);
  }
  const left = leftMs(progress, elapsedMs);
  if (left !== null) parts.push(`${formatDuration(left)} left`);
  const { bytesDone, bytesTotal = 0 } = progress;
  // The total is an estimate: what was done is never more than all.
  if (bytesTotal > 0) parts.push(`${formatBytes(bytesDone)} of ${formatBytes(Math.max(bytesTotal, bytesDone))}`);
  else if (bytesDone > 0) parts.push(formatBytes(bytesDone));
  if (bytesDone > bytesBefore && elapsedMs >= 500) parts.push(formatRate(bytesDone - bytesBefore, elapsedMs));
  if (progress.documentsDone > 0) parts.push(colors.dim(formatNumberOf(progress.documentsDone, 'document')));
  if (progress.collectionsTotal !== undefined) {
    parts.push(colors.dim(`${progress.collectionsDone ?? 0}/${progress.collectionsTotal} collections`));
  }
  if (progress.subject !== undefined) parts.push(colors.dim(progress.subject));
  return joinWithin(parts, options.columns);
}

function cellsOf(phase: string, columns: number): number {
  if (columns >= NARROW_COLUMNS) return BAR_CELLS;
  return Math.max(BAR_CELLS_MIN, Math.min(BAR_CELLS_NARROW, columns - visibleWidth(phase) - BESIDE_BAR));
}

function joinWithin(parts: readonly string[], columns: number): string {
  let line = '';
  for (const part of parts) {
    const next = line === '' ? part : `${line}  ${part}`;
    if (visibleWidth(next) > columns) break;
    line = next;
  }
  return line;
}
