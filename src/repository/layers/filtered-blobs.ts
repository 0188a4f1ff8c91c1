import { assert, must } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import type { BlobRef } from '../format/blob-list.ts';
import { decodeFilters, type IdHashes, mayHold } from '../format/id-filter.ts';
import { sequencesOf } from '../format/layer-blobs.ts';
import type { LayerRef } from '../format/manifest.ts';
import { blobKey } from '../object-keys.ts';
import { blobsOfSequence, type ReadOptions, readBlob } from '../reader.ts';
import type { Repository } from '../repository.ts';

/** The filters of one blob of filters; Damage where they are not as many as it is said to hold. */
export async function readFilters(
  repository: Repository,
  clusterId: string,
  ref: BlobRef,
  options: ReadOptions = {},
): Promise<Buffer[]> {
  assert(ref.kind === 10, 'filters are read from a blob of filters');
  const subject = blobKey(clusterId, ref.snapshotId, ref.id);
  const filters = decodeFilters(await readBlob(repository, clusterId, ref, options), subject);
  if (filters.length === ref.documents) return filters;
  const message = `${subject} holds ${filters.length} filters, its manifest says ${ref.documents}`;
  throw new Damage({ op: 'read filters', subject, message });
}

/**
 * The blobs and extents of one of a layer's sequences that may hold the id, in order. All of them where the sequence
 * has no filters.
 */
export async function* blobsThatMayHold(
  repository: Repository,
  clusterId: string,
  layer: LayerRef,
  kind: 1 | 5,
  hashes: IdHashes,
  options: ReadOptions = {},
): AsyncGenerator<BlobRef> {
  const sequence = must(
    sequencesOf(layer).find((each) => each.kind === kind),
    'a layer has two sequences',
  );
  if (sequence.filter !== null && !mayHold(sequence.filter, hashes)) return;
  const filters = filtersOf(repository, clusterId, sequence.filters, options);
  for await (const ref of blobsOfSequence(repository, clusterId, layer, kind, options)) {
    if (sequence.filters.length === 0) {
      yield ref;
      continue;
    }
    const next = await filters.next();
    if (next.done === true) throw tooFew(sequence.filters, clusterId);
    if (mayHold(next.value, hashes)) yield ref;
  }
}

function tooFew(filters: readonly BlobRef[], clusterId: string): Damage {
  const { snapshotId, id } = must(filters.at(-1), 'a sequence with filters');
  const subject = blobKey(clusterId, snapshotId, id);
  return new Damage({ op: 'read filters', subject, message: `there are fewer filters than blobs, up to ${subject}` });
}

async function* filtersOf(
  repository: Repository,
  clusterId: string,
  refs: readonly BlobRef[],
  options: ReadOptions,
): AsyncGenerator<Buffer, void> {
  for (const ref of refs) yield* await readFilters(repository, clusterId, ref, options);
}
