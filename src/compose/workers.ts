import type { TaskKind, TaskRow } from '../catalog/schema.ts';
import { createTaskHandlers } from '../domain/create-domain.ts';
import { asFault } from '../mongo/errors.ts';
import { Worker } from '../tasks/worker.ts';
import type { Parts } from './open-parts.ts';
import type { Tools } from './tools.ts';

/** Whatever runs has this long to stop; then it is left to the next start, which knows how to take it up. */
const STOP_MS = 20_000;

/** A checkpoint is due at the same minute on every cluster, and waits for slices most of its time. */
const CHECKPOINTS_AT_ONCE = 16;

/** A tailer is idle most of the time and holds one slice, 16 MiB at most. */
const TAILERS_AT_ONCE = 64;

/**
 * Lanes, so that what takes a moment never waits behind what takes hours (the copy that makes a new cluster survive the
 * loss of the catalog, behind two long snapshots), nor either behind what never ends.
 */
const LANES: Record<TaskKind, Lane> = {
  takeSnapshot: 'long',
  copySnapshot: 'copies',
  deleteSnapshotCopy: 'copies',
  copyOplogs: 'oplogCopies',
  restoreSnapshot: 'long',
  restoreCollections: 'long',
  exportSnapshot: 'exports',
  serveDownload: 'long',
  deleteSnapshot: 'short',
  copyCatalog: 'short',
  pruneSlices: 'short',
  releaseBalancer: 'short',
  tailOplog: 'tail',
  takeCheckpoint: 'checkpoints',
};

type Lane = 'long' | 'short' | 'tail' | 'copies' | 'oplogCopies' | 'exports' | 'checkpoints';

function kindsOf(lane: Lane): TaskKind[] {
  return (Object.keys(LANES) as TaskKind[]).filter((kind) => LANES[kind] === lane);
}

export function createWorkers(
  { catalog, context, ports }: Parts,
  { clock, random, log }: Tools,
  { owner, concurrency }: { owner: string; concurrency: number },
): Worker[] {
  const handlers = createTaskHandlers(context, ports);
  // Whatever came through all rooms as the driver said it is told apart here at the latest.
  const explain = (error: unknown, { kind, subjectId }: TaskRow) => asFault(error, kind, subjectId);
  const common = { catalog, clock, random, log, owner, explain, handlers };
  return [
    new Worker({ ...common, concurrency, kinds: kindsOf('long') }),
    new Worker({ ...common, concurrency: 1, kinds: kindsOf('short') }),
    new Worker({ ...common, concurrency, kinds: kindsOf('exports') }),
    // Left to a process that knows where the copies are.
    ...(ports.copyStores.regions.length === 0
      ? []
      : [
          new Worker({ ...common, concurrency: 1, kinds: kindsOf('copies') }),
          new Worker({ ...common, concurrency: 2, kinds: kindsOf('oplogCopies') }),
        ]),
    new Worker({ ...common, concurrency: TAILERS_AT_ONCE, kinds: kindsOf('tail') }),
    new Worker({ ...common, concurrency: CHECKPOINTS_AT_ONCE, kinds: kindsOf('checkpoints') }),
  ];
}

export function wakeAll(workers: readonly Worker[]): void {
  for (const worker of workers) worker.wake();
}

export async function stopWorkers(workers: readonly Worker[], { clock, log }: Tools): Promise<void> {
  const bound = new AbortController();
  const stopped = Promise.all(workers.map(async (worker) => await worker.stop()));
  const overdue = clock.sleep(STOP_MS, bound.signal).then(
    () => log.error('tasks did not stop in time; the next start takes them up'),
    () => undefined,
  );
  await Promise.race([stopped, overdue]);
  bound.abort();
}
