import type { CatalogWriter } from '../../catalog/catalog.ts';
import { downloadsOfJobs, insertDownload } from '../../catalog/downloads.ts';
import { findRestoreJob, updateRestoreJob } from '../../catalog/restore-jobs.ts';
import type { RestoreJobRow } from '../../catalog/schema.ts';
import { type LeftOut, LeftOutList } from '../../engine/left-out.ts';
import { assert, must } from '../../lib/assert.ts';
import { CANCELLED_ON_REQUEST, Cancelled } from '../../lib/errors.ts';
import type { ReportProgress } from '../../lib/progress.ts';
import type { TaskEnd, TaskHandler, TaskWork } from '../../tasks/handler.ts';
import type { DomainContext } from '../context.ts';
import type { Point } from '../continuous-backup/point-in-time.ts';
import { downloadFileName, isOver, LINK_LIFE_MS } from './download-links.ts';
import { readFromBest } from './places-to-read.ts';
import { pointInTimeOf } from './restore-plan.ts';
import { nextRestoreState } from './restore-state.ts';

/** Makes files of snapshots, out of the repository alone. */
export interface DownloadEngine {
  /** Reads all of it once. What cannot be read is known before a link is given out, and so is how long each file is. */
  prepare(request: {
    clusterId: string;
    snapshotId: string;
    /** Where the copy is that is to be read; the repository itself where left out. */
    regionName?: string;
    /** Beyond the snapshot, to this point of the captured oplog of its replica set. */
    point?: Point;
    signal: AbortSignal;
    report: ReportProgress;
  }): Promise<PreparedDownload[]>;
  /** A file from its first byte to its last, no faster than it is read. */
  read(request: {
    clusterId: string;
    snapshotId: string;
    regionName?: string;
    point?: Point;
    replicaSetName: string;
    writer: string;
    signal: AbortSignal;
  }): AsyncIterable<Buffer>;
}

export interface PreparedDownload {
  replicaSetName: string;
  isShard: boolean;
  bytes: number;
  sha1: string;
  sha256: string;
  writer: string;
  leftOut: LeftOut[];
}

/**
 * Prepares a download and then waits until its link has been used or has expired. It is unfinished for as long as the
 * link lives, and so the snapshot stays pinned: what a link promises can be downloaded although the snapshot is deleted
 * meanwhile.
 */
export function serveDownloadHandler(context: DomainContext, engine: DownloadEngine): TaskHandler {
  const { clock } = context;
  return {
    run: async (work) => {
      const job = await work.commit(async (writer) => {
        const row = must(await findRestoreJob(writer, work.task.subjectId), 'a task is queued together with its job');
        if (row.state === 'completed' || row.state === 'cancelled') return row;
        const state = nextRestoreState(row.state, 'start');
        await updateRestoreJob(writer, row.id, { state, startedAtMs: row.startedAtMs ?? clock.nowMs() });
        return row;
      });
      if (job.state === 'cancelled') throw new Cancelled(CANCELLED_ON_REQUEST);
      return job.state === 'completed' ? await waitOrEnd(context, job) : await prepare(context, engine, work, job);
    },

    settle: async (writer, task, { state, reason }) => {
      const row = must(await findRestoreJob(writer, task.subjectId), 'jobs are kept');
      // Whoever cancelled it was told so then, and looks at it since.
      if (row.state === 'cancelled') return;
      await updateRestoreJob(writer, row.id, {
        state: nextRestoreState(row.state, state === 'failed' ? 'fail' : 'cancel'),
        finishedAtMs: clock.nowMs(),
        failureReason: reason,
      });
    },
  };
}

async function prepare(
  context: DomainContext,
  engine: DownloadEngine,
  work: TaskWork,
  job: RestoreJobRow,
): Promise<TaskEnd> {
  const { clock, ids } = context;
  const snapshotId = must(job.snapshotId, 'a download names its snapshot');
  assert(work.task.pinnedSnapshotId === snapshotId, 'what is being downloaded is pinned');
  const point = pointInTimeOf(job);
  const { signal, report } = work;
  const { regionName, files } = await readFromBest(context, { snapshotId, signal }, async (place) => {
    const region = place === null ? {} : { regionName: place };
    const { clusterId } = job;
    const prepared = await engine.prepare({ clusterId, snapshotId, ...region, ...point, signal, report });
    return { regionName: place, files: prepared };
  });
  const leftOut = new LeftOutList();
  for (const file of files) leftOut.add(file.leftOut);
  for (const one of leftOut.named)
    context.log.warn({ restoreJob: job.id, ...one }, 'a download leaves out what Extended JSON has no text for');
  const expiresAtMs = clock.nowMs() + LINK_LIFE_MS;
  await work.commit(async (writer) => {
    const now = must(await findRestoreJob(writer, job.id), 'jobs are kept');
    if (now.state === 'cancelled') throw new Cancelled(CANCELLED_ON_REQUEST);
    assert((await downloadsOfJobs(writer, [job.id])).length === 0, 'files are written down together with the link');
    for (const [position, { isShard, leftOut: _, ...file }] of files.entries()) {
      await insertDownload(writer, {
        ...file,
        id: ids.next(),
        restoreJobId: job.id,
        position,
        isShard: isShard ? 1 : 0,
        regionName,
        fileName: downloadFileName(snapshotId, { isShard, replicaSetName: file.replicaSetName }, point.point),
        servedBytes: 0,
        deliveredAtMs: null,
      });
    }
    const restoredBytes = files.reduce((sum, file) => sum + file.bytes, 0);
    await updateRestoreJob(writer, job.id, {
      state: nextRestoreState(now.state, 'complete'),
      finishedAtMs: clock.nowMs(),
      expiresAtMs,
      restoredBytes,
      leftOut: leftOut.count === 0 ? null : JSON.stringify(leftOut),
    });
  });
  return { againAfterMs: LINK_LIFE_MS };
}

async function waitOrEnd({ catalog, clock }: DomainContext, job: RestoreJobRow): Promise<TaskEnd> {
  const files = await downloadsOfJobs(catalog.reader, [job.id]);
  if (files.every(({ deliveredAtMs }) => deliveredAtMs !== null)) return { done: async () => undefined };
  const nowMs = clock.nowMs();
  if (!isOver(job, nowMs)) return { againAfterMs: must(job.expiresAtMs, 'a link has an end') - nowMs };
  return { done: async (writer) => await expire(writer, job.id, clock.nowMs()) };
}

async function expire(writer: CatalogWriter, jobId: string, nowMs: number): Promise<void> {
  const job = must(await findRestoreJob(writer, jobId), 'jobs are kept');
  await updateRestoreJob(writer, jobId, { state: nextRestoreState(job.state, 'expire'), finishedAtMs: nowMs });
}
