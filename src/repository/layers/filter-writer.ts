import type { BlobRef } from '../format/blob-list.ts';
import { encodeFilters, IdFilterBuilder } from '../format/id-filter.ts';
import type { BlobPipeline } from './blob-pipeline.ts';
import type { KnownBlobs } from './known-blobs.ts';

/** A layer that is one blob of at most so many documents has its filter in the manifest. */
const INLINE_DOCUMENTS_MAX = 512;
const PENDING_BYTES_MAX = 4 << 20;

/** The filters of one of a layer's sequences, as its layer names them; null and none where nothing is filtered. */
export interface WrittenFilters {
  inline: Buffer | null;
  blobs: BlobRef[];
}

/** Makes the filters of a sequence's blobs, in their order, and puts them where they are many. */
export class FilterWriter {
  readonly #pipeline: BlobPipeline;
  readonly #known: KnownBlobs;
  readonly #builder: IdFilterBuilder;
  #filters: Buffer[] = [];
  #pendingBytes = 0;
  readonly #stored: Promise<BlobRef>[] = [];

  constructor(pipeline: BlobPipeline, known: KnownBlobs, seed: number) {
    this.#pipeline = pipeline;
    this.#known = known;
    this.#builder = new IdFilterBuilder(seed);
  }

  /** Whole documents of the blob that is being filled. */
  add(documents: Buffer): void {
    this.#builder.add(documents);
  }

  /** The blob has ended. Resolves when there is room for more. */
  async cut(): Promise<void> {
    const filter = this.#builder.build();
    this.#filters.push(filter);
    this.#pendingBytes += filter.length;
    if (this.#pendingBytes >= PENDING_BYTES_MAX) await this.#put();
  }

  /** After the last cut. `isShared`: the sequence is an extent, which is cheap to read. */
  async end({ documents, isShared }: { documents: number; isShared: boolean }): Promise<WrittenFilters> {
    const isSingle = this.#stored.length === 0 && this.#filters.length === 1;
    const [only] = this.#filters;
    if (isSingle && only !== undefined && documents <= INLINE_DOCUMENTS_MAX) return { inline: only, blobs: [] };
    if (isShared) return { inline: null, blobs: [] };
    if (this.#filters.length > 0) await this.#put();
    return { inline: null, blobs: await Promise.all(this.#stored) };
  }

  async #put(): Promise<void> {
    const payload = encodeFilters(this.#filters);
    const draft = { kind: 10, pieces: [payload], plainBytes: payload.length, documents: this.#filters.length } as const;
    this.#filters = [];
    this.#pendingBytes = 0;
    const { stored } = await this.#pipeline.submit(draft, this.#known);
    this.#stored.push(stored);
  }
}
