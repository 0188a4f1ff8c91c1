import type { TaskKind, TaskState } from '../../catalog/schema.ts';
import type { Progress } from '../../lib/progress.ts';
import type { Page, PageRequest } from '../names.ts';

export interface Task {
  id: string;
  kind: TaskKind;
  state: TaskState;
  subjectId: string;
  attempts: number;
  attemptsMax: number;
  progress: Progress | null;
  failureReason: string | null;
  cancelRequested: boolean;
  createdAtMs: number;
  startedAtMs: number | null;
  finishedAtMs: number | null;
}

export interface Tasks {
  /** Newest first; with `unfinished` only those queued or running. */
  list(query: { unfinished?: boolean; page: PageRequest }): Promise<Page<Task>>;
  get(taskId: string): Promise<Task>;
  /** The newest task about a snapshot, restore job or export job, or null. */
  ofSubject(subjectId: string): Promise<Task | null>;
  /** Asks it to stop; one that only waits is stopped at once. What had ended stays as it ended. */
  cancel(taskId: string): Promise<Task>;
}
