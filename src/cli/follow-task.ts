import type { Domain, Task } from '../domain/domain.ts';
import { CANCELLED_ON_REQUEST, Cancelled, CancelledHalfway, Fault } from '../lib/errors.ts';
import type { CommandRun } from './command-run.ts';
import { ProgressBar } from './progress-bar.ts';

const POLL_MS = 150;
/** After a cancel a task has a second to stop; this is for a slow disk. */
const CANCEL_WAIT_MS = 30_000;

/**
 * Shows a task's progress until it has ended, wherever it runs: in this process's worker or in that of a server on the same data directory. Ctrl-C cancels the
 * task and waits for its end, so that nothing goes on unseen.
 */
export async function followTask(domain: Domain, taskId: string, run: CommandRun): Promise<Task> {
  const bar = new ProgressBar(run.terminal, run.clock);
  try {
    const ended = await untilEnded(domain, taskId, run, bar).catch(async (error: unknown) => {
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

async function untilEnded(domain: Domain, taskId: string, run: CommandRun, bar: ProgressBar): Promise<Task> {
  for (;;) {
    const task = await domain.tasks.get(taskId);
    if (task.state !== 'queued' && task.state !== 'running') return task;
    if (task.progress !== null) bar.report(task.progress);
    await run.clock.sleep(POLL_MS, run.signal);
  }
}
