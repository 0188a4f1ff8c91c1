import { Damage } from '../../lib/errors.ts';
import type { BlobRef } from '../format/blob-list.ts';
import type { BlobKind } from '../format/envelope.ts';
import { sequencesOf } from '../format/layer-blobs.ts';
import type { LayerRef } from '../format/manifest.ts';
import { blobKey } from '../object-keys.ts';
import { blobsOfLists } from '../reader.ts';
import type { Repository } from '../repository.ts';
import { BlobTable } from './blob-table.ts';

/**
 * The blobs of layers of the pinned parent, by id: what need not be written again. Their lists are read when the first
 * blob is looked for.
 */
export class KnownBlobs {
  readonly #repository: Repository;
  readonly #clusterId: string;
  readonly #layers: readonly LayerRef[];
  readonly #signal: AbortSignal;
  readonly #onDamage: (damage: Damage) => void;
  readonly #extents = new Map<string, BlobRef>();
  readonly #soundShared: Map<string, Promise<boolean>>;
  #table: Promise<BlobTable> | undefined;

  constructor(
    repository: Repository,
    clusterId: string,
    layers: readonly LayerRef[],
    options: {
      signal: AbortSignal;
      onDamage: (damage: Damage) => void;
      /** By object key, of all layers of the snapshot: whether a shared blob was seen to be there. */
      soundShared: Map<string, Promise<boolean>>;
    },
  ) {
    this.#repository = repository;
    this.#clusterId = clusterId;
    this.#layers = layers;
    this.#signal = options.signal;
    this.#onDamage = options.onDamage;
    this.#soundShared = options.soundShared;
  }

  /** Where such a blob is, or null. */
  async find(kind: BlobKind, blobId: string): Promise<BlobRef | null> {
    if (this.#layers.length === 0) return null;
    this.#table ??= this.#load();
    return (await this.#table).find(kind, blobId) ?? this.#extents.get(`${kind}/${blobId}`) ?? null;
  }

  /**
   * As `find`, and the object is seen to be there with its recorded length: a hole in the parent is mended, not
   * inherited.
   */
  async findSound(kind: BlobKind, blobId: string): Promise<BlobRef | null> {
    const found = await this.find(kind, blobId);
    if (found === null) return null;
    if (found.within === undefined) return (await this.#isSound(found)) ? found : null;
    const { blob } = found.within;
    if (blob === null) return found; // written by this snapshot, and not put yet
    // Thousands of extents lie in one blob, which is looked at once.
    const objectKey = blobKey(this.#clusterId, blob.snapshotId, blob.id);
    let sound = this.#soundShared.get(objectKey);
    if (sound === undefined) {
      sound = this.#isSound(blob);
      this.#soundShared.set(objectKey, sound);
    }
    return (await sound) ? found : null;
  }

  async #isSound(ref: BlobRef): Promise<boolean> {
    const objectKey = blobKey(this.#clusterId, ref.snapshotId, ref.id);
    const info = await this.#repository.store.head(objectKey, { signal: this.#signal });
    return info?.sizeBytes === ref.storedBytes;
  }

  async #load(): Promise<BlobTable> {
    const table = new BlobTable(this.#repository.random.bytes(4).readUInt32LE(0));
    for (const { kind, lists, blob, filters } of this.#layers.flatMap(sequencesOf)) {
      for (const ref of filters) table.add(ref);
      if (blob?.within !== undefined) this.#extents.set(`${kind}/${blob.id}`, blob);
      else if (blob !== null) table.add(blob);
      for (const list of lists) await this.#loadList(table, list, kind);
    }
    return table;
  }

  /**
   * What a damaged list named is not known, so it is written again: the damage is told, and costs space instead of the
   * snapshot.
   */
  async #loadList(table: BlobTable, list: BlobRef, kind: BlobKind): Promise<void> {
    const signal = this.#signal;
    try {
      for await (const ref of blobsOfLists(this.#repository, this.#clusterId, [list], kind, { signal })) table.add(ref);
      table.add(list);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      this.#onDamage(error);
    }
  }
}
