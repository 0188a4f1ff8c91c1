import { throwIfAborted } from '../lib/abort.ts';
import { assert, must } from '../lib/assert.ts';
import { Cancelled, type Damage, Fault } from '../lib/errors.ts';
import { ObjectExists } from '../storage/object-store.ts';
import type { BlobRef } from './format/blob-list.ts';
import { envelopeKind } from './format/envelope.ts';
import { encodeManifest, type LayerRef, type Manifest } from './format/manifest.ts';
import { BlobPipeline, type WrittenTotals } from './layers/blob-pipeline.ts';
import { KnownBlobs } from './layers/known-blobs.ts';
import { LayerWriter } from './layers/layer-writer.ts';
import { manifestKey } from './object-keys.ts';
import type { Repository } from './repository.ts';
import { proveNamed } from './upkeep/prove-named.ts';

export type { LayerWriter } from './layers/layer-writer.ts';

const BLOBS_IN_FLIGHT_MAX = 4;

/**
 * Writes one snapshot. What it holds to, whatever happens between two calls (`docs/repository-format.md`, Order of
 * writing):
 *
 * 1. A list is put after every blob it names was acknowledged, the manifest after every list it names.
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
  /** The lists that the parent names. */
  readonly #parentLists: ReadonlySet<string>;
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
    this.#parentLists = new Set(parent === null ? [] : listsOf(parent).map(nameOf));
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
    for (const ref of reuse.flatMap(listsOfLayer)) {
      assert(this.#mayName(ref), `list ${ref.id} of ${ref.snapshotId} is neither the parent's nor our own`);
    }
    const { signal } = this.#pipeline;
    const onDamage = (damage: Damage): void => void this.#parentDamage.push(damage);
    const known = new KnownBlobs(this.#repository, this.clusterId, reuse, { signal, onDamage });
    const layer = { kind: options.kind, ordered: options.ordered ?? false, takenIn: this.snapshotId };
    return new LayerWriter(this.#pipeline, this.#repository.chunker, known, layer);
  }

  /** Puts the manifest: from then on the snapshot exists. `storedBytes` is the manifest's size. */
  async commit(manifest: Manifest): Promise<{ storedBytes: number }> {
    assert(manifest.header.type === 'replicaSet', 'the replica sets of a sharded snapshot are committed together');
    this.#close(manifest, listsOf(manifest));
    return await proveAndPut(this.#repository, manifest, [this.#pipeline]);
  }

  /**
   * Commits a sharded snapshot: one writer for each of its replica sets, in their order, and one manifest that names
   * what all of them wrote.
   */
  static async commitTogether(
    writers: readonly SnapshotWriter[],
    manifest: Manifest,
  ): Promise<{ storedBytes: number }> {
    assert(manifest.header.replicaSets?.length === writers.length, 'every replica set has its writer');
    for (const [index, writer] of writers.entries()) {
      const own = manifest.collections.filter((entry) => entry.replicaSet === index);
      writer.#close(
        manifest,
        own.flatMap((entry) => entry.layers.flatMap(listsOfLayer)),
      );
    }
    const repository = must(writers[0], 'a snapshot has replica sets').#repository;
    const pipelines = writers.map((writer) => writer.#pipeline);
    return await proveAndPut(repository, manifest, pipelines);
  }

  #close({ header }: Manifest, lists: readonly BlobRef[]): void {
    assert(!this.#committed, 'a snapshot is committed once');
    assert(
      header.clusterId === this.clusterId && header.snapshotId === this.snapshotId,
      'the manifest is of this snapshot',
    );
    assert(header.repositoryId === this.#repository.repositoryId, 'the manifest is of this repository');
    for (const ref of lists) {
      assert(this.#mayName(ref), `list ${ref.id} of ${ref.snapshotId} is neither the parent's nor acknowledged here`);
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
    return this.#parentLists.has(nameOf(ref)) || this.#pipeline.isAcknowledged(ref);
  }
}

async function proveAndPut(
  repository: Repository,
  manifest: Manifest,
  pipelines: readonly BlobPipeline[],
): Promise<{ storedBytes: number }> {
  const signal = AbortSignal.any(pipelines.map((pipeline) => pipeline.signal));
  for (const pipeline of pipelines) await pipeline.holdLease();
  await repository.secureDescription();
  await proveNamed(repository, manifest, { signal });
  const put = await putManifest(repository, manifest, signal);
  for (const pipeline of pipelines) await pipeline.giveLeaseBack('committed');
  return put;
}

async function putManifest(
  repository: Repository,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<{ storedBytes: number }> {
  const { clusterId, snapshotId } = manifest.header;
  const objectKey = manifestKey(manifest.header);
  const boundTo = Buffer.from(`${clusterId}/${snapshotId}`);
  const object = await repository.sealer.seal(envelopeKind.manifest, encodeManifest(manifest), boundTo);
  try {
    await repository.store.put(objectKey, object, { ifAbsent: true, signal });
  } catch (cause) {
    if (!(cause instanceof ObjectExists)) throw cause;
    const message = `snapshot ${snapshotId} was committed already, by another attempt`;
    throw new Fault({ op: 'commit snapshot', subject: objectKey, message, cause });
  }
  return { storedBytes: object.length };
}

function listsOf(manifest: Manifest): BlobRef[] {
  return manifest.collections.flatMap((entry) => entry.layers).flatMap(listsOfLayer);
}

function listsOfLayer(layer: LayerRef): BlobRef[] {
  return [...layer.documentLists, ...layer.deletedLists];
}

function nameOf(ref: BlobRef): string {
  return `${ref.snapshotId}/${ref.id}`;
}
