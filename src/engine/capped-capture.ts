import { assert } from '../lib/assert.ts';
import { ByteSet } from '../lib/byte-set.ts';
import type { LayerRef } from '../repository/format/manifest.ts';
import type { LayerWriter, SnapshotWriter } from '../repository/writer.ts';

/**
 * A capped collection on its way to T. Servers before 8.0 cannot read one at a cluster time, and its order is data, so it is scanned in order just before T and
 * carried forward by the oplog itself: inserts carry their whole document and are appended, evictions are entries of their own (from 5.0 on) and become deletions.
 * What the oplog does not spell out (an update, an id that comes back) makes the capture void, and the next round scans again.
 */
export class CappedCapture {
  readonly db: string;
  readonly uuid: string;
  /** Why this capture cannot become exact, or null while it can. */
  voidReason: string | null = null;
  documents = 0;
  readonly #writer: SnapshotWriter;
  readonly #bytesMax: number;
  readonly #base: LayerWriter;
  /** Id of the last document that the scan met. */
  #lastScanned: Buffer | null = null;
  #scanDone = false;
  /** Inserts since the scan began, in the oplog's order, which is the collection's. */
  readonly #inserts: Buffer[] = [];
  readonly #insertedIds: ByteSet;
  readonly #deletedIds: ByteSet;
  #insertBytes = 0;

  constructor(
    target: { db: string; uuid: string },
    options: { writer: SnapshotWriter; reuse: readonly LayerRef[]; seed: number; bytesMax: number },
  ) {
    this.db = target.db;
    this.uuid = target.uuid;
    this.#writer = options.writer;
    this.#bytesMax = options.bytesMax;
    this.#insertedIds = new ByteSet(options.seed);
    this.#deletedIds = new ByteSet(options.seed);
    this.#base = options.writer.openLayer({ kind: 'base', ordered: true, reuse: options.reuse });
  }

  /** A batch of the scan, the id of its last document, and how many there are. */
  async scanned(documents: Buffer, lastId: Buffer, count: number): Promise<void> {
    assert(!this.#scanDone, 'a capped scan ends once');
    this.#lastScanned = lastId;
    this.documents += count;
    await this.#base.add(documents);
  }

  scanEnded(): void {
    this.#scanDone = true;
  }

  /** An insert after the scan began. Both are copied: the oplog batch they lie in is not kept. */
  inserted(document: Buffer, id: Buffer): void {
    if (this.voidReason !== null) return;
    if (this.#has(this.#deletedIds, id) || !this.#add(this.#insertedIds, id)) {
      this.voidReason = 'an id came back between its scan and T';
      return;
    }
    this.#insertBytes += document.length;
    if (this.#insertBytes > this.#bytesMax) {
      this.voidReason = 'too much was inserted between its scan and T';
      this.#inserts.length = 0;
      return;
    }
    this.#inserts.push(Buffer.from(document));
  }

  deleted(id: Buffer): void {
    this.#add(this.#deletedIds, id);
  }

  updated(): void {
    this.voidReason ??= 'a document was updated between its scan and T';
  }

  /** The layers at T, newest first, or null where the capture is void. Every entry up to T was told to it before. */
  async close(): Promise<LayerRef[] | null> {
    assert(this.#scanDone, 'a capped capture closes after its scan');
    if (this.voidReason !== null) {
      this.abandon();
      return null;
    }
    // The scan met the inserts up to some point: the last document it met is either one of them or older than all.
    const last = this.#lastScanned;
    const seen = last === null ? -1 : this.#insertedIds.indexOf(last[0] as number, last, 1, last.length);
    for (const document of this.#inserts.slice(seen + 1)) {
      await this.#base.add(document);
      this.documents++;
    }
    const layers = [await this.#base.close()];
    if (this.#deletedIds.size > 0) {
      const delta = this.#writer.openLayer({ kind: 'delta' });
      for (let i = 0; i < this.#deletedIds.size; i++) await delta.addDeleted(Buffer.from(this.#deletedIds.at(i)));
      layers.unshift(await delta.close());
      this.documents = Math.max(0, this.documents - this.#deletedIds.size);
    }
    return layers.filter((layer) => layer.documents > 0 || layer.deleted > 0);
  }

  abandon(): void {
    this.#base.abandon();
  }

  #has(set: ByteSet, id: Buffer): boolean {
    return set.has(id[0] as number, id, 1, id.length);
  }

  #add(set: ByteSet, id: Buffer): boolean {
    return set.add(id[0] as number, id, 1, id.length);
  }
}
