import type { Clock } from '../lib/clock.ts';
import type { Progress } from '../lib/progress.ts';
import { type Colors, visibleWidth } from './colors.ts';
import { formatBytes, formatDuration, formatNumberOf, formatRate } from './sizes.ts';
import type { Terminal } from './terminal.ts';

const DRAW_EVERY_MS = 100;
const BAR_CELLS = 24;
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
      if (this.#terminal.errorColumns === null) this.#terminal.printError(`${progress.phase}\n`);
    }
    if (this.#terminal.errorColumns === null) return;
    if (!newPhase && nowMs - this.#drawnAtMs < DRAW_EVERY_MS) return;
    this.#drawnAtMs = nowMs;
    const line = renderProgress(progress, {
      elapsedMs: nowMs - this.#phaseSinceMs,
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
 * `scanning     ██████░░░░  52 %  1.2 GB of 2.3 GB  210 MB/s  5.1 s left  shop.orders`, as much of it as the line
 * holds.
 */
export function renderProgress(
  progress: Progress,
  options: { elapsedMs: number; columns: number; colors: Colors },
): string {
  const { colors, elapsedMs } = options;
  const total = progress.bytesTotal ?? 0;
  // The total is an estimate: the bar waits at its end rather than pass it.
  const share = total > 0 ? Math.min(1, progress.bytesDone / total) : null;
  const parts = [colors.bold(progress.phase.padEnd(12))];
  if (share !== null) {
    const full = Math.floor(share * BAR_CELLS);
    parts.push(colors.cyan('█'.repeat(full)) + colors.dim('░'.repeat(BAR_CELLS - full)));
    parts.push(`${String(Math.floor(share * 100)).padStart(3)} %`);
    parts.push(`${formatBytes(progress.bytesDone)} of ${formatBytes(Math.max(total, progress.bytesDone))}`);
  } else if (progress.bytesDone > 0) parts.push(formatBytes(progress.bytesDone));
  if (progress.bytesDone > 0 && elapsedMs >= 500) parts.push(formatRate(progress.bytesDone, elapsedMs));
  if (share !== null && share >= 0.02 && share < 1 && elapsedMs >= 1000) {
    parts.push(`${formatDuration((elapsedMs * (1 - share)) / share)} left`);
  }
  if (progress.documentsDone > 0) parts.push(colors.dim(formatNumberOf(progress.documentsDone, 'document')));
  if (progress.collectionsTotal !== undefined) {
    parts.push(colors.dim(`${progress.collectionsDone ?? 0}/${progress.collectionsTotal} collections`));
  }
  if (progress.subject !== undefined) parts.push(colors.dim(progress.subject));
  return joinWithin(parts, options.columns);
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
