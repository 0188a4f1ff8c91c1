import { forEachConcurrently } from '../../lib/bounded.ts';
import { Damage, Fault } from '../../lib/errors.ts';
import type { BlobRef } from '../format/blob-list.ts';
import type { BlobKind } from '../format/envelope.ts';
import { sequencesOf, unlistedObjectsOf } from '../format/layer-blobs.ts';
import type { Manifest } from '../format/manifest.ts';
import { NamedObjects } from '../named-objects.ts';
import { blobKey, blobsPrefix, parseBlobKey } from '../object-keys.ts';
import { blobsOfLists, type ReadOptions } from '../reader.ts';
import type { Repository } from '../repository.ts';

const LISTS_AT_ONCE = 8;

interface NamedList {
  list: BlobRef;
  kind: BlobKind;
}

/**
 * Sees that everything a manifest names is there, each object with its recorded length: the last thing before the
 * manifest is put, so that none is ever put that has holes, whoever deleted what. Damage where the parent has lost
 * something, a retryable Fault where it is the snapshot's own.
 */
export async function proveNamed(repository: Repository, manifest: Manifest, options: ReadOptions = {}): Promise<void> {
  const { clusterId } = manifest.header;
  const named = new NamedObjects(repository.random.bytes(4).readUInt32LE(0));
  const prefixes = new Set<string>();
  const add = (ref: BlobRef): boolean => {
    prefixes.add(ref.snapshotId);
    return named.add(clusterId, ref);
  };
  for (const ref of singlesOf(manifest)) add(ref);
  await forEachConcurrently(listsOf(manifest), LISTS_AT_ONCE, async ({ list, kind }) => {
    if (!add(list)) return;
    try {
      for await (const ref of blobsOfLists(repository, clusterId, [list], kind, options)) add(ref);
    } catch (error) {
      if (!(error instanceof Damage) || list.snapshotId !== manifest.header.snapshotId) throw error;
      const { subject, message } = error;
      throw new Fault({ op: 'prove snapshot', subject, message, retryable: true, cause: error });
    }
  });
  for (const snapshotId of prefixes) {
    for await (const { objectKey, sizeBytes } of repository.store.list(blobsPrefix(clusterId, snapshotId), options)) {
      const place = parseBlobKey(objectKey);
      if (place !== null) named.see(place, sizeBytes);
    }
  }
  if (!named.allSound) throw await holeIn(repository, manifest, named, options);
}

async function holeIn(
  repository: Repository,
  manifest: Manifest,
  named: NamedObjects,
  options: ReadOptions,
): Promise<Fault> {
  const { clusterId, snapshotId } = manifest.header;
  const describe = (ref: BlobRef): Fault | null => {
    const sight = named.sightOf({ clusterId, snapshotId: ref.snapshotId, blobId: ref.id });
    if (sight === 'sound') return null;
    const subject = blobKey(clusterId, ref.snapshotId, ref.id);
    const message = `${subject}, which snapshot ${snapshotId} is made of, is ${sight}: somebody deleted or changed it`;
    const fault = { op: 'prove snapshot', subject, message };
    return ref.snapshotId === snapshotId ? new Fault({ ...fault, retryable: true }) : new Damage(fault);
  };
  for (const ref of singlesOf(manifest)) {
    const hole = describe(ref);
    if (hole !== null) return hole;
  }
  for (const { list, kind } of listsOf(manifest)) {
    const found = describe(list);
    if (found !== null) return found;
    for await (const ref of blobsOfLists(repository, clusterId, [list], kind, options)) {
      const hole = describe(ref);
      if (hole !== null) return hole;
    }
  }
  const message = 'objects that the snapshot is made of came and went while it was looked through';
  return new Fault({ op: 'prove snapshot', subject: snapshotId, message, retryable: true });
}

function listsOf(manifest: Manifest): NamedList[] {
  return manifest.collections
    .flatMap((entry) => entry.layers)
    .flatMap(sequencesOf)
    .flatMap(({ kind, lists }) => lists.map((list) => ({ list, kind })));
}

/** The objects that the manifest and its layers name, lists left out. */
function singlesOf({ collections, sections = [] }: Manifest): BlobRef[] {
  const layers = collections.flatMap((entry) => entry.layers);
  return [...sections, ...layers.flatMap(sequencesOf).flatMap(unlistedObjectsOf)];
}
