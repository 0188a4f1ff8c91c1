import { Damage, Fault } from '../lib/errors.ts';
import { ObjectMissing } from '../storage/object-store.ts';
import type { BlobRef } from './format/blob-list.ts';
import { envelopeKind } from './format/envelope.ts';
import type { CollectionEntry, Manifest, ManifestHeader } from './format/manifest.ts';
import { assembleManifest, decodeManifest, type ManifestParts } from './format/manifest-json.ts';
import { decodeSection } from './format/sections.ts';
import { blobKey, manifestKey, manifestsPrefix, parseManifestKey, type SnapshotPlace } from './object-keys.ts';
import { type ReadOptions, readAhead, readBlob } from './reader.ts';
import type { Repository } from './repository.ts';
import { forgetVerified } from './verifications.ts';
import { WeighedCache } from './weighed-cache.ts';

const SECTIONS_AT_ONCE = 4;
/** In plain bytes of their payloads; as objects they take several times as much. */
const SECTION_PLAIN_BYTES_MAX = 32 << 20;

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
  return (await findManifest(repository, place, options)) ?? noSuchSnapshot(repository, place);
}

/** What the manifest says of the snapshot as a whole: its sections are not read. Fails as `readManifest` does. */
export async function readManifestHeader(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions = {},
): Promise<ManifestHeader> {
  return ((await findManifestParts(repository, place, options)) ?? noSuchSnapshot(repository, place)).header;
}

function noSuchSnapshot(repository: Repository, place: SnapshotPlace): never {
  throw new Fault({
    op: 'read manifest',
    subject: manifestKey(place),
    message: `there is no snapshot ${place.snapshotId} in ${repository.store.description}`,
    hint: 'It was deleted, or it was never completed',
  });
}

/** Sections that were read, by id: manifests that follow each other share most of theirs. */
export type SectionCache = WeighedCache<CollectionEntry[]>;

/** For who goes through many manifests. */
export function newSectionCache(): SectionCache {
  return new WeighedCache(SECTION_PLAIN_BYTES_MAX);
}

/** As `readManifest`, or null where there is none. */
export async function findManifest(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions & { sections?: SectionCache } = {},
): Promise<Manifest | null> {
  const parts = await findManifestParts(repository, place, options);
  if (parts === null) return null;
  const { clusterId } = place;
  const sharded = parts.header.type === 'sharded';
  const read = async (ref: BlobRef): Promise<CollectionEntry[]> => {
    const fresh = async () => await readSection(repository, clusterId, ref, { ...options, sharded });
    return options.sections === undefined
      ? await fresh()
      : await options.sections.get(`${clusterId}/${ref.snapshotId}/${ref.id}`, fresh, () => ref.plainBytes);
  };
  const inSections: CollectionEntry[] = [];
  try {
    for await (const { result } of readAhead(each(parts.sections), SECTIONS_AT_ONCE, read)) inSections.push(...result);
  } catch (cause) {
    if (!(cause instanceof Damage)) throw cause;
    const message = `snapshot ${place.snapshotId} is damaged: ${cause.message}`;
    throw new Damage({ op: 'read manifest', subject: cause.subject, message, cause });
  }
  return assembleManifest(parts, inSections, manifestKey(place));
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The collections of one section. Damage where it is missing or not what was written. */
export async function readSection(
  repository: Repository,
  clusterId: string,
  ref: BlobRef,
  options: ReadOptions & { sharded: boolean },
): Promise<CollectionEntry[]> {
  const subject = blobKey(clusterId, ref.snapshotId, ref.id);
  const collections = decodeSection(await readBlob(repository, clusterId, ref, options), { ...options, subject });
  if (collections.length === ref.documents) return collections;
  const message = `${subject} holds ${collections.length} collections, its manifest says ${ref.documents}`;
  throw new Damage({ op: 'read section', subject, message });
}

/** What the manifest object itself holds, its sections unread; null where there is none. */
export async function findManifestParts(
  repository: Repository,
  place: SnapshotPlace,
  options: ReadOptions = {},
): Promise<ManifestParts | null> {
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
  const parts = decodeManifest(payload, objectKey);
  const { clusterId, snapshotId, repositoryId } = parts.header;
  if (clusterId !== place.clusterId || snapshotId !== place.snapshotId || repositoryId !== repository.repositoryId) {
    const message = `${objectKey} is the manifest of snapshot ${snapshotId} of cluster ${clusterId} in repository ${repositoryId}`;
    throw new Damage({ op: 'read manifest', subject: objectKey, message });
  }
  return parts;
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
  await forgetVerified(repository, place, options);
}
