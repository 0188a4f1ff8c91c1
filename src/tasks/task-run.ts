import type { Catalog, CatalogWriter } from '../catalog/catalog.ts';
import type { TaskRow } from '../catalog/schema.ts';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import type { Progress } from '../lib/progress.ts';
import { LeaseLost, type TaskWork } from './handler.ts';
import { renewLease } from './queue.ts';

/** Progress is for people: it is written no more often than this. */
const PROGRESS_EVERY_MS = 1000;

/** One claim of a task, from its start to its end, in this process. */
export class TaskRun implements TaskWork {
  readonly task: TaskRow;
  /** Set once the run has begun; resolves when its outcome is recorded, never rejects. */
  ended: Promise<void> = Promise.resolve();
  readonly startedMs: number;
  #lost = false;
  #stoppedFor: 'cancel' | 'shutdown' | null = null;
  readonly #clock: Clock;
  readonly #catalog: Catalog;
  readonly #leaseMs: number;
  readonly #controller = new AbortController();
  #progress: Progress | null = null;
  /** What was reported last, written or not. */
  lastProgress: Progress | null = null;
  #progressWrittenMs = Number.NEGATIVE_INFINITY;
  #renewedMs: number;

  constructor(options: { task: TaskRow; clock: Clock; leaseMs: number; catalog: Catalog }) {
    assert(options.task.state === 'running', 'only a claimed task is run');
    this.task = options.task;
    this.#clock = options.clock;
    this.#catalog = options.catalog;
    this.#leaseMs = options.leaseMs;
    this.startedMs = options.clock.monotonicMs();
    this.#renewedMs = this.startedMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get lost(): boolean {
    return this.#lost;
  }

  /** Why it was told to stop, where it was. A cancel stays a cancel when the service stops as well. */
  get stoppedFor(): 'cancel' | 'shutdown' | null {
    return this.#stoppedFor;
  }

  readonly report = (progress: Progress): void => {
    this.#progress = progress;
    this.lastProgress = progress;
  };

  async commit<T>(work: (writer: CatalogWriter) => Promise<T>): Promise<T> {
    return await this.#catalog.transact(async (writer) => {
      const held = await renewLease(writer, this.task, this.#clock.nowMs() + this.#leaseMs);
      if (!held) {
        this.loseLease();
        throw new LeaseLost(this.task.id);
      }
      return await work(writer);
    });
  }

  stopFor(reason: 'cancel' | 'shutdown', error: Error): void {
    if (this.#stoppedFor === null || reason === 'cancel') this.#stoppedFor = reason;
    this.#controller.abort(error);
  }

  loseLease(): void {
    this.#lost = true;
    this.#controller.abort(new LeaseLost(this.task.id));
  }

  /**
   * By the monotonic clock of this process: it has not managed to renew for so long that another may have the task by
   * now.
   */
  leaseRanOut(): boolean {
    return this.#clock.monotonicMs() - this.#renewedMs >= this.#leaseMs;
  }

  renewalDue(): boolean {
    return this.#clock.monotonicMs() - this.#renewedMs >= this.#leaseMs / 3;
  }

  renewed(): void {
    this.#renewedMs = this.#clock.monotonicMs();
  }

  hasNews(): boolean {
    return this.renewalDue() || this.#progressDue();
  }

  /** Progress not yet written, when it is time to write it. */
  takeProgress(): Progress | null {
    if (!this.#progressDue()) return null;
    const progress = this.#progress;
    this.#progress = null;
    this.#progressWrittenMs = this.#clock.monotonicMs();
    return progress;
  }

  #progressDue(): boolean {
    return this.#progress !== null && this.#clock.monotonicMs() - this.#progressWrittenMs >= PROGRESS_EVERY_MS;
  }
}
