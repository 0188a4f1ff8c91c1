import { Damage } from '../../lib/errors.ts';
import type { BlobRef } from '../format/blob-list.ts';
import type { BlobKind } from '../format/envelope.ts';
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
  #table: Promise<BlobTable> | undefined;

  constructor(
    repository: Repository,
    clusterId: string,
    layers: readonly LayerRef[],
    options: { signal: AbortSignal; onDamage: (damage: Damage) => void },
  ) {
    this.#repository = repository;
    this.#clusterId = clusterId;
    this.#layers = layers;
    this.#signal = options.signal;
    this.#onDamage = options.onDamage;
  }

  /** Where such a blob is, or null. */
  async find(kind: BlobKind, blobId: string): Promise<BlobRef | null> {
    if (this.#layers.length === 0) return null;
    this.#table ??= this.#load();
    return (await this.#table).find(kind, blobId);
  }

  /**
   * As `find`, and the object is seen to be there with its recorded length: a hole in the parent is mended, not
   * inherited.
   */
  async findSound(kind: BlobKind, blobId: string): Promise<BlobRef | null> {
    const found = await this.find(kind, blobId);
    if (found === null) return null;
    const objectKey = blobKey(this.#clusterId, found.snapshotId, found.id);
    const info = await this.#repository.store.head(objectKey, { signal: this.#signal });
    return info?.sizeBytes === found.storedBytes ? found : null;
  }

  async #load(): Promise<BlobTable> {
    const table = new BlobTable(this.#repository.random.bytes(4).readUInt32LE(0));
    for (const { documentLists, deletedLists } of this.#layers) {
      for (const list of documentLists) await this.#loadList(table, list, 1);
      for (const list of deletedLists) await this.#loadList(table, list, 5);
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
