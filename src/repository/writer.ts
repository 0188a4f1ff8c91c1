import { throwIfAborted } from '../lib/abort.ts';
import { assert, must } from '../lib/assert.ts';
import { Cancelled, type Damage, Fault } from '../lib/errors.ts';
import { ObjectExists } from '../storage/object-store.ts';
import type { BlobRef } from './format/blob-list.ts';
import { envelopeKind } from './format/envelope.ts';
import { objectsNamedBy, sequencesOf } from './format/layer-blobs.ts';
import type { CollectionEntry, LayerRef, Manifest } from './format/manifest.ts';
import { encodeManifest, orderedCollections } from './format/manifest-json.ts';
import { encodeSections } from './format/sections.ts';
import { BlobPipeline, type WrittenTotals } from './layers/blob-pipeline.ts';
import { KnownBlobs } from './layers/known-blobs.ts';
import { LayerWriter } from './layers/layer-writer.ts';
import { manifestKey } from './object-keys.ts';
import type { Repository } from './repository.ts';
import { proveNamed } from './upkeep/prove-named.ts';

export type { LayerWriter } from './layers/layer-writer.ts';

export interface Committed {
  /** As it can be read from now on. */
  manifest: Manifest;
  /** The size of its object, sections left out. */
  objectBytes: number;
}

const BLOBS_IN_FLIGHT_MAX = 3;

/**
 * Writes one snapshot. What it holds to, whatever happens between two calls (`docs/repository-format.md`, Order of
 * writing):
 *
 * 1. A list is put after every blob it names was acknowledged, a section after every list and blob it names, the
 *    manifest after every section.
 * 2. Everything is put below the snapshot's own prefix, and only if absent.
 * 3. Nothing is named but what was written here and what the pinned parent names.
 * 4. A lease in the repository shows that it is written, and before the manifest everything it names is seen to be
 *   there.
 */
export class SnapshotWriter {
  readonly clusterId: string;
  readonly snapshotId: string;
  readonly #repository: Repository;
  readonly #pipeline: BlobPipeline;
  /** The lists, single blobs and shared blobs that the parent's layers name. */
  readonly #parentObjects: ReadonlySet<string>;
  readonly #parentSections: readonly BlobRef[];
  readonly #soundShared = new Map<string, Promise<boolean>>();
  readonly #parentDamage: Damage[] = [];
  #committed = false;

  constructor(
    repository: Repository,
    options: {
      clusterId: string;
      snapshotId: string;
      /** The pinned parent, of the same cluster: the only snapshot whose lists and blobs may be named. */
      parent: Manifest | null;
      signal?: AbortSignal | undefined;
      /** In blobs of the chunker's target size; bounds memory to about three times as much. */
      blobsInFlightMax?: number;
    },
  ) {
    const { clusterId, snapshotId, parent, signal, blobsInFlightMax = BLOBS_IN_FLIGHT_MAX } = options;
    assert(parent === null || parent.header.clusterId === clusterId, 'a parent is of the same cluster');
    assert(parent?.header.snapshotId !== snapshotId, 'a snapshot is not its own parent');
    this.clusterId = clusterId;
    this.snapshotId = snapshotId;
    this.#repository = repository;
    const parentSnapshotId = parent?.header.snapshotId ?? null;
    const place = { clusterId, snapshotId, parentSnapshotId };
    this.#pipeline = new BlobPipeline(repository, { ...place, signal, blobsInFlightMax });
    this.#parentObjects = new Set(parent === null ? [] : objectsOf(parent.collections).map(nameOf));
    this.#parentSections = parent?.sections ?? [];
  }

  /** Running totals of the snapshot. */
  get written(): Readonly<WrittenTotals> {
    return this.#pipeline.totals;
  }

  /**
   * Lists of the parent that could not be read when its blobs were to be re-used: the parent is damaged, this snapshot
   * is not.
   */
  get parentDamage(): readonly Damage[] {
    return this.#parentDamage;
  }

  /**
   * `reuse`: layers of the parent, or written here, whose blobs need not be written again where the same documents come
   * by.
   */
  openLayer(options: { kind: 'base' | 'delta'; ordered?: boolean; reuse?: readonly LayerRef[] }): LayerWriter {
    assert(!this.#committed, 'a committed snapshot gets no more layers');
    const reuse = options.reuse ?? [];
    for (const ref of reuse.flatMap(objectsSoFar)) {
      assert(this.#mayName(ref), `object ${ref.id} of ${ref.snapshotId} is neither the parent's nor our own`);
    }
    const { signal } = this.#pipeline;
    const onDamage = (damage: Damage): void => void this.#parentDamage.push(damage);
    const told = { signal, onDamage, soundShared: this.#soundShared };
    const known = new KnownBlobs(this.#repository, this.clusterId, reuse, told);
    const layer = { kind: options.kind, ordered: options.ordered ?? false, takenIn: this.snapshotId };
    return new LayerWriter(this.#pipeline, this.#repository.chunker, known, layer);
  }

  /**
   * Puts what small layers share. A layer's blobs can be read, and its totals are whole, when this was awaited after it
   * was closed.
   */
  async flush(): Promise<void> {
    await this.#pipeline.shared.flush();
  }

  /** Puts an extent of a layer of the parent once more, among those of this snapshot: `bytes` is what it holds. */
  async moveExtent({ kind, plainBytes, documents }: BlobRef, bytes: Buffer): Promise<BlobRef> {
    assert((kind === 1 || kind === 5) && bytes.length === plainBytes, 'an extent is moved whole');
    const sequence = {
      kind,
      pieces: [bytes],
      plainBytes,
      documents: must(documents, 'an extent counts its documents'),
    };
    return await this.#pipeline.shared.place(sequence, null);
  }

  /**
   * Puts sections and manifest: from then on the snapshot exists.
   */
  async commit(manifest: Manifest): Promise<Committed> {
    assert(manifest.header.type === 'replicaSet', 'the replica sets of a sharded snapshot are committed together');
    await this.flush();
    this.#close(manifest, objectsOf(manifest.collections));
    return await proveAndPut(this.#repository, manifest, [this.#pipeline], this.#parentSections);
  }

  /**
   * Commits a sharded snapshot: one writer for each of its replica sets, in their order, and one manifest that names
   * what all of them wrote.
   */
  static async commitTogether(writers: readonly SnapshotWriter[], manifest: Manifest): Promise<Committed> {
    assert(manifest.header.replicaSets?.length === writers.length, 'every replica set has its writer');
    for (const writer of writers) await writer.flush();
    for (const [index, writer] of writers.entries()) {
      const own = manifest.collections.filter((entry) => entry.replicaSet === index);
      writer.#close(manifest, objectsOf(own));
    }
    const repository = must(writers[0], 'a snapshot has replica sets').#repository;
    const pipelines = writers.map((writer) => writer.#pipeline);
    const parentSections = writers.flatMap((writer) => writer.#parentSections);
    return await proveAndPut(repository, manifest, pipelines, parentSections);
  }

  #close({ header }: Manifest, objects: readonly BlobRef[]): void {
    assert(!this.#committed, 'a snapshot is committed once');
    assert(
      header.clusterId === this.clusterId && header.snapshotId === this.snapshotId,
      'the manifest is of this snapshot',
    );
    assert(header.repositoryId === this.#repository.repositoryId, 'the manifest is of this repository');
    for (const ref of objects) {
      assert(this.#mayName(ref), `object ${ref.id} of ${ref.snapshotId} is neither the parent's nor acknowledged here`);
    }
    throwIfAborted(this.#pipeline.signal);
    this.#committed = true;
  }

  /**
   * Stops everything that is under way and resolves when it has ended. For a snapshot that failed; what was written is
   * garbage.
   */
  async abandon(): Promise<void> {
    this.#pipeline.stop(new Cancelled('the snapshot was abandoned'));
    await this.#pipeline.settled();
    await this.#pipeline.giveLeaseBack('failed');
  }

  #mayName(ref: BlobRef): boolean {
    return this.#parentObjects.has(nameOf(ref)) || this.#pipeline.isAcknowledged(ref);
  }
}

async function proveAndPut(
  repository: Repository,
  manifest: Manifest,
  pipelines: readonly BlobPipeline[],
  parentSections: readonly BlobRef[],
): Promise<Committed> {
  const signal = AbortSignal.any(pipelines.map((pipeline) => pipeline.signal));
  for (const pipeline of pipelines) await pipeline.holdLease();
  await repository.becomeNewest();
  const collections = orderedCollections(manifest);
  const pipeline = must(pipelines[0], 'a snapshot has a writer');
  const sections = await putSections(repository, collections, pipeline, parentSections);
  const whole: Manifest = { header: manifest.header, collections, sections };
  await proveNamed(repository, whole, { signal });
  const objectBytes = await putManifest(repository, manifest.header, sections, signal);
  for (const pipeline of pipelines) await pipeline.giveLeaseBack('committed');
  return { manifest: whole, objectBytes };
}

/** Those that the parent has are named as they are; that they are there is seen before the manifest is put. */
async function putSections(
  { chunker, sealer }: Repository,
  collections: readonly CollectionEntry[],
  pipeline: BlobPipeline,
  parentSections: readonly BlobRef[],
): Promise<BlobRef[]> {
  const known = new Map(parentSections.map((ref) => [ref.id, ref]));
  const sections: Promise<BlobRef>[] = [];
  for (const { payload, collections: documents } of encodeSections(collections, chunker.seed)) {
    const existing = known.get(sealer.blobId(9, payload));
    if (existing !== undefined) {
      sections.push(Promise.resolve(existing));
      continue;
    }
    const draft = { kind: 9, pieces: [payload], plainBytes: payload.length, documents } as const;
    const { stored } = await pipeline.submit(draft, null);
    sections.push(stored);
  }
  return await Promise.all(sections);
}

async function putManifest(
  repository: Repository,
  header: Manifest['header'],
  sections: readonly BlobRef[],
  signal: AbortSignal,
): Promise<number> {
  const { clusterId, snapshotId } = header;
  const objectKey = manifestKey(header);
  const boundTo = Buffer.from(`${clusterId}/${snapshotId}`);
  const object = await repository.sealer.seal(envelopeKind.manifest, encodeManifest(header, sections), boundTo);
  try {
    await repository.store.put(objectKey, object, { ifAbsent: true, signal });
  } catch (cause) {
    if (!(cause instanceof ObjectExists)) throw cause;
    const message = `snapshot ${snapshotId} was committed already, by another attempt`;
    throw new Fault({ op: 'commit snapshot', subject: objectKey, message, cause });
  }
  return object.length;
}

function objectsOf(collections: readonly CollectionEntry[]): BlobRef[] {
  return collections.flatMap((entry) => entry.layers).flatMap(objectsNamedBy);
}

/** Of a layer that may lie in a shared blob that is being filled. */
function objectsSoFar(layer: LayerRef): BlobRef[] {
  return sequencesOf(layer).flatMap(({ lists, blob, filters }) => {
    const object = blob?.within === undefined ? blob : blob.within.blob;
    return object === null ? [...lists, ...filters] : [...lists, ...filters, object];
  });
}

function nameOf(ref: BlobRef): string {
  return `${ref.snapshotId}/${ref.id}`;
}
