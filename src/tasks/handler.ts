import type { CatalogWriter } from '../catalog/catalog.ts';
import type { TaskKind, TaskRow } from '../catalog/schema.ts';
import type { ReportProgress } from '../lib/progress.ts';

/**
 * What a handler works with. It may be run more than once for one task: after a crash, a lost lease or a retry it
 * starts anew and must find its own traces.
 */
export interface TaskWork {
  /** As it was claimed. */
  readonly task: TaskRow;
  /**
   * Fires when the task is cancelled, when its lease is lost and when the service stops; the handler then ends soon, by
   * throwing.
   */
  readonly signal: AbortSignal;
  readonly report: ReportProgress;
  /**
   * Runs `work` in a catalog transaction, only if the task is still held under the generation it was claimed with; else
   * it throws LeaseLost and nothing is changed.
   */
  commit<T>(work: (writer: CatalogWriter) => Promise<T>): Promise<T>;
}

/**
 * How a run ended without an error: done, with what is to be written together with the task's success; or to be run
 * again later, which counts as no attempt.
 */
export type TaskEnd = { done: (writer: CatalogWriter) => Promise<void> } | { againAfterMs: number };

export interface TaskHandler {
  run(work: TaskWork): Promise<TaskEnd>;
  /** In the transaction that ends the task without success: brings what the task was for to its end too. */
  settle(writer: CatalogWriter, task: TaskRow, end: UnsuccessfulEnd): Promise<void>;
}

export interface UnsuccessfulEnd {
  state: 'failed' | 'cancelled';
  reason: string;
  /** What the last attempt threw; absent where none did, as after a process that ended. */
  error?: unknown;
}

export type TaskHandlers = Record<TaskKind, TaskHandler>;

/** Another process has the task now. What this one still does for it changes nothing. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
  constructor(taskId: string) {
    super(`the lease of task ${taskId} was lost`);
  }
}
