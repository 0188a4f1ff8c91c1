import { mapPage } from '../../catalog/page.ts';
import type { TaskRow } from '../../catalog/schema.ts';
import { findTask, findTaskOfSubject, listTasks } from '../../catalog/tasks.ts';
import type { Progress } from '../../lib/progress.ts';
import type { TaskHandlers } from '../../tasks/handler.ts';
import { requestCancel } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import { requireTaskMayStop } from '../policies/enforcement.ts';
import { refuse } from '../refusals/refusals.ts';
import type { Task, Tasks } from './tasks.ts';

export function createTasks({ catalog, clock }: DomainContext, handlers: TaskHandlers): Tasks {
  return {
    list: async ({ unfinished, page }) =>
      mapPage(await listTasks(catalog.reader, { unfinished: unfinished === true, page }), taskOf),

    get: async (taskId) => {
      const task = await findTask(catalog.reader, taskId);
      if (task === undefined) throw refuse('TASK_NOT_FOUND', [taskId]);
      return taskOf(task);
    },

    ofSubject: async (subjectId) => {
      const task = await findTaskOfSubject(catalog.reader, subjectId);
      return task === undefined ? null : taskOf(task);
    },

    cancel: async (taskId) => {
      const task = await catalog.transact(async (writer) => {
        await requireTaskMayStop(writer, taskId);
        return await requestCancel(writer, handlers, { taskId, nowMs: clock.nowMs() });
      });
      if (task === null) throw refuse('TASK_NOT_FOUND', [taskId]);
      return taskOf(task);
    },
  };
}

function taskOf(row: TaskRow): Task {
  return {
    id: row.id,
    kind: row.kind,
    state: row.state,
    subjectId: row.subjectId,
    attempts: row.attempts,
    attemptsMax: row.attemptsMax,
    progress: row.progress === null ? null : (JSON.parse(row.progress) as Progress),
    failureReason: row.failureReason,
    cancelRequested: row.cancelRequestedAtMs !== null,
    createdAtMs: row.createdAtMs,
    startedAtMs: row.startedAtMs,
    finishedAtMs: row.finishedAtMs,
  };
}
