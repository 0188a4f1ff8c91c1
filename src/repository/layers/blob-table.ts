import { assert } from '../../lib/assert.ts';
import { ByteSet } from '../../lib/byte-set.ts';
import { type BlobRef, RECORD_BYTES, RECORDS_PER_LIST_MAX, readRecord, writeRecord } from '../format/blob-list.ts';
import type { BlobKind } from '../format/envelope.ts';

/** Blob references by place, 60 bytes each: a collection of a terabyte has more than a hundred thousand. */
export class BlobRecords {
  #buffer = Buffer.allocUnsafeSlow(4 * RECORD_BYTES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** A place for a blob whose reference comes later: order is that of reserving. */
  reserve(): number {
    if ((this.#count + 1) * RECORD_BYTES > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(this.#buffer.length * 2);
      this.#buffer.copy(larger);
      this.#buffer = larger;
    }
    this.#buffer.fill(0, this.#count * RECORD_BYTES, (this.#count + 1) * RECORD_BYTES);
    return this.#count++;
  }

  fill(index: number, ref: BlobRef): void {
    assert(index < this.#count, 'only a reserved place is filled');
    writeRecord(this.#buffer, index, ref);
  }

  get(index: number, kind: BlobKind): BlobRef {
    assert(index < this.#count, 'a record that is there');
    return readRecord(this.#buffer, index, kind);
  }

  /** The payloads of the lists that hold the records. Views: not to be used after a further `reserve`. */
  lists(): Buffer[] {
    const lists: Buffer[] = [];
    const end = this.#count * RECORD_BYTES;
    for (let at = 0; at < end; at += RECORDS_PER_LIST_MAX * RECORD_BYTES) {
      lists.push(this.#buffer.subarray(at, Math.min(end, at + RECORDS_PER_LIST_MAX * RECORD_BYTES)));
    }
    return lists;
  }
}

/** Blob references by kind and id. */
export class BlobTable {
  readonly #ids: ByteSet;
  readonly #records = new BlobRecords();

  constructor(seed: number) {
    this.#ids = new ByteSet(seed);
  }

  /** The first reference of an id stays. */
  add(ref: BlobRef): void {
    const id = Buffer.from(ref.id, 'hex');
    if (!this.#ids.add(ref.kind, id, 0, id.length)) return;
    const index = this.#records.reserve();
    this.#records.fill(index, ref);
    assert(index === this.#ids.size - 1, 'ids and records go together');
  }

  find(kind: BlobKind, blobId: string): BlobRef | null {
    const id = Buffer.from(blobId, 'hex');
    const index = this.#ids.indexOf(kind, id, 0, id.length);
    return index < 0 ? null : this.#records.get(index, kind);
  }
}
