import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import type { BlobRef } from '../format/blob-list.ts';
import { objectOf } from '../format/layer-blobs.ts';
import type { CollectionEntry, LayerRef } from '../format/manifest.ts';
import { type ReadOptions, readBlob } from '../reader.ts';
import type { Repository } from '../repository.ts';
import type { SnapshotWriter } from '../writer.ts';
import { planRepack } from './repack-plan.ts';

/**
 * Moves the extents that are left of shared blobs of which too much is dead, or that are too many and too small, into
 * the snapshot's own (`docs/repository-format.md`, Dead parts). Changes the collections' layers in place, and the
 * content of none: an extent's id stays. Call it when the layers are final, and `flush` before and after.
 */
export async function repackShared(
  repository: Repository,
  writer: SnapshotWriter,
  collections: readonly CollectionEntry[],
  options: ReadOptions = {},
): Promise<{ movedBytes: number }> {
  const going = planRepack(collections, { ownId: writer.snapshotId, blobBytes: repository.chunker.minBytes });
  let movedBytes = 0;
  if (going.size === 0) return { movedBytes };
  const move = async (ref: BlobRef): Promise<BlobRef> => {
    throwIfAborted(options.signal);
    const bytes = await readBlob(repository, writer.clusterId, ref, options);
    movedBytes += bytes.length;
    const moved = await writer.moveExtent(ref, bytes);
    assert(moved.id === ref.id && moved.documents === ref.documents, 'what is moved stays what it was');
    return moved;
  };
  // Extents that lie side by side belong to collections that do: each shared blob is read about once.
  for (const entry of collections) {
    const layers: LayerRef[] = [];
    for (const layer of entry.layers) {
      const goes = (ref: BlobRef | undefined): ref is BlobRef => ref?.within !== undefined && going.has(nameOf(ref));
      const { documentBlob, deletedBlob } = layer;
      layers.push({
        ...layer,
        ...(goes(documentBlob) ? { documentBlob: await move(documentBlob) } : {}),
        ...(goes(deletedBlob) ? { deletedBlob: await move(deletedBlob) } : {}),
      });
    }
    entry.layers = layers;
  }
  return { movedBytes };
}

function nameOf(ref: BlobRef): string {
  const { snapshotId, id } = objectOf(ref);
  return `${snapshotId}/${id}`;
}
