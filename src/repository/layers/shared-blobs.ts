import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import type { BlobRef, ExtentPlace } from '../format/blob-list.ts';
import type { Sealer } from '../sealing.ts';
import type { BlobPipeline } from './blob-pipeline.ts';
import type { Chunker } from './boundaries.ts';
import type { KnownBlobs } from './known-blobs.ts';

/** A sequence of at most this part of the least size of a blob is put into a shared one. */
const EXTENT_SHARE = 1 / 8;

/** A layer's documents (kind 1) or deletions (kind 5), all of them, in pieces of memory. */
export interface SmallSequence {
  kind: 1 | 5;
  pieces: readonly Uint8Array[];
  plainBytes: number;
  documents: number;
}

/**
 * Gathers what is too small for a blob of its own (`docs/repository-format.md`, Shared blobs). A reference that it
 * gives is of use at once, and names its object from `flush` on.
 */
export class SharedBlobs {
  /** What is longer gets blobs of its own. */
  readonly extentBytesMax: number;
  readonly #pipeline: BlobPipeline;
  readonly #sealer: Sealer;
  readonly #snapshotId: string;
  readonly #bytesMax: number;
  #buffer: Buffer | null = null;
  #used = 0;
  #documents = 0;
  #places: ExtentPlace[] = [];
  /** What this snapshot has put into shared blobs, by kind and id. */
  readonly #own = new Map<string, BlobRef>();
  readonly #putting = new Set<Promise<void>>();

  constructor(
    pipeline: BlobPipeline,
    { sealer, chunker, snapshotId }: { sealer: Sealer; chunker: Chunker; snapshotId: string },
  ) {
    this.#pipeline = pipeline;
    this.#sealer = sealer;
    this.#snapshotId = snapshotId;
    this.#bytesMax = chunker.minBytes;
    this.extentBytesMax = Math.floor(chunker.minBytes * EXTENT_SHARE);
  }

  /** The extent, or the blob or extent among `known` that holds the same. Resolves when there is room for more. */
  async place(sequence: SmallSequence, known: KnownBlobs | null): Promise<BlobRef> {
    const { kind, plainBytes, documents } = sequence;
    assert(plainBytes > 0 && plainBytes <= this.extentBytesMax, 'only what is small shares a blob');
    const bytes = Buffer.concat(sequence.pieces, plainBytes);
    const id = this.#sealer.blobId(kind, bytes);
    const sound = (await known?.findSound(kind, id)) ?? null;
    throwIfAborted(this.#pipeline.signal);
    // Nothing is awaited between looking for the extent and entering it, so that no content is written twice.
    const existing = sound ?? this.#own.get(`${kind}/${id}`) ?? null;
    if (existing !== null) {
      this.#pipeline.totals.reusedBlobs++;
      this.#pipeline.totals.reusedBytes += plainBytes;
      return existing;
    }
    const full = this.#used + plainBytes > this.#bytesMax ? this.#put() : null;
    const within = this.#append(bytes, documents);
    const ref: BlobRef = { id, snapshotId: this.#snapshotId, kind, plainBytes, storedBytes: 0, documents, within };
    this.#own.set(`${kind}/${id}`, ref);
    await full;
    return ref;
  }

  /** Puts what is left. Then every extent given names an object that is acknowledged. */
  async flush(): Promise<void> {
    if (this.#used > 0) await this.#put();
    while (this.#putting.size > 0) await Promise.all(this.#putting);
    throwIfAborted(this.#pipeline.signal);
  }

  #append(bytes: Buffer, documents: number): ExtentPlace {
    this.#buffer ??= Buffer.allocUnsafeSlow(this.#bytesMax);
    this.#buffer.set(bytes, this.#used);
    const place: ExtentPlace = { blob: null, at: this.#used };
    this.#places.push(place);
    this.#used += bytes.length;
    this.#documents += documents;
    return place;
  }

  /** Resolves when there was room for the blob; the next one is begun at once. */
  async #put(): Promise<void> {
    assert(this.#buffer !== null && this.#used > 0, 'an empty blob is never written');
    const pieces = [this.#buffer.subarray(0, this.#used)];
    const [plainBytes, documents, places] = [this.#used, this.#documents, this.#places];
    [this.#buffer, this.#used, this.#documents, this.#places] = [null, 0, 0, []];
    const submitted = this.#pipeline.submit({ kind: 8, pieces, plainBytes, documents }, null);
    const putting: Promise<void> = submitted
      .then(async ({ stored }) => {
        const blob = await stored;
        for (const place of places) place.blob = blob;
      })
      .finally(() => this.#putting.delete(putting));
    putting.catch(() => undefined); // the pipeline stops on it: the next call says why
    this.#putting.add(putting);
    await submitted;
  }
}
