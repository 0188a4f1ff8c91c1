import { assert } from '../lib/assert.ts';
import { ByteSet } from '../lib/byte-set.ts';
import type { BlobRef } from './format/blob-list.ts';
import type { ObjectPlace } from './object-keys.ts';

const KEY_BYTES = 12 + 12 + 32;
const UNSEEN = 0;
const SOUND = 1;
const OTHER_SIZE = 2;

/** What manifests name, with the lengths recorded for it, in about 100 bytes each: a repository holds millions. */
export class NamedObjects {
  readonly #names: ByteSet;
  #storedBytes = new Float64Array(64);
  #sight = new Uint8Array(64);
  #soundCount = 0;
  readonly #scratch = Buffer.alloc(KEY_BYTES);
  #totalBytes = 0;

  constructor(seed: number) {
    this.#names = new ByteSet(seed);
  }

  get count(): number {
    return this.#names.size;
  }

  /** Of all objects named. */
  get storedBytes(): number {
    return this.#totalBytes;
  }

  /** True when nothing had named the object before. */
  add(clusterId: string, ref: BlobRef): boolean {
    assert(Number.isSafeInteger(ref.storedBytes) && ref.storedBytes >= 0, 'a blob has a size');
    this.#write(clusterId, ref.snapshotId, ref.id);
    if (!this.#names.add(0, this.#scratch, 0, KEY_BYTES)) return false;
    const index = this.#names.size - 1;
    if (index === this.#sight.length) this.#grow();
    this.#storedBytes[index] = ref.storedBytes;
    this.#totalBytes += ref.storedBytes;
    return true;
  }

  has(place: ObjectPlace): boolean {
    return this.#indexOf(place) >= 0;
  }

  /** Whether everything named was seen, each object with its recorded length. */
  get allSound(): boolean {
    return this.#soundCount === this.#names.size;
  }

  /** Notes that an object is there; it may be one that nothing names. */
  see(place: ObjectPlace, sizeBytes: number): void {
    const index = this.#indexOf(place);
    if (index < 0) return;
    assert(this.#sight[index] === UNSEEN, 'a listing gives an object once');
    const sound = this.#storedBytes[index] === sizeBytes;
    this.#sight[index] = sound ? SOUND : OTHER_SIZE;
    if (sound) this.#soundCount++;
  }

  /** What seeing came to, of an object that is named. */
  sightOf(place: ObjectPlace): 'missing' | 'sound' | 'of another size' {
    const index = this.#indexOf(place);
    assert(index >= 0, 'only what is named was looked for');
    return (['missing', 'sound', 'of another size'] as const)[this.#sight[index] as 0 | 1 | 2];
  }

  #indexOf({ clusterId, snapshotId, blobId }: ObjectPlace): number {
    this.#write(clusterId, snapshotId, blobId);
    return this.#names.indexOf(0, this.#scratch, 0, KEY_BYTES);
  }

  #write(clusterId: string, snapshotId: string, blobId: string): void {
    const { length } = clusterId + snapshotId + blobId;
    assert(length === KEY_BYTES * 2, 'an object is named by whole ids');
    this.#scratch.write(clusterId, 0, 'hex');
    this.#scratch.write(snapshotId, 12, 'hex');
    this.#scratch.write(blobId, 24, 'hex');
  }

  #grow(): void {
    const storedBytes = new Float64Array(this.#storedBytes.length * 2);
    storedBytes.set(this.#storedBytes);
    this.#storedBytes = storedBytes;
    const sight = new Uint8Array(this.#sight.length * 2);
    sight.set(this.#sight);
    this.#sight = sight;
  }
}
