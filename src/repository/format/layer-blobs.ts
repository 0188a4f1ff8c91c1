import { must } from '../../lib/assert.ts';
import type { BlobRef } from './blob-list.ts';
import type { LayerRef, Manifest } from './manifest.ts';

/** One of a layer's two sequences: documents (kind 1) or deletions (kind 5), in lists or as a single blob. */
export interface LayerSequence {
  kind: 1 | 5;
  lists: readonly BlobRef[];
  blob: BlobRef | null;
  /** Of the single blob. */
  filter: Buffer | null;
  /** The blobs that have one filter for each blob of the sequence. */
  filters: readonly BlobRef[];
}

export function sequencesOf(layer: LayerRef): [LayerSequence, LayerSequence] {
  return [
    {
      kind: 1,
      lists: layer.documentLists,
      blob: layer.documentBlob ?? null,
      filter: layer.documentFilter ?? null,
      filters: layer.documentFilters ?? [],
    },
    {
      kind: 5,
      lists: layer.deletedLists,
      blob: layer.deletedBlob ?? null,
      filter: layer.deletedFilter ?? null,
      filters: layer.deletedFilters ?? [],
    },
  ];
}

/** The single blobs and extents that the layer names itself. */
export function singleBlobsOf(layer: LayerRef): BlobRef[] {
  return sequencesOf(layer).flatMap(({ blob }) => blob ?? []);
}

/** The object that holds a blob or an extent. */
export function objectOf(ref: BlobRef): BlobRef {
  return ref.within === undefined ? ref : must(ref.within.blob, 'an extent that is named lies in an acknowledged blob');
}

/** The objects that the sequence itself names, lists left out: its single or shared blob, its filters. */
export function unlistedObjectsOf({ blob, filters }: LayerSequence): readonly BlobRef[] {
  return blob === null ? filters : [objectOf(blob), ...filters];
}

/** The objects that the layer itself names: lists, single blobs, shared blobs, filters. */
export function objectsNamedBy(layer: LayerRef): BlobRef[] {
  return sequencesOf(layer).flatMap((sequence) => [...sequence.lists, ...unlistedObjectsOf(sequence)]);
}

/** The extent's part of its shared blob's object (`docs/repository-format.md`, Manifest). */
export function shareOf({ plainBytes, within }: BlobRef): number {
  const blob = within?.blob ?? null;
  return blob === null ? 0 : Math.floor((blob.storedBytes * plainBytes) / blob.plainBytes);
}

/** Bytes of the objects that hold the layer's documents and deletions, with its share of shared blobs. */
export function storedBytesOf(layer: LayerRef): number {
  return singleBlobsOf(layer).reduce((sum, ref) => sum + shareOf(ref), layer.storedBytes);
}

/**
 * Bytes of all objects that the snapshot is made of, also those it shares with others, manifest left out. A shared blob
 * counts whole, and once.
 */
export function referencedStoredBytes({ collections, sections = [] }: Manifest): number {
  let bytes = sections.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  const shared = new Map<string, number>();
  for (const layer of collections.flatMap((entry) => entry.layers)) {
    bytes += layer.storedBytes;
    for (const { lists, blob, filters } of sequencesOf(layer)) {
      bytes += [...lists, ...filters].reduce((sum, { storedBytes }) => sum + storedBytes, 0);
      const object = blob?.within === undefined ? null : objectOf(blob);
      if (object !== null) shared.set(`${object.snapshotId}/${object.id}`, object.storedBytes);
    }
  }
  return [...shared.values()].reduce((sum, storedBytes) => sum + storedBytes, bytes);
}
