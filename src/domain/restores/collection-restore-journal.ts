import type { CatalogReader, CatalogWriter } from '../../catalog/catalog.ts';
import {
  allRestoredCollections,
  findCollectionRestoreJob,
  replaceRestoredCollections,
  updateCollectionRestoreJob,
  updateRestoredCollection,
} from '../../catalog/collection-restore-jobs.ts';
import type { CollectionRestoreJobRow } from '../../catalog/schema.ts';
import type { RestoreJournal } from '../../engine/collections/collection-record.ts';
import { must } from '../../lib/assert.ts';
import type { TaskWork } from '../../tasks/handler.ts';
import { type CollectionRestoreEvent, nextCollectionRestoreState } from './collection-restore-state.ts';

/**
 * The journal of a collection restore in the catalog: what clients see of it, and what a later attempt goes by. Every
 * write is fenced by the task's lease.
 */
export function collectionRestoreJournal(work: TaskWork, reader: CatalogReader): RestoreJournal {
  const jobId = work.task.subjectId;
  return {
    read: async () => {
      const job = must(await findCollectionRestoreJob(reader, jobId), 'a task is queued together with its job');
      if (job.state === 'INITIALIZING') return null;
      const rows = await allRestoredCollections(reader, jobId);
      return {
        placing: job.state === 'FINALIZING',
        records: rows.map(({ jobId: _job, position: _position, ...record }) => record),
      };
    },

    begin: async (records) =>
      await work.commit(async (writer) => {
        await advanceJob(writer, jobId, 'begin');
        const rows = records.map((record, position) => ({ ...record, jobId, position }));
        await replaceRestoredCollections(writer, jobId, rows);
      }),

    placing: async () => await work.commit(async (writer) => void (await advanceJob(writer, jobId, 'finalize'))),

    update: async (source, change) =>
      await work.commit(async (writer) => await updateRestoredCollection(writer, { jobId, source }, change)),

    progress: async (restored) =>
      await work.commit(async (writer) => {
        for (const [source, restoredDocuments] of restored)
          await updateRestoredCollection(writer, { jobId, source }, { restoredDocuments });
      }),
  };
}

export async function advanceJob(
  writer: CatalogWriter,
  jobId: string,
  event: CollectionRestoreEvent,
  changes: Partial<Pick<CollectionRestoreJobRow, 'finishedAtMs' | 'errorMessage'>> = {},
): Promise<void> {
  const job = must(await findCollectionRestoreJob(writer, jobId), 'a task is queued together with its job');
  await updateCollectionRestoreJob(writer, jobId, {
    ...changes,
    state: nextCollectionRestoreState(job.state, event),
  });
}
