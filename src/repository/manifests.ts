import { Damage, Fault } from '../lib/errors.ts';
import { ObjectMissing } from '../storage/object-store.ts';
import { envelopeKind } from './format/envelope.ts';
import { decodeManifest, type Manifest } from './format/manifest.ts';
import { manifestKey, manifestsPrefix, parseManifestKey, type SnapshotPlace } from './object-keys.ts';
import type { ReadOptions } from './reader.ts';
import type { Repository } from './repository.ts';

export interface ListedManifest extends SnapshotPlace {
  storedBytes: number;
  modifiedAtMs: number;
}

/**
 * The manifest, after every check that needs nothing but itself. A Fault where there is none, Damage where it is not
 * what was written.
 */
export async function readManifest(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions = {},
): Promise<Manifest> {
  const manifest = await findManifest(repository, place, options);
  if (manifest !== null) return manifest;
  throw new Fault({
    op: 'read manifest',
    subject: manifestKey(place),
    message: `there is no snapshot ${place.snapshotId} in ${repository.store.description}`,
    hint: 'It was deleted, or it was never completed',
  });
}

/** As `readManifest`, or null where there is none. */
export async function findManifest(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions = {},
): Promise<Manifest | null> {
  const objectKey = manifestKey(place);
  let object: Buffer;
  try {
    object = await repository.store.get(objectKey, options);
  } catch (error) {
    if (error instanceof ObjectMissing) return null;
    throw error;
  }
  const boundTo = Buffer.from(`${place.clusterId}/${place.snapshotId}`);
  const payload = await repository.sealer.unseal(envelopeKind.manifest, object, boundTo, objectKey);
  const manifest = decodeManifest(payload, objectKey);
  const { clusterId, snapshotId, repositoryId } = manifest.header;
  if (clusterId !== place.clusterId || snapshotId !== place.snapshotId || repositoryId !== repository.repositoryId) {
    const message = `${objectKey} is the manifest of snapshot ${snapshotId} of cluster ${clusterId} in repository ${repositoryId}`;
    throw new Damage({ op: 'read manifest', subject: objectKey, message });
  }
  return manifest;
}

export async function manifestExists(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions = {},
): Promise<boolean> {
  return (await repository.store.head(manifestKey(place), options)) !== null;
}

/** Every manifest that is there, read or not, by cluster, then snapshot. */
export async function* listManifests(
  repository: Repository,
  options: ReadOptions & { clusterId?: string | undefined } = {},
): AsyncGenerator<ListedManifest> {
  const { clusterId, signal } = options;
  for await (const { objectKey, sizeBytes, modifiedAtMs } of repository.store.list(manifestsPrefix(clusterId), {
    signal,
  })) {
    const place = parseManifestKey(objectKey);
    if (place !== null) yield { ...place, storedBytes: sizeBytes, modifiedAtMs };
  }
}

/**
 * From then on the snapshot is gone; its blobs stay until a prune finds that nothing else names them.
 * The parent of a snapshot that is being written is not to be deleted before that has ended: the caller sees to it.
 */
export async function deleteManifest(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions = {},
): Promise<void> {
  await repository.store.delete(manifestKey(place), options);
}
