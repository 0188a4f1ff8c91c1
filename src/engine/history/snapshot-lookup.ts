import { findId, forEachDocument } from '../../bson/raw-bson.ts';
import { throwIfAborted } from '../../lib/abort.ts';
import type { BlobRef } from '../../repository/format/blob-list.ts';
import { hashesOf, type IdHashes } from '../../repository/format/id-filter.ts';
import { sequencesOf } from '../../repository/format/layer-blobs.ts';
import type { CollectionEntry, LayerRef } from '../../repository/format/manifest.ts';
import { blobsThatMayHold } from '../../repository/layers/filtered-blobs.ts';
import { readAhead, readBlob } from '../../repository/reader.ts';
import type { Repository } from '../../repository/repository.ts';
import type { IdMatcher } from './same-id.ts';

const PREFETCH = 3;
/** Found documents are kept for the snapshots that share the layer, up to this. */
const KEPT_BYTES_MAX = 64 << 20;

type Found = Buffer | 'deleted' | 'untouched';

/**
 * Finds one document in snapshots. Layers are read newest first and no further than where the id is met; what a layer
 * says is remembered, so that of a row of snapshots only what each added is read.
 */
export class SnapshotLookup {
  readonly #repository: Repository;
  readonly #clusterId: string;
  readonly #matches: IdMatcher;
  readonly #hashes: IdHashes;
  readonly #signal: AbortSignal;
  readonly #onRead: (bytes: number) => void;
  readonly #known = new Map<string, Found>();
  #keptBytes = 0;

  constructor(options: {
    repository: Repository;
    clusterId: string;
    /** The id element looked for: type byte, then value. */
    id: Buffer;
    matches: IdMatcher;
    signal: AbortSignal;
    onRead: (bytes: number) => void;
  }) {
    this.#repository = options.repository;
    this.#clusterId = options.clusterId;
    this.#matches = options.matches;
    const { id, repository } = options;
    const element = { type: id[0] as number, start: 1, end: id.length };
    this.#hashes = hashesOf(id, element, repository.chunker.seed);
    this.#signal = options.signal;
    this.#onRead = options.onRead;
  }

  /** The raw document, or null where the collection does not hold it. */
  async find(entry: CollectionEntry): Promise<Buffer | null> {
    for (const layer of entry.layers) {
      const found = await this.#inLayer(layer);
      if (found !== 'untouched') return found === 'deleted' ? null : found;
    }
    return null;
  }

  async #inLayer(layer: LayerRef): Promise<Found> {
    const name = sequencesOf(layer)
      .flatMap(({ lists, blob }) => (blob === null ? lists : [blob]))
      .map(({ id }) => id)
      .join(' ');
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const found = await this.#readLayer(layer);
    if (typeof found !== 'string') {
      this.#keptBytes += found.length;
      if (this.#keptBytes > KEPT_BYTES_MAX) return found;
    }
    this.#known.set(name, found);
    return found;
  }

  async #readLayer(layer: LayerRef): Promise<Found> {
    if ((await this.#inSequence(layer, 5)) !== null) return 'deleted';
    return (await this.#inSequence(layer, 1)) ?? 'untouched';
  }

  async #inSequence(layer: LayerRef, kind: 1 | 5): Promise<Buffer | null> {
    const options = { signal: this.#signal };
    const blobs = blobsThatMayHold(this.#repository, this.#clusterId, layer, kind, this.#hashes, options);
    const read = (ref: BlobRef) => readBlob(this.#repository, this.#clusterId, ref, options);
    for await (const { result } of readAhead(blobs, PREFETCH, read)) {
      throwIfAborted(this.#signal);
      this.#onRead(result.length);
      const found = this.#inBlob(result);
      if (found !== null) return found;
    }
    return null;
  }

  #inBlob(documents: Buffer): Buffer | null {
    let found: Buffer | null = null;
    forEachDocument(documents, (offset, length) => {
      const id = findId(documents, offset);
      // The last one: in an ordered layer a document could have come back.
      if (id !== null && this.#matches(documents, id)) found = Buffer.from(documents.subarray(offset, offset + length));
    });
    return found;
  }
}
