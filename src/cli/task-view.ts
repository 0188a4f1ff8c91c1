import type { Task } from '../domain/tasks/tasks.ts';
import type { Colors } from './colors.ts';
import { formatBytes } from './sizes.ts';

/** How commands show tasks. */

const NAMES: Record<Task['kind'], string> = {
  takeSnapshot: 'snapshot',
  deleteSnapshot: 'deletion',
  restoreSnapshot: 'restore',
  restoreCollections: 'restore',
  exportSnapshot: 'export',
  serveDownload: 'download',
  copySnapshot: 'copy',
  deleteSnapshotCopy: 'deletion',
  copyOplogs: 'copy',
  copyCatalog: 'catalog',
  tailOplog: 'capture',
  pruneSlices: 'pruning',
  releaseBalancer: 'balancer',
  takeCheckpoint: 'checkpoint',
};

export function taskName(task: Task): string {
  return NAMES[task.kind];
}

export function taskRow(task: Task, colors: Colors): string[] {
  const { id, createdAtMs, startedAtMs, finishedAtMs } = task;
  const sinceMs = finishedAtMs ?? startedAtMs ?? createdAtMs;
  return [id, paintState(task, colors), shortTime(sinceMs), taskName(task), detailOf(task)];
}

/** `11-22 10:20:30Z`. */
function shortTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(5, 19).replace('T', ' ')}Z`;
}

function paintState({ state, cancelRequested }: Task, colors: Colors): string {
  if (state === 'succeeded') return colors.green(state);
  if (state === 'failed') return colors.red(state);
  return colors.yellow(cancelRequested && state === 'running' ? 'stopping' : state);
}

function detailOf({ state, progress, failureReason, attempts, subjectId }: Task): string {
  if (failureReason !== null && state !== 'running') return failureReason;
  if (progress === null) return subjectId;
  const { bytesDone, bytesTotal, phase } = progress;
  const again = attempts > 1 ? `, try ${attempts}` : '';
  const amount = bytesDone === 0 ? '' : ` ${formatBytes(bytesDone)}`;
  return `${phase}${bytesTotal === undefined ? amount : `${amount} of ${formatBytes(bytesTotal)}`}${again}`;
}

export function taskJson({ createdAtMs, startedAtMs, finishedAtMs, ...task }: Task): object {
  const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const times = { createdAt: time(createdAtMs), startedAt: time(startedAtMs), finishedAt: time(finishedAtMs) };
  return { ...task, ...times };
}
