import type { Catalog, CatalogWriter } from '../catalog/catalog.ts';
import type { TaskKind, TaskRow } from '../catalog/schema.ts';
import {
  expireLeasesOf,
  findTask,
  insertTask,
  nextClaimableTask,
  type Pin,
  updateTask,
  updateTaskUnder,
} from '../catalog/tasks.ts';
import { assert, must } from '../lib/assert.ts';
import { CANCELLED_ON_REQUEST } from '../lib/errors.ts';
import type { TaskHandlers } from './handler.ts';
import { patienceOf } from './patience.ts';
import { hasEnded, nextTaskState } from './task.ts';

/**
 * The queue is a table. A task is held under a lease, which its worker renews, and a generation, which grows with every
 * claim: whoever was slow, suspended or cut off finds the generation changed and can commit nothing. So at most one
 * worker's work counts, whatever clocks and processes do.
 */
export interface TaskRequest {
  id: string;
  kind: TaskKind;
  subjectId: string;
  exclusiveKey: string | null;
  /** Left out: what `patienceOf` says of its kind. */
  attemptsMax?: number;
  nowMs: number;
  delayMs?: number;
  pin?: Pin;
}

/** Only one task that writes to a cluster, or reads all of it, runs at a time. */
export function clusterKey(clusterId: string): string {
  return `cluster/${clusterId}`;
}

/** In the caller's transaction: the task is there if and only if what it is for is there. */
export async function enqueueTask(writer: CatalogWriter, request: TaskRequest): Promise<void> {
  const attemptsMax = request.attemptsMax ?? patienceOf[request.kind].attemptsMax;
  assert(attemptsMax >= 1, 'a task gets at least one attempt');
  await insertTask(writer, {
    id: request.id,
    kind: request.kind,
    state: 'queued',
    subjectId: request.subjectId,
    exclusiveKey: request.exclusiveKey,
    attempts: 0,
    attemptsMax,
    runAfterMs: request.nowMs + (request.delayMs ?? 0),
    generation: 0,
    leaseOwner: null,
    leaseExpiresAtMs: null,
    cancelRequestedAtMs: null,
    pinnedClusterId: request.pin?.clusterId ?? null,
    pinnedSnapshotId: request.pin?.snapshotId ?? null,
    progress: null,
    failureReason: null,
    createdAtMs: request.nowMs,
    startedAtMs: null,
    finishedAtMs: null,
  });
}

/** Takes the next task that is due and free, or one whose lease ran out; null where there is none. */
export async function claimTask(
  catalog: Catalog,
  claim: { owner: string; nowMs: number; leaseMs: number; kinds?: readonly TaskKind[] | undefined },
): Promise<TaskRow | null> {
  assert(claim.leaseMs > 0, 'a lease lasts for a while');
  // Looked for outside a transaction first: an idle worker asks often, and would hold the write lock each time.
  if ((await nextClaimableTask(catalog.reader, claim.nowMs, claim.kinds)) === undefined) return null;
  return await catalog.transact(async (writer) => {
    const task = await nextClaimableTask(writer, claim.nowMs, claim.kinds);
    if (task === undefined) return null;
    const changes = {
      state: nextTaskState(task.state, 'claim'),
      attempts: task.attempts + 1,
      generation: task.generation + 1,
      leaseOwner: claim.owner,
      leaseExpiresAtMs: claim.nowMs + claim.leaseMs,
      startedAtMs: task.startedAtMs ?? claim.nowMs,
    };
    await updateTask(writer, task.id, changes);
    return { ...task, ...changes };
  });
}

export interface HeldTask {
  id: string;
  generation: number;
}

/** Lengthens the lease. False when the task is no longer held: it never is again, since generations only grow. */
export async function renewLease(writer: CatalogWriter, held: HeldTask, leaseExpiresAtMs: number): Promise<boolean> {
  return await updateTaskUnder(writer, held, { leaseExpiresAtMs });
}

/**
 * Back to the queue: for a retry, because the service stops, or to wait for something. False when it is no longer held.
 */
export async function putBack(
  writer: CatalogWriter,
  task: TaskRow,
  options: { runAfterMs: number; attempts: number; failureReason?: string; progress?: string },
): Promise<boolean> {
  assert(options.attempts >= 0 && options.attempts <= task.attempts, 'attempts are counted by claims alone');
  return await updateTaskUnder(writer, task, {
    state: nextTaskState('running', 'putBack'),
    runAfterMs: options.runAfterMs,
    attempts: options.attempts,
    leaseOwner: null,
    leaseExpiresAtMs: null,
    ...(options.failureReason === undefined ? {} : { failureReason: options.failureReason }),
    ...(options.progress === undefined ? {} : { progress: options.progress }),
  });
}

/** Ends a held task. False when it is no longer held. */
export async function endTask(
  writer: CatalogWriter,
  task: TaskRow,
  end: { event: 'succeed' | 'fail' | 'stop'; nowMs: number; failureReason: string | null },
): Promise<boolean> {
  assert((end.event === 'succeed') === (end.failureReason === null), 'what has not succeeded says why');
  return await updateTaskUnder(writer, task, {
    state: nextTaskState('running', end.event),
    leaseOwner: null,
    leaseExpiresAtMs: null,
    finishedAtMs: end.nowMs,
    failureReason: end.failureReason,
  });
}

/**
 * Why a task ended that was told to stop: with how an attempt before had ended, which may have left something behind.
 */
export function cancelReason({ failureReason }: Pick<TaskRow, 'failureReason'>): string {
  return failureReason === null ? CANCELLED_ON_REQUEST : `${CANCELLED_ON_REQUEST}; before that: ${failureReason}`;
}

/**
 * Asks a task to stop. One that waits is stopped here and now, with what it was for; one that runs is stopped by its
 * worker, soon; one that had ended stays as it ended. Returns the task as it then is, or null where there is none.
 */
export async function requestCancel(
  writer: CatalogWriter,
  handlers: Pick<TaskHandlers, TaskKind>,
  request: { taskId: string; nowMs: number },
): Promise<TaskRow | null> {
  const task = await findTask(writer, request.taskId);
  if (task === undefined) return null;
  if (hasEnded(task.state)) return task;
  if (task.state === 'queued') {
    await updateTask(writer, task.id, {
      state: nextTaskState('queued', 'stop'),
      cancelRequestedAtMs: request.nowMs,
      finishedAtMs: request.nowMs,
      failureReason: cancelReason(task),
    });
    await handlers[task.kind].settle(writer, task, { state: 'cancelled', reason: cancelReason(task) });
  } else if (task.cancelRequestedAtMs === null) {
    await updateTask(writer, task.id, { cancelRequestedAtMs: request.nowMs });
  }
  return must(await findTask(writer, task.id), 'a task does not vanish');
}

/**
 * At startup: what this instance held when it last ended is free at once, instead of when its leases run out. It counts
 * as an attempt, so that a task which takes the process down with it does not do so for ever. Returns how many there
 * were.
 */
export async function recoverTasks(catalog: Catalog, owner: string): Promise<number> {
  return await catalog.transact(async (writer) => await expireLeasesOf(writer, owner));
}

/** Sets the pin of a held task, in the handler's transaction. */
export async function pinSnapshot(writer: CatalogWriter, task: TaskRow, pin: Pin | null): Promise<void> {
  const held = await updateTaskUnder(writer, task, {
    pinnedClusterId: pin?.clusterId ?? null,
    pinnedSnapshotId: pin?.snapshotId ?? null,
  });
  assert(held, 'a pin is set by the task that holds its lease');
}
