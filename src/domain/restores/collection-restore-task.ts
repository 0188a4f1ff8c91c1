import type { CatalogWriter } from '../../catalog/catalog.ts';
import { findCluster, uriContext } from '../../catalog/clusters.ts';
import {
  allRestoredCollections,
  findCollectionRestoreJob,
  settleIndexes,
  settleRestoredCollections,
  updateCollectionRestoreJob,
} from '../../catalog/collection-restore-jobs.ts';
import type { ClusterRow, CollectionRestoreJobRow } from '../../catalog/schema.ts';
import { findTask } from '../../catalog/tasks.ts';
import type { CollectionSelection } from '../../engine/collections/backup/select-collections.ts';
import type { RestoreJournal } from '../../engine/collections/collection-record.ts';
import type { WriteStrategy } from '../../engine/collections/name-targets.ts';
import type { IndexStrategy } from '../../engine/collections/target-form.ts';
import { LEFT_OUT_NAMED_MAX, type LeftOutSummary, summarizeLeftOut } from '../../engine/left-out.ts';
import { assert, must } from '../../lib/assert.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import { LeaseLost, type TaskHandler, type TaskWork } from '../../tasks/handler.ts';
import { mayRetry } from '../../tasks/task.ts';
import type { DomainContext } from '../context.ts';
import type { Point } from '../continuous-backup/point-in-time.ts';
import type { RestoredNamespace } from './collection-restore-jobs.ts';
import { advanceJob, collectionRestoreJournal } from './collection-restore-journal.ts';
import { selectionOf } from './collection-restore-plan.ts';
import { readFromBest } from './places-to-read.ts';
import { pointInTimeOf } from './restore-plan.ts';

/** Brings chosen collections of a replica set's or sharded cluster's backup into a replica set, beside what it has. */
export interface CollectionRestoreEngine {
  restore(request: {
    clusterId: string;
    snapshotId: string;
    /** Where the copy is that is to be read; the repository itself where left out. */
    regionName?: string;
    uri: string;
    /** Beyond the snapshot, to this point of the captured oplog of its replica sets. */
    point?: Point;
    selection: CollectionSelection;
    writeStrategy: WriteStrategy;
    indexStrategy: IndexStrategy;
    journal: RestoreJournal;
    restoreId: string;
    /** Different in every run of the task. */
    attempt: number;
    goesOn(error: unknown): Promise<boolean>;
    signal: AbortSignal;
    report: ReportProgress;
  }): Promise<{ documents: number; leftOut: LeftOutSummary }>;
}

const writeStrategies = { CREATE_NEW: 'createNew', OVERWRITE_EXISTING: 'overwriteExisting' } as const;
const indexStrategies = { ALL: 'all', NONE: 'none', ALL_EXCEPT_TTL: 'allExceptTtl' } as const;

export function restoreCollectionsHandler(context: DomainContext, engine: CollectionRestoreEngine): TaskHandler {
  const { catalog, clock } = context;
  return {
    run: async (work) => {
      const { job, target } = await work.commit(
        async (writer) => await start(writer, work.task.subjectId, clock.nowMs()),
      );
      const { snapshotId } = job;
      assert(work.task.pinnedSnapshotId === snapshotId, 'what is being restored is pinned');
      const sealedUri = must(target.sealedUri, 'a cluster is not removed while a restore into it waits');
      const request = {
        clusterId: job.clusterId,
        snapshotId,
        uri: context.secretBox.open(sealedUri, uriContext(target.id)),
        ...pointInTimeOf(job),
        selection: selectionOf(namesOf(job)),
        writeStrategy: writeStrategies[job.writeStrategy],
        indexStrategy: indexStrategies[job.indexStrategy],
        journal: collectionRestoreJournal(work, catalog.reader),
        restoreId: job.id,
        attempt: work.task.generation,
        goesOn: async (error: unknown) => await goesOn(context, work, error),
        signal: work.signal,
        report: work.report,
      };
      // A restore looks at all that it will read before it touches the target.
      const { leftOut } = await readFromBest(context, request, (regionName) =>
        engine.restore({ ...request, ...(regionName === null ? {} : { regionName }) }),
      );
      return {
        done: async (writer) =>
          await advanceJob(writer, job.id, 'complete', {
            finishedAtMs: clock.nowMs(),
            errorMessage: leftOut.count === 0 ? null : `left out: ${summarizeLeftOut(leftOut, LEFT_OUT_NAMED_MAX)}`,
          }),
      };
    },

    settle: async (writer, task, { state, reason }) => {
      const jobId = task.subjectId;
      const left = await settleCollections(writer, jobId);
      await advanceJob(writer, jobId, state === 'failed' ? 'fail' : 'cancel', {
        finishedAtMs: clock.nowMs(),
        errorMessage: left === 0 ? reason : `${reason}; ${leftovers(jobId, left)}`,
      });
    },
  };
}

/** Names as they were asked for. */
export function namesOf(job: CollectionRestoreJobRow): {
  databases: RestoredNamespace[];
  collections: RestoredNamespace[];
  databaseSuffix?: string;
  collectionSuffix?: string;
} {
  const { databaseSuffix, collectionSuffix } = job;
  return {
    databases: JSON.parse(job.databases) as RestoredNamespace[],
    collections: JSON.parse(job.collections) as RestoredNamespace[],
    ...(databaseSuffix === null ? {} : { databaseSuffix }),
    ...(collectionSuffix === null ? {} : { collectionSuffix }),
  };
}

/**
 * Whether the task is run again after this: another worker has it, the service is only stopping, or the failure is a
 * passing one.
 */
async function goesOn({ catalog, clock }: DomainContext, work: TaskWork, error: unknown): Promise<boolean> {
  if (error instanceof LeaseLost) return true;
  if (!work.signal.aborted) return mayRetry(error, work.task, clock.nowMs());
  const task = await findTask(catalog.reader, work.task.id);
  return task !== undefined && task.cancelRequestedAtMs === null;
}

/**
 * What was not said of collections when their restore ended. Returns how many may have left something on the target.
 */
async function settleCollections(writer: CatalogWriter, jobId: string): Promise<number> {
  const rows = await allRestoredCollections(writer, jobId);
  // It may be in its place, or its former content be gone and its own not whole.
  await settleRestoredCollections(writer, jobId, { from: ['FINALIZING'], to: 'FAILED' });
  await settleRestoredCollections(writer, jobId, {
    from: ['NOT_STARTED', 'IN_PROGRESS', 'ROLLBACK'],
    to: 'NOT_RESTORED',
  });
  await settleIndexes(writer, jobId);
  return rows.filter(({ state, stagedName }) => stagedName !== null && state !== 'SUCCESSFUL').length;
}

function leftovers(jobId: string, count: number): string {
  const what = count === 1 ? 'what was loaded of one collection' : `what was loaded of ${count} collections`;
  return `${what} may still be on the target, under names that begin with tidemark_restore_${jobId} (time series under their own)`;
}

async function start(
  writer: CatalogWriter,
  jobId: string,
  nowMs: number,
): Promise<{ job: CollectionRestoreJobRow; target: ClusterRow }> {
  const job = must(await findCollectionRestoreJob(writer, jobId), 'a task is queued together with its job');
  const target = must(await findCluster(writer, job.targetClusterId), 'clusters are kept');
  await updateCollectionRestoreJob(writer, jobId, { startedAtMs: job.startedAtMs ?? nowMs });
  return { job, target };
}
