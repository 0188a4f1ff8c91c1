import type { Catalog, CatalogWriter } from '../catalog/catalog.ts';
import type { TaskKind, TaskRow } from '../catalog/schema.ts';
import { runningTasksOf, updateTaskUnder } from '../catalog/tasks.ts';
import { assert } from '../lib/assert.ts';
import type { Clock } from '../lib/clock.ts';
import { CANCELLED_ON_REQUEST, Cancelled, CancelledHalfway, describeError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Random } from '../lib/random.ts';
import { describeTries, describeWait, retryDelayMs } from '../lib/weather/patience.ts';
import { LeaseLost, type TaskEnd, type TaskHandlers } from './handler.ts';
import { Pause } from './pause.ts';
import { cancelReason, claimTask, endTask, putBack, renewLease } from './queue.ts';
import { mayRetry, triedOf } from './task.ts';
import { TaskRun } from './task-run.ts';

export interface WorkerOptions {
  catalog: Catalog;
  clock: Clock;
  random: Random;
  log: Logger;
  handlers: TaskHandlers;
  /** Who holds the leases: unique among the processes on one catalog, and the same again after a restart. */
  owner: string;
  /** Tasks at once. */
  concurrency: number;
  /** Only tasks of these kinds; all where left out. */
  kinds?: readonly TaskKind[] | undefined;
  /**
   * What a handler threw, said as a Fault where it is the world's: what passes is known from it, and what is told. Left
   * out: as it is.
   */
  explain?: (error: unknown, task: TaskRow) => unknown;
  /** A dead worker's task is free after this. */
  leaseMs?: number;
  /** How often an idle worker looks for work that another process queued; what this one queues wakes it. */
  pollMs?: number;
  /** How often running tasks are looked at for a cancel request or a lost lease. */
  watchMs?: number;
}

/**
 * Runs tasks. Modes: *running* (claims while it has free places; a second loop watches what runs: renews leases, passes
 * on cancel requests, writes progress), *stopping* (claims nothing, has told what runs to stop), *stopped*. What a run
 * comes to is decided here alone:
 *
 * - it ended well: its last writes and the task's success are one transaction;
 * - its lease is lost: nothing, somebody else has it;
 * - it was cancelled: the task ends cancelled, its subject is settled in the same transaction;
 * - the service stops: put back, free at once, the attempt not counted;
 * - weather, and there is patience left (`patienceOf`): put back for later, saying what it waits for;
 * - anything else: failed, with the reason; its subject is settled in the same transaction.
 */
export class Worker {
  readonly #options: Required<Omit<WorkerOptions, 'kinds'>> & Pick<WorkerOptions, 'kinds'>;
  readonly #runs = new Map<string, TaskRun>();
  readonly #pause: Pause;
  #mode: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #loops: Promise<void>[] = [];
  readonly #stopWatching = new AbortController();

  constructor(options: WorkerOptions) {
    this.#options = { leaseMs: 30_000, pollMs: 1_000, watchMs: 300, explain: (error) => error, ...options };
    assert(this.#options.concurrency >= 1, 'a worker runs at least one task');
    assert(this.#options.watchMs * 3 < this.#options.leaseMs, 'a lease is renewed well before its end');
    this.#pause = new Pause(options.clock);
  }

  get activeTasks(): number {
    return this.#runs.size;
  }

  start(): void {
    assert(this.#mode === 'new', 'a worker is started once');
    this.#mode = 'running';
    this.#loops = [this.#claimLoop(), this.#watchLoop()];
  }

  /** There may be something to do. */
  wake(): void {
    this.#pause.end();
  }

  /** Tells what runs to stop and waits until it has, so that another start finds every task free. */
  async stop(): Promise<void> {
    if (this.#mode === 'new') this.#mode = 'stopped';
    if (this.#mode !== 'running') return;
    this.#mode = 'stopping';
    for (const run of this.#runs.values()) run.stopFor('shutdown', new Cancelled('the service is stopping'));
    this.#pause.end();
    await Promise.all([...this.#runs.values()].map(async (run) => await run.ended));
    this.#stopWatching.abort();
    await Promise.all(this.#loops);
    assert(this.#runs.size === 0, 'nothing runs in a stopped worker');
    this.#mode = 'stopped';
  }

  async #claimLoop(): Promise<void> {
    const { catalog, clock, owner, leaseMs, concurrency, pollMs, log, kinds } = this.#options;
    while (this.#mode === 'running') {
      try {
        while (this.#runs.size < concurrency && this.#mode === 'running') {
          const task = await claimTask(catalog, { owner, leaseMs, kinds, nowMs: clock.nowMs() });
          if (task === null) break;
          this.#begin(task);
        }
      } catch (error) {
        // The catalog is away (its disk is full, another process holds it): nothing was claimed, so nothing is lost by
        // asking again.
        log.error({ err: error }, 'the worker could not look for work');
      }
      if (this.#mode === 'running') await this.#pause.wait(pollMs);
    }
  }

  #begin(task: TaskRow): void {
    const { clock, leaseMs, log, catalog } = this.#options;
    const run = new TaskRun({ task, clock, leaseMs, catalog });
    this.#runs.set(task.id, run);
    log.info({ task: task.id, kind: task.kind, subject: task.subjectId, attempt: task.attempts }, 'task started');
    run.ended = this.#execute(run)
      .catch((error: unknown) => {
        if (error instanceof LeaseLost) return log.warn({ task: task.id }, 'a task was taken over before its end');
        // The outcome could not be recorded. The lease runs out, or the next start frees it, and the task is taken up
        // again.
        log.error({ err: error, task: task.id }, 'the end of a task could not be recorded');
      })
      .finally(() => {
        this.#runs.delete(task.id);
        this.#pause.end();
      });
    if (this.#mode !== 'running') run.stopFor('shutdown', new Cancelled('the service is stopping'));
  }

  async #execute(run: TaskRun): Promise<void> {
    const { task } = run;
    if (task.cancelRequestedAtMs !== null) return await this.#settle(run, 'stop', cancelReason(task));
    if (task.attempts > task.attemptsMax) {
      const last = task.failureReason === null ? '' : `; before that: ${task.failureReason}`;
      const reason = `the process that ran it ended before it did, and its ${task.attemptsMax} attempts are used up${last}`;
      return await this.#settle(run, 'fail', reason);
    }
    try {
      const end = await this.#options.handlers[task.kind].run(run);
      await this.#finish(run, end);
    } catch (error) {
      await this.#afterFailure(run, error);
    }
  }

  async #finish(run: TaskRun, end: TaskEnd): Promise<void> {
    const { clock, log } = this.#options;
    if ('againAfterMs' in end) {
      await this.#putBack(run, { delayMs: end.againAfterMs, attempts: run.task.attempts - 1 });
      return;
    }
    await this.#endInTransaction(run, 'succeed', null, end.done);
    log.info({ task: run.task.id, kind: run.task.kind, ms: clock.monotonicMs() - run.startedMs }, 'task succeeded');
  }

  async #afterFailure(run: TaskRun, thrown: unknown): Promise<void> {
    const { log, clock } = this.#options;
    const { task } = run;
    const error = this.#options.explain(thrown, task);
    if (run.lost || error instanceof LeaseLost) {
      log.warn({ task: task.id, kind: task.kind }, 'the lease of a task was lost; another worker has it');
      return;
    }
    const halfway = error instanceof CancelledHalfway ? { failureReason: error.message } : {};
    if (run.stoppedFor === 'cancel')
      return await this.#settle(run, 'stop', halfway.failureReason ?? cancelReason(task));
    if (run.stoppedFor === 'shutdown')
      return await this.#putBack(run, { delayMs: 0, attempts: task.attempts - 1, ...halfway });
    if (mayRetry(error, task, clock.nowMs())) return await this.#tryLater(run, error);
    log.error({ err: error, task: task.id, kind: task.kind, subject: task.subjectId }, 'a task failed');
    const tries = task.attempts === 1 ? '' : ` (${describeTries(triedOf(task, clock.nowMs()))})`;
    await this.#settle(run, 'fail', `${describeError(error)}${tries}`, { error });
  }

  /** Until then it is free to be cancelled, holds nothing, and says what it waits for. */
  async #tryLater(run: TaskRun, error: unknown): Promise<void> {
    const { log, random } = this.#options;
    const { task } = run;
    const delayMs = retryDelayMs(task.attempts, random.bytes(2).readUInt16BE(0) / 0xffff);
    log.warn({ err: error, task: task.id, kind: task.kind, delayMs }, 'a task failed and will be tried again');
    const failureReason = describeError(error);
    const { subject: _, ...done } = run.lastProgress ?? { documentsDone: 0, bytesDone: 0 };
    const phase = describeWait(delayMs, task.attempts + 1, task.attemptsMax, failureReason);
    const progress = JSON.stringify({ ...done, phase });
    await this.#putBack(run, { delayMs, attempts: task.attempts, failureReason, progress });
  }

  async #settle(run: TaskRun, event: 'fail' | 'stop', reason: string, thrown: { error?: unknown } = {}): Promise<void> {
    const state = event === 'fail' ? 'failed' : 'cancelled';
    const { handlers } = this.#options;
    await this.#endInTransaction(run, event, reason, async (writer) => {
      await handlers[run.task.kind].settle(writer, run.task, { state, reason, ...thrown });
    });
  }

  async #endInTransaction(
    run: TaskRun,
    event: 'succeed' | 'fail' | 'stop',
    failureReason: string | null,
    last: (writer: CatalogWriter) => Promise<void>,
  ): Promise<void> {
    const { catalog, clock } = this.#options;
    await catalog.transact(async (writer) => {
      // Fenced first: on a database with real concurrency this also locks the row until the commit.
      const held = await endTask(writer, run.task, { event, nowMs: clock.nowMs(), failureReason });
      if (!held) throw new LeaseLost(run.task.id);
      await last(writer);
    });
  }

  async #putBack(
    run: TaskRun,
    how: { delayMs: number; attempts: number; failureReason?: string; progress?: string },
  ): Promise<void> {
    const { catalog, clock } = this.#options;
    const { delayMs, ...rest } = how;
    await catalog.transact(async (writer) => {
      await putBack(writer, run.task, { runAfterMs: clock.nowMs() + delayMs, ...rest });
    });
  }

  async #watchLoop(): Promise<void> {
    const { clock, watchMs, log } = this.#options;
    const { signal } = this.#stopWatching;
    while (!signal.aborted) {
      try {
        await this.#watch();
      } catch (error) {
        // Leases that cannot be renewed are given up by their own time (below), so that this needs no more than another
        // try.
        log.error({ err: error }, 'the worker could not look after its tasks');
      }
      for (const run of this.#runs.values()) {
        if (run.leaseRanOut()) run.loseLease();
      }
      await clock.sleep(watchMs, signal).catch(() => undefined);
    }
  }

  async #watch(): Promise<void> {
    const { catalog, clock, owner, leaseMs } = this.#options;
    // Before the query: a task claimed while it is under way is not missed, it is not looked for.
    const watched = [...this.#runs.values()];
    if (watched.length === 0) return;
    const rows = new Map((await runningTasksOf(catalog.reader, owner)).map((row) => [row.id, row]));
    for (const run of watched) {
      if (!this.#runs.has(run.task.id)) continue;
      const row = rows.get(run.task.id);
      if (row === undefined || row.generation !== run.task.generation) run.loseLease();
      else if (row.cancelRequestedAtMs !== null) run.stopFor('cancel', new Cancelled(CANCELLED_ON_REQUEST));
    }
    const news = watched.filter((run) => run.hasNews() && !run.lost);
    if (news.length === 0) return;
    await catalog.transact(async (writer) => {
      for (const run of news) {
        const progress = run.takeProgress();
        if (progress !== null) await updateTaskUnder(writer, run.task, { progress: JSON.stringify(progress) });
        if (run.renewalDue()) {
          if (await renewLease(writer, run.task, clock.nowMs() + leaseMs)) run.renewed();
        }
      }
    });
  }
}
