import type { BlobRef } from '../format/blob-list.ts';
import { singleBlobsOf } from '../format/layer-blobs.ts';
import type { CollectionEntry } from '../format/manifest.ts';

/** Less than this part of a shared blob alive: its extents are moved. */
const LIVE_SHARE_MIN = 0.5;
/** Shared blobs that hold less than this part of their room are small. */
const SMALL_SHARE = 1 / 8;
/** More small ones than this are put together. */
const SMALL_MAX = 32;
/** Moved in one snapshot, plain. */
const MOVED_BYTES_MAX = 32 << 20;

interface Use {
  name: string;
  plainBytes: number;
  liveBytes: number;
}

/**
 * The shared blobs, as `snapshotId/id`, whose live extents a snapshot moves. `ownId`: the snapshot's id, whose own
 * blobs stay; `blobBytes`: the room of a shared blob. Most dead first, within a bound: what is left is for the next
 * snapshot.
 */
export function planRepack(
  collections: readonly CollectionEntry[],
  { ownId, blobBytes }: { ownId: string; blobBytes: number },
): ReadonlySet<string> {
  const uses = usesOf(collections, ownId);
  const small = uses.filter(({ liveBytes }) => liveBytes < blobBytes * SMALL_SHARE);
  const together = small.length > SMALL_MAX ? new Set(small) : new Set<Use>();
  const wasteful = uses
    .filter((use) => together.has(use) || use.liveBytes < use.plainBytes * LIVE_SHARE_MIN)
    .toSorted((a, b) => a.liveBytes / a.plainBytes - b.liveBytes / b.plainBytes);
  const going = new Set<string>();
  let bytes = 0;
  for (const { name, liveBytes } of wasteful) {
    if (bytes + liveBytes > MOVED_BYTES_MAX) break;
    bytes += liveBytes;
    going.add(name);
  }
  return going;
}

/** What the collections name of each shared blob of other snapshots. An extent that two layers name counts once. */
function usesOf(collections: readonly CollectionEntry[], ownId: string): Use[] {
  const uses = new Map<string, Use>();
  const counted = new Set<string>();
  const count = ({ plainBytes, within }: BlobRef): void => {
    const blob = within?.blob ?? null;
    if (within === undefined || blob === null || blob.snapshotId === ownId) return;
    const name = `${blob.snapshotId}/${blob.id}`;
    const extent = `${name}/${within.at}`;
    if (counted.has(extent)) return;
    counted.add(extent);
    const use = uses.get(name) ?? { name, plainBytes: blob.plainBytes, liveBytes: 0 };
    use.liveBytes += plainBytes;
    uses.set(name, use);
  };
  for (const layer of collections.flatMap((entry) => entry.layers)) for (const ref of singleBlobsOf(layer)) count(ref);
  return [...uses.values()];
}
