import { throwIfAborted } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Progress, ReportProgress } from '../../lib/progress.ts';

const REPORT_EVERY_MS = 250;

type Stage = Pick<Progress, 'phase' | 'subject' | 'bytesTotal' | 'collectionsDone' | 'collectionsTotal'>;

/** Counts what is read from the source, keeps the operator's rate and reports progress a few times a second. */
export class SourceMeter {
  documentsRead = 0;
  bytesRead = 0;
  oplogEntriesRead = 0;
  oplogBytesRead = 0;
  /** Read from the repository's slices instead of the source. */
  sliceEntriesRead = 0;
  sliceBytesRead = 0;
  readonly #clock: Clock;
  readonly #report: ReportProgress;
  readonly #signal: AbortSignal;
  readonly #bytesPerSecondMax: number;
  readonly #startedMs: number;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #state: Stage = { phase: 'starting' };

  constructor(clock: Clock, report: ReportProgress, signal: AbortSignal, bytesPerSecondMax: number) {
    this.#clock = clock;
    this.#report = report;
    this.#signal = signal;
    this.#bytesPerSecondMax = bytesPerSecondMax;
    this.#startedMs = clock.monotonicMs();
  }

  enter(state: Stage): void {
    this.#state = state;
    this.#emit(true);
  }

  update(state: Partial<Stage>): void {
    this.#state = { ...this.#state, ...state };
    this.#emit(false);
  }

  /** Waits where the operator's limit asks for it. */
  async read(documents: number, bytes: number): Promise<void> {
    throwIfAborted(this.#signal);
    this.documentsRead += documents;
    this.bytesRead += bytes;
    this.#emit(false);
    if (this.#bytesPerSecondMax <= 0) return;
    const dueMs = this.#startedMs + (this.bytesRead / this.#bytesPerSecondMax) * 1000;
    const aheadMs = dueMs - this.#clock.monotonicMs();
    if (aheadMs > 1) await this.#clock.sleep(aheadMs, this.#signal);
  }

  #emit(always: boolean): void {
    const now = this.#clock.monotonicMs();
    if (!always && now - this.#reportedMs < REPORT_EVERY_MS) return;
    this.#reportedMs = now;
    this.#report({ ...this.#state, documentsDone: this.documentsRead, bytesDone: this.bytesRead });
  }
}
