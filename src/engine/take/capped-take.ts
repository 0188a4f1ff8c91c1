import { findId, forEachDocument, MalformedBson } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { ByteSet } from '../../lib/byte-set.ts';
import type { LayerRef } from '../../repository/format/manifest.ts';
import type { LayerWriter, SnapshotWriter } from '../../repository/writer.ts';

/**
 * Ids of the last documents scanned are remembered, at least so many where there are. The inserts that a scan may have
 * met lie among them, so more inserts than this void the take.
 */
const TAIL_IDS_MIN = 200_000;
/** Documents older than the scan that may lie behind inserts: concurrent writers are not in the oplog's order. */
const MISPLACED_MAX = 10_000;

/**
 * A capped collection on its way to T. Servers before 8.0 cannot read one at a cluster time, and its order is data, so
 * it is scanned in order just before T and carried forward by the oplog itself: inserts carry their whole document and
 * are appended, evictions are entries of their own (from 5.0 on) and become deletions. What the oplog does not spell
 * out (an update, an id that comes back) makes the take void, and the next round scans again.
 */
export class CappedTake {
  readonly db: string;
  readonly uuid: string;
  /** Why this take cannot become exact, or null while it can. */
  voidReason: string | null = null;
  documents = 0;
  readonly #writer: SnapshotWriter;
  readonly #bytesMax: number;
  readonly #base: LayerWriter;
  readonly #seed: number;
  /** Ids of the last batches of the scan, oldest first. */
  readonly #tail: ByteSet[] = [];
  #scanDone = false;
  /**
   * Inserts since the scan began, in the oplog's order, which is the collection's but for writers that ran at the same
   * time.
   */
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
    assert(options.bytesMax > 0, 'there is room for inserts');
    this.#seed = options.seed;
    this.#insertedIds = new ByteSet(options.seed);
    this.#deletedIds = new ByteSet(options.seed);
    this.#base = options.writer.openLayer({ kind: 'base', ordered: true, reuse: options.reuse });
  }

  /** A batch of the scan, and how many documents it has. */
  async scanned(documents: Buffer, count: number): Promise<void> {
    assert(!this.#scanDone, 'a capped scan ends once');
    assert(count > 0 && documents.length > 0, 'a batch has documents');
    this.#remember(documents);
    this.documents += count;
    await this.#base.add(documents);
  }

  #remember(documents: Buffer): void {
    const ids = new ByteSet(this.#seed);
    forEachDocument(documents, (offset) => {
      const id = findId(documents, offset);
      if (id === null) throw new MalformedBson('a capped document without _id');
      ids.add(id.type, documents, id.start, id.end);
    });
    this.#tail.push(ids);
    let kept = this.#tail.reduce((sum, batch) => sum + batch.size, 0);
    while (kept - (this.#tail[0]?.size ?? 0) >= TAIL_IDS_MIN) kept -= this.#tail.shift()?.size ?? 0;
  }

  scanEnded(): void {
    assert(!this.#scanDone, 'a capped scan ends once');
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
    if (this.#insertBytes > this.#bytesMax || this.#inserts.length >= TAIL_IDS_MIN - MISPLACED_MAX) {
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

  /** The layers at T, newest first, or null where the take is void. Every entry up to T was told to it before. */
  async close(): Promise<LayerRef[] | null> {
    assert(this.#scanDone, 'a capped take closes after its scan');
    if (this.voidReason !== null) {
      this.abandon();
      return null;
    }
    assert(this.#inserts.length === this.#insertedIds.size, 'an insert and its id have the same place');
    // Told apart one by one: the last document met does not say which inserts were, as those of concurrent writers may
    // stand in another order than in the oplog.
    for (const [index, document] of this.#inserts.entries()) {
      const id = this.#insertedIds.at(index);
      if (this.#tail.some((batch) => this.#has(batch, id))) continue;
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
