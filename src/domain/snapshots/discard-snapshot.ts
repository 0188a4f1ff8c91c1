import type { CatalogWriter } from '../../catalog/catalog.ts';
import type { SnapshotRow } from '../../catalog/schema.ts';
import { findSnapshot, updateSnapshot } from '../../catalog/snapshots.ts';
import { pinnedSnapshots } from '../../catalog/tasks.ts';
import { assert } from '../../lib/assert.ts';
import type { TaskHandler } from '../../tasks/handler.ts';
import { enqueueTask } from '../../tasks/queue.ts';
import type { DomainContext } from '../context.ts';
import type { Manifests } from './snapshot-engine.ts';

const PINNED_WAIT_MS = 5_000;

/**
 * Deletes a snapshot that has ended. The row goes first, here; the manifest follows in a task. The other way round a
 * crash would leave a completed snapshot that cannot be restored.
 */
export async function discardSnapshot(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock'>,
  row: SnapshotRow,
): Promise<void> {
  assert(row.status === 'completed' || row.status === 'failed', 'what is being written is not deleted');
  assert(row.deletedAtMs === null, 'a snapshot is deleted once');
  assert(row.doNotDelete === 0, 'a snapshot that is kept for good is not deleted');
  await updateSnapshot(writer, row.id, { deletedAtMs: context.clock.nowMs() });
  if (row.status === 'failed') return;
  await queueManifestDeletion(writer, context, row.id);
}

export async function queueManifestDeletion(
  writer: CatalogWriter,
  context: Pick<DomainContext, 'ids' | 'clock'>,
  snapshotId: string,
): Promise<void> {
  await enqueueTask(writer, {
    id: context.ids.next(),
    kind: 'deleteSnapshot',
    subjectId: snapshotId,
    exclusiveKey: null,
    nowMs: context.clock.nowMs(),
  });
}

/**
 * Deletes the manifest, once no unfinished task reads it: a parent's blobs, and those of what is being restored, are
 * named by it alone.
 */
export function deleteSnapshotHandler(manifests: Manifests): TaskHandler {
  return {
    run: async (work) => {
      const { subjectId: snapshotId } = work.task;
      const found = await work.commit(async (writer) => {
        const pins = await pinnedSnapshots(writer);
        const row = await findSnapshot(writer, snapshotId);
        return { pinned: pins.some((pin) => pin.snapshotId === snapshotId), row };
      });
      assert(found.row !== undefined, 'the row of a deleted snapshot stays');
      assert(
        found.row.deletedAtMs !== null || found.row.status === 'failed',
        'only a deleted or failed snapshot loses its manifest',
      );
      if (found.pinned) return { againAfterMs: PINNED_WAIT_MS };
      await manifests.delete({ clusterId: found.row.clusterId, snapshotId });
      return { done: async () => undefined };
    },
    // The snapshot is deleted for everybody to see; what stays behind is space, and the task says why.
    settle: async () => undefined,
  };
}
