import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster, uriContext } from '../../catalog/clusters.ts';
import { findRestoreJob, updateRestoreJob } from '../../catalog/restore-jobs.ts';
import type { ClusterRow, RestoreJobRow } from '../../catalog/schema.ts';
import { assert, must } from '../../lib/assert.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { TaskHandler } from '../../tasks/handler.ts';
import type { DomainContext } from '../context.ts';
import { type Point, type PointRequest, pointOf } from '../continuous-backup/point-in-time.ts';
import { nextRestoreState } from './restore-state.ts';

/** A restore that was cut off starts anew: it replaces whatever it finds. */
export const RESTORE_ATTEMPTS_MAX = 2;

/** Moves data from the repository into a cluster, replacing the cluster's. */
export interface RestoreEngine {
  restore(request: {
    clusterId: string;
    snapshotId: string;
    uri: string;
    /** Beyond the snapshot, to this point of the captured oplog of its replica set. */
    point?: Point;
    signal: AbortSignal;
    report: ReportProgress;
  }): Promise<{ documents: number; bytes: number }>;
}

export function restoreSnapshotHandler(context: DomainContext, engine: RestoreEngine): TaskHandler {
  const { clock } = context;
  return {
    run: async (work) => {
      const { job, target } = await work.commit(
        async (writer) => await start(writer, work.task.subjectId, clock.nowMs()),
      );
      const snapshotId = must(job.snapshotId, 'a restore names its snapshot');
      assert(work.task.pinnedSnapshotId === snapshotId, 'what is being restored is pinned');
      const sealedUri = must(target.sealedUri, 'a cluster is not removed while a restore into it waits');
      const restored = await engine.restore({
        clusterId: job.clusterId,
        snapshotId,
        uri: context.secretBox.open(sealedUri, uriContext(target.id)),
        ...(job.deliveryType === 'pointInTime' ? { point: pointOf(requested(job), clock.nowMs()) } : {}),
        signal: work.signal,
        report: work.report,
      });
      return {
        done: async (writer) => {
          const row = await requireJob(writer, job.id);
          await updateRestoreJob(writer, job.id, {
            state: nextRestoreState(row.state, 'complete'),
            finishedAtMs: clock.nowMs(),
            restoredDocuments: restored.documents,
            restoredBytes: restored.bytes,
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

function requested({ pointInTimeUtcSeconds, oplogTs, oplogInc }: RestoreJobRow): PointRequest {
  return {
    pointInTimeUtcSeconds: pointInTimeUtcSeconds ?? undefined,
    oplogTs: oplogTs ?? undefined,
    oplogInc: oplogInc ?? undefined,
  };
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
