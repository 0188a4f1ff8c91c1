import type { Domain } from '../domain/domain.ts';
import type { Task } from '../domain/tasks/tasks.ts';
import { CANCELLED_ON_REQUEST, Cancelled, CancelledHalfway, Fault } from '../lib/errors.ts';
import type { Progress } from '../lib/progress.ts';
import type { CommandRun } from './command-run.ts';
import { ProgressBar } from './progress-bar.ts';

const POLL_MS = 150;
/** After a cancel a task has a second to stop; this is for a slow disk. */
const CANCEL_WAIT_MS = 30_000;

/**
 * Shows a task's progress until it has ended, wherever it runs: in this process's worker or in that of a server on the
 * same data directory. Ctrl-C cancels the task and waits for its end, so that nothing goes on unseen. `to`: what it
 * connects to, without secrets.
 */
export async function followTask(domain: Domain, taskId: string, run: CommandRun, to?: string): Promise<Task> {
  const bar = new ProgressBar(run.terminal, run.clock);
  try {
    const ended = await untilEnded(domain, taskId, run, bar, to).catch(async (error: unknown) => {
      if (!run.signal.aborted) throw error;
      await domain.tasks.cancel(taskId);
      return await untilEnded(domain, taskId, { ...run, signal: AbortSignal.timeout(CANCEL_WAIT_MS) }, bar);
    });
    if (ended.state === 'cancelled') throw cancelled(ended.failureReason);
    if (ended.state === 'failed') {
      throw new Fault({ op: ended.kind, subject: ended.subjectId, message: ended.failureReason ?? 'it failed' });
    }
    return ended;
  } finally {
    bar.clear();
  }
}

/** The reason of a plain cancel says nothing that the exit code does not. */
function cancelled(reason: string | null): Cancelled {
  return reason === null || reason === CANCELLED_ON_REQUEST ? new Cancelled() : new CancelledHalfway(reason);
}

/** What goes on before there is progress: to what it connects and which try that is, or why it waits for the next. */
function beginning({ state, attempts, attemptsMax, failureReason }: Task, to: string | undefined): Progress | null {
  if (to === undefined) return null;
  const nothing = { documentsDone: 0, bytesDone: 0 };
  const tries = `of ${attemptsMax}`;
  if (state === 'running') return { ...nothing, phase: `connecting to ${to}, try ${attempts} ${tries}` };
  if (attempts === 0 || failureReason === null) return null;
  return { ...nothing, phase: `waiting after try ${attempts} ${tries}: ${failureReason}` };
}

async function untilEnded(
  domain: Domain,
  taskId: string,
  run: CommandRun,
  bar: ProgressBar,
  to?: string,
): Promise<Task> {
  for (;;) {
    const task = await domain.tasks.get(taskId);
    if (task.state !== 'queued' && task.state !== 'running') return task;
    const shown = task.progress ?? beginning(task, to);
    if (shown !== null) bar.report(shown);
    await run.clock.sleep(POLL_MS, run.signal);
  }
}
