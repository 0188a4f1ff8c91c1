import { documentOfId } from '../../bson/raw-bson.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import { assert } from '../../lib/assert.ts';
import { type BlobRef, RECORD_BYTES } from '../format/blob-list.ts';
import type { LayerRef } from '../format/manifest.ts';
import type { BlobPipeline } from './blob-pipeline.ts';
import { BlobRecords } from './blob-table.ts';
import { type Chunker, nextRun } from './boundaries.ts';
import { FilterWriter } from './filter-writer.ts';
import type { KnownBlobs } from './known-blobs.ts';

const DELETION_PIECE_BYTES = 64 << 10;

/**
 * Writes one layer. Calls come one after another: each is awaited before the next. Documents are kept by reference
 * until their blob is cut and has room; so a buffer given to `add` is not written to again.
 */
export class LayerWriter {
  readonly #pipeline: BlobPipeline;
  readonly #chunker: Chunker;
  readonly #known: KnownBlobs;
  readonly #layer: { kind: 'base' | 'delta'; ordered: boolean; takenIn: string };
  #state: 'open' | 'busy' | 'closed' = 'open';
  /** The blob that is being filled. */
  #pieces: Buffer[] = [];
  #pieceBytes = 0;
  #pieceDocuments = 0;
  #deletionPieces: Buffer[] = [];
  #deletions = Buffer.alloc(0);
  #deletionsUsed = 0;
  #deletionBytes = 0;
  #deletionCount = 0;
  readonly #documents = new BlobRecords();
  readonly #deleted = new BlobRecords();
  readonly #documentFilters: FilterWriter;
  readonly #deletedFilters: FilterWriter;
  readonly #storing = new Set<Promise<void>>();
  readonly #totals = { documents: 0, deleted: 0, bytes: 0, storedBytes: 0 };

  constructor(
    pipeline: BlobPipeline,
    chunker: Chunker,
    known: KnownBlobs,
    layer: { kind: 'base' | 'delta'; ordered: boolean; takenIn: string },
  ) {
    assert(!(layer.ordered && layer.kind === 'delta'), 'only a base is ordered');
    this.#pipeline = pipeline;
    this.#chunker = chunker;
    this.#known = known;
    this.#layer = layer;
    this.#documentFilters = new FilterWriter(pipeline, known, chunker.seed);
    this.#deletedFilters = new FilterWriter(pipeline, known, chunker.seed);
  }

  /** Whole raw documents one after another. Resolves when there is room for more. */
  async add(documents: Buffer): Promise<void> {
    await this.#exclusively(async () => {
      for (let at = 0; at < documents.length; ) {
        const run = nextRun(this.#chunker, documents, at, this.#pieceBytes);
        if (run.end > at) this.#push(documents.subarray(at, run.end));
        this.#pieceBytes += run.end - at;
        this.#pieceDocuments += run.documents;
        at = run.end;
        if (run.cut) await this.#cutDocuments();
      }
    });
  }

  #push(documents: Buffer): void {
    this.#pieces.push(documents);
    this.#documentFilters.add(documents);
  }

  /** An id element: type byte, then value. */
  async addDeleted(id: Uint8Array): Promise<void> {
    assert(this.#layer.kind === 'delta', 'a base has no deletions');
    await this.#exclusively(async () => {
      this.#appendDeletion(documentOfId(id));
      if (this.#deletionBytes >= this.#chunker.targetBytes) await this.#cutDeletions();
    });
  }

  /** Bytes of the blob that is being filled; 0 where a whole blob of another layer can follow. */
  get openBytes(): number {
    return this.#pieceBytes;
  }

  /** Ends the blob that is being filled, earlier than its documents ask for. */
  async cut(): Promise<void> {
    await this.#exclusively(async () => {
      if (this.#pieceBytes > 0) await this.#cutDocuments();
    });
  }

  /** A whole blob of one of the layers that may be re-used, named as it is; `documents` is what it holds. */
  async addBlob(ref: BlobRef, documents: Buffer): Promise<void> {
    assert(this.openBytes === 0 && ref.kind === 1, 'a whole blob of documents follows a cut');
    await this.#exclusively(async () => {
      const known = await this.#known.find(1, ref.id);
      assert(
        known?.snapshotId === ref.snapshotId,
        'a blob that is not written is one of the layers that may be re-used',
      );
      this.#documents.fill(this.#documents.reserve(), ref);
      this.#count(ref);
      this.#documentFilters.add(documents);
      await this.#documentFilters.cut();
      this.#pipeline.totals.reusedBlobs++;
      this.#pipeline.totals.reusedBytes += ref.plainBytes;
    });
  }

  /**
   * Writes what is left, then the lists. A layer without documents and deletions has no lists, a sequence of one blob
   * needs none, and a small one becomes an extent of a shared blob.
   */
  async close(): Promise<LayerRef> {
    assert(this.#state === 'open', 'a layer is closed once, after its last call has ended');
    this.#state = 'closed';
    const documentExtent = await this.#placeDocuments();
    const deletedExtent = await this.#placeDeletions();
    if (this.#pieceBytes > 0) await this.#cutDocuments();
    if (this.#deletionBytes > 0) await this.#cutDeletions();
    while (this.#storing.size > 0) await Promise.all(this.#storing);
    throwIfAborted(this.#pipeline.signal);
    const documentBlob = documentExtent ?? singleOf(this.#documents, 1);
    const deletedBlob = deletedExtent ?? singleOf(this.#deleted, 5);
    const documentLists = documentBlob === null ? await this.#writeLists(this.#documents) : [];
    const deletedLists = deletedBlob === null ? await this.#writeLists(this.#deleted) : [];
    const { documents, deleted, bytes, storedBytes } = this.#totals;
    const { kind, takenIn, ordered } = this.#layer;
    const ofDocuments = await this.#documentFilters.end({ documents, isShared: documentExtent !== null });
    const ofDeletions = await this.#deletedFilters.end({ documents: deleted, isShared: deletedExtent !== null });
    return {
      ...{ kind, takenIn, documents, deleted, bytes, storedBytes, ordered, documentLists, deletedLists },
      ...(documentBlob === null ? {} : { documentBlob }),
      ...(deletedBlob === null ? {} : { deletedBlob }),
      ...(ofDocuments.inline === null ? {} : { documentFilter: ofDocuments.inline }),
      ...(ofDeletions.inline === null ? {} : { deletedFilter: ofDeletions.inline }),
      ...(ofDocuments.blobs.length === 0 ? {} : { documentFilters: ofDocuments.blobs }),
      ...(ofDeletions.blobs.length === 0 ? {} : { deletedFilters: ofDeletions.blobs }),
    };
  }

  /** Nothing more will come. What was written of it is garbage, unless other layers came to the same blobs. */
  abandon(): void {
    this.#state = 'closed';
    this.#pieces = [];
    this.#deletionPieces = [];
  }

  /** A call that failed leaves the layer closed: it may hold part of what the call brought. */
  async #exclusively(work: () => Promise<void>): Promise<void> {
    assert(this.#state === 'open', `a layer that is ${this.#state} takes nothing`);
    this.#state = 'busy';
    try {
      await work();
    } catch (error) {
      this.abandon();
      throw error;
    }
    this.#state = this.#isClosed() ? 'closed' : 'open';
  }

  #isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** The extent of all documents, where they are few. */
  async #placeDocuments(): Promise<BlobRef | null> {
    const { shared } = this.#pipeline;
    if (this.#documents.count > 0 || this.#pieceBytes === 0 || this.#pieceBytes > shared.extentBytesMax) return null;
    const sequence = {
      kind: 1,
      pieces: this.#pieces,
      plainBytes: this.#pieceBytes,
      documents: this.#pieceDocuments,
    } as const;
    [this.#pieces, this.#pieceBytes, this.#pieceDocuments] = [[], 0, 0];
    await this.#documentFilters.cut();
    return this.#counted(await shared.place(sequence, this.#known));
  }

  /** The same of the deletions. */
  async #placeDeletions(): Promise<BlobRef | null> {
    const { shared } = this.#pipeline;
    if (this.#deleted.count > 0 || this.#deletionBytes === 0 || this.#deletionBytes > shared.extentBytesMax)
      return null;
    this.#sealDeletions();
    const pieces = this.#deletionPieces;
    const sequence = { kind: 5, pieces, plainBytes: this.#deletionBytes, documents: this.#deletionCount } as const;
    [this.#deletionPieces, this.#deletionBytes, this.#deletionCount] = [[], 0, 0];
    await this.#deletedFilters.cut();
    return this.#counted(await shared.place(sequence, this.#known));
  }

  #counted(ref: BlobRef): BlobRef {
    this.#count(ref);
    return ref;
  }

  async #cutDocuments(): Promise<void> {
    const draft = {
      kind: 1,
      pieces: this.#pieces,
      plainBytes: this.#pieceBytes,
      documents: this.#pieceDocuments,
    } as const;
    this.#pieces = [];
    this.#pieceBytes = 0;
    this.#pieceDocuments = 0;
    await this.#documentFilters.cut();
    await this.#submit(draft, this.#documents);
  }

  /** Deletions are small and many, so they are gathered in larger pieces. */
  #appendDeletion(document: Buffer): void {
    if (this.#deletionsUsed + document.length > this.#deletions.length) {
      this.#sealDeletions();
      this.#deletions = Buffer.allocUnsafeSlow(Math.max(DELETION_PIECE_BYTES, document.length));
    }
    document.copy(this.#deletions, this.#deletionsUsed);
    this.#deletedFilters.add(document);
    this.#deletionsUsed += document.length;
    this.#deletionBytes += document.length;
    this.#deletionCount++;
  }

  #sealDeletions(): void {
    if (this.#deletionsUsed > 0) this.#deletionPieces.push(this.#deletions.subarray(0, this.#deletionsUsed));
    this.#deletions = Buffer.alloc(0);
    this.#deletionsUsed = 0;
  }

  async #cutDeletions(): Promise<void> {
    this.#sealDeletions();
    const pieces = this.#deletionPieces;
    const draft = { kind: 5, pieces, plainBytes: this.#deletionBytes, documents: this.#deletionCount } as const;
    this.#deletionPieces = [];
    this.#deletionBytes = 0;
    this.#deletionCount = 0;
    await this.#deletedFilters.cut();
    await this.#submit(draft, this.#deleted);
  }

  async #submit(draft: Parameters<BlobPipeline['submit']>[0], records: BlobRecords): Promise<void> {
    const place = records.reserve();
    const { stored } = await this.#pipeline.submit(draft, this.#known);
    const storing: Promise<void> = stored
      .then((ref) => {
        records.fill(place, ref);
        this.#count(ref);
      })
      .finally(() => this.#storing.delete(storing));
    storing.catch(() => undefined); // the pipeline stops on it, and close() or the next submit throws it
    this.#storing.add(storing);
  }

  #count(ref: BlobRef): void {
    assert(ref.documents !== undefined && ref.documents > 0, 'a blob counts its documents');
    this.#totals.storedBytes += ref.storedBytes;
    if (ref.kind === 5) this.#totals.deleted += ref.documents;
    else {
      this.#totals.documents += ref.documents;
      this.#totals.bytes += ref.plainBytes;
    }
  }

  async #writeLists(records: BlobRecords): Promise<BlobRef[]> {
    const lists: BlobRef[] = [];
    for (const payload of records.lists()) {
      const documents = payload.length / RECORD_BYTES;
      const draft = { kind: 2, pieces: [payload], plainBytes: payload.length, documents } as const;
      const { stored } = await this.#pipeline.submit(draft, this.#known);
      const { id, snapshotId, kind, plainBytes, storedBytes } = await stored;
      lists.push({ id, snapshotId, kind, plainBytes, storedBytes });
    }
    return lists;
  }
}

/** The blob of a sequence that is one. */
function singleOf(records: BlobRecords, kind: 1 | 5): BlobRef | null {
  return records.count === 1 ? records.get(0, kind) : null;
}
