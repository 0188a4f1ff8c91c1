import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster, uriContext } from '../../catalog/clusters.ts';
import { findRestoreJob, updateRestoreJob } from '../../catalog/restore-jobs.ts';
import type { ClusterRow, RestoreJobRow } from '../../catalog/schema.ts';
import type { LeftOutSummary } from '../../engine/left-out.ts';
import { RESTORE_AGAIN } from '../../engine/restore/left-incomplete.ts';
import { assert, must } from '../../lib/assert.ts';
import { Fault } from '../../lib/errors.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import { asFault } from '../../mongo/errors.ts';
import type { TaskHandler, TaskWork } from '../../tasks/handler.ts';
import type { DomainContext } from '../context.ts';
import type { Point } from '../continuous-backup/point-in-time.ts';
import { balancerRecord, giveBackBalancer } from '../snapshots/balancer-holds.ts';
import type { BalancerRecord, SnapshotEngine } from '../snapshots/snapshot-engine.ts';
import { readFromBest } from './places-to-read.ts';
import { pointInTimeOf } from './restore-plan.ts';
import { nextRestoreState } from './restore-state.ts';

/** About half a minute of waits: an election, a server that is started again. */
const UNTOUCHED_ATTEMPTS_MAX = 5;

/** Moves data from the repository into a cluster, replacing the cluster's. */
export interface RestoreEngine {
  restore(request: {
    clusterId: string;
    snapshotId: string;
    /** Where the copy is that is to be read; the repository itself where left out. */
    regionName?: string;
    uri: string;
    /** Beyond the snapshot, to this point of the captured oplog of its replica set. */
    point?: Point;
    /** The job, and which attempt of it this is: what an earlier one has under way at the target is ended. */
    run: { id: string; attempt: number };
    /** Awaited before the target's data is touched. */
    clearing: () => Promise<void>;
    /** Where it is written down that the balancer of a sharded target is stopped by us. */
    balancerRecord: BalancerRecord;
    signal: AbortSignal;
    report: ReportProgress;
  }): Promise<{ documents: number; bytes: number; leftOut: LeftOutSummary }>;
}

export function restoreSnapshotHandler(
  context: DomainContext,
  engine: RestoreEngine,
  snapshotEngine: Pick<SnapshotEngine, 'startBalancer'>,
): TaskHandler {
  const { clock } = context;
  return {
    run: async (work) => {
      const { job, target } = await work.commit(
        async (writer) => await start(writer, work.task.subjectId, clock.nowMs()),
      );
      if (work.task.generation > 1) await giveBackBalancer(context, snapshotEngine, target, work.task.id);
      const snapshotId = must(job.snapshotId, 'a restore names its snapshot');
      assert(work.task.pinnedSnapshotId === snapshotId, 'what is being restored is pinned');
      const sealedUri = must(target.sealedUri, 'a cluster is not removed while a restore into it waits');
      const { signal, report } = work;
      const uri = context.secretBox.open(sealedUri, uriContext(target.id));
      const request = {
        clusterId: job.clusterId,
        snapshotId,
        uri,
        ...pointInTimeOf(job),
        run: { id: job.id, attempt: work.task.generation },
        clearing: async () => await noteClearing(work, clock.nowMs()),
        balancerRecord: balancerRecord(context, work, target.id),
        signal,
        report,
      };
      // A restore looks at all that it will read before it touches the target.
      const restored = await readFromBest(context, { snapshotId, signal }, (regionName) =>
        engine.restore({ ...request, ...(regionName === null ? {} : { regionName }) }),
      ).catch(async (error: unknown) => {
        throw await whatIsLeft(context, work, job, error);
      });
      return {
        done: async (writer) => {
          const row = await requireJob(writer, job.id);
          await updateRestoreJob(writer, job.id, {
            state: nextRestoreState(row.state, 'complete'),
            finishedAtMs: clock.nowMs(),
            restoredDocuments: restored.documents,
            restoredBytes: restored.bytes,
            leftOut: restored.leftOut.count === 0 ? null : JSON.stringify(restored.leftOut),
          });
        },
      };
    },

    settle: async (writer, task, { state, reason }) => {
      const row = await requireJob(writer, task.subjectId);
      await updateRestoreJob(writer, row.id, {
        state: nextRestoreState(row.state, state === 'failed' ? 'fail' : 'cancel'),
        finishedAtMs: clock.nowMs(),
        failureReason: reason,
      });
    },
  };
}

async function noteClearing(work: TaskWork, targetClearedAtMs: number): Promise<void> {
  await work.commit(async (writer) => await updateRestoreJob(writer, work.task.subjectId, { targetClearedAtMs }));
}

/**
 * What is said of a failed attempt, with what is true of the target since an earlier one. One that has touched nothing
 * yet has little patience: its target may well be the wrong one, or down for long.
 */
async function whatIsLeft(
  { catalog }: DomainContext,
  { task, signal }: TaskWork,
  before: RestoreJobRow,
  thrown: unknown,
): Promise<unknown> {
  const error = asFault(thrown, 'restore', before.targetClusterName ?? before.id);
  if (signal.aborted || !(error instanceof Fault)) return error;
  const { op, subject, hint } = error;
  const said = { op, subject, cause: error };
  const now = await findRestoreJob(catalog.reader, before.id);
  if (now?.targetClearedAtMs === null) {
    if (task.attempts < UNTOUCHED_ATTEMPTS_MAX || !error.retryable) return error;
    return new Fault({ ...said, message: error.message, retryable: false, ...(hint === undefined ? {} : { hint }) });
  }
  if (before.targetClearedAtMs === null || now?.targetClearedAtMs !== before.targetClearedAtMs) return error;
  const message = `${error.message}; an earlier attempt left the target incomplete`;
  return new Fault({ ...said, message, hint: RESTORE_AGAIN });
}

async function start(
  writer: CatalogWriter,
  jobId: string,
  nowMs: number,
): Promise<{ job: RestoreJobRow; target: ClusterRow }> {
  const job = await requireJob(writer, jobId);
  const targetId = must(job.targetClusterId, 'a restore has a target');
  const target = must(await findCluster(writer, targetId), 'clusters are kept');
  const state = nextRestoreState(job.state, 'start');
  await updateRestoreJob(writer, jobId, { state, startedAtMs: job.startedAtMs ?? nowMs });
  return { job, target };
}

async function requireJob(writer: CatalogWriter, jobId: string): Promise<RestoreJobRow> {
  return must(await findRestoreJob(writer, jobId), 'a task is queued together with its restore job');
}
