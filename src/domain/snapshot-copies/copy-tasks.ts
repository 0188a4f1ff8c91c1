import type { CatalogWriter } from '../../catalog/catalog.ts';
import { copySettingsOf } from '../../catalog/schedules.ts';
import type { SnapshotCopyRow } from '../../catalog/schema.ts';
import { copiesInRegion, findSnapshotCopy, updateSnapshotCopy } from '../../catalog/snapshot-copies.ts';
import { pinnedSnapshots } from '../../catalog/tasks.ts';
import { assert, must } from '../../lib/assert.ts';
import type { TaskHandler } from '../../tasks/handler.ts';
import type { DomainContext } from '../context.ts';
import { discardCopy, noteCopiesOnly, queueCopyDeletion } from './copies.ts';
import type { CopyStores } from './copy-stores.ts';

const PINNED_WAIT_MS = 5_000;

/**
 * Copies a snapshot into a region. Run again it goes through everything again and adds what is missing, so that a row
 * that says completed was seen to be whole under the store's key.
 */
export function copySnapshotHandler(context: DomainContext, stores: CopyStores): TaskHandler {
  const { clock } = context;
  return {
    run: async (work) => {
      const copy = await work.commit(async (writer) => {
        const row = await requireCopy(writer, work.task.subjectId);
        await updateSnapshotCopy(writer, row.id, { state: 'inProgress' });
        return row;
      });
      const { clusterId, snapshotId, regionName } = copy;
      const { signal, report } = work;
      const { storedBytes } = await stores.copy({ clusterId, snapshotId, regionName, signal, report });
      return {
        done: async (writer) => {
          const row = await requireCopy(writer, copy.id);
          const finishedAtMs = clock.nowMs();
          await updateSnapshotCopy(writer, row.id, { state: 'completed', finishedAtMs, storedBytes });
          // Deleted while it was made: what was made goes too.
          if (row.deletedAtMs !== null) await queueCopyDeletion(writer, context, row);
          else await keepNewest(writer, context, row);
          await noteCopiesOnly(writer, context, row.snapshotId);
        },
      };
    },

    settle: async (writer, task, { reason }) => {
      const row = await requireCopy(writer, task.subjectId);
      await updateSnapshotCopy(writer, row.id, {
        state: 'failed',
        failureReason: reason,
        finishedAtMs: clock.nowMs(),
      });
    },
  };
}

/** Where a setting keeps only so many of the newest, older ones make room for the one that has just been completed. */
async function keepNewest(writer: CatalogWriter, context: DomainContext, made: SnapshotCopyRow): Promise<void> {
  const settings = await copySettingsOf(writer, made.clusterId);
  const most = settings.find((setting) => setting.regionName === made.regionName)?.lastNumberOfSnapshots ?? null;
  if (most === null) return;
  const copies = await copiesInRegion(writer, made.clusterId, made.regionName);
  const completed = copies.filter((copy) => copy.state === 'completed');
  for (const copy of completed.slice(most)) await discardCopy(writer, context, copy);
}

export function deleteSnapshotCopyHandler(stores: CopyStores): TaskHandler {
  return {
    run: async (work) => {
      const found = await work.commit(async (writer) => {
        const copy = await requireCopy(writer, work.task.subjectId);
        const pins = await pinnedSnapshots(writer);
        return { copy, pinned: pins.some((pin) => pin.snapshotId === copy.snapshotId) };
      });
      assert(found.copy.deletedAtMs !== null, 'only a deleted copy loses its objects');
      if (found.pinned) return { againAfterMs: PINNED_WAIT_MS };
      const { clusterId, snapshotId, regionName } = found.copy;
      await stores.delete({ clusterId, snapshotId, regionName, signal: work.signal });
      return { done: async () => undefined };
    },
    // Deleted for everybody to see; what stays behind is space, and the task says why.
    settle: async () => undefined,
  };
}

async function requireCopy(writer: CatalogWriter, id: string): Promise<SnapshotCopyRow> {
  return must(await findSnapshotCopy(writer, id), 'a task is queued together with its copy');
}
