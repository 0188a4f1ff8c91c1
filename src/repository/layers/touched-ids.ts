import { documentLength, findId } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { ByteSet } from '../../lib/byte-set.ts';
import { murmur3 } from '../../lib/murmur.ts';

/** Beyond the bytes of an id: slots, position, length and hash, with the slack of doubling. */
const OVERHEAD_BYTES = 32;
/** Ids that fall together even so are not told apart by splitting further. */
const MODULUS_MAX = 1 << 24;

/** Ids whose hash is `residue` modulo `modulus`, a power of two. */
export interface Partition {
  residue: number;
  modulus: number;
}

/** A rough count of the memory that ids take, from a guess at their length. */
export function bytesOfIds(count: number, idBytes = 13): number {
  return count * (idBytes + OVERHEAD_BYTES);
}

/** The ids of one partition that newer layers touched, exactly. */
export class TouchedIds {
  readonly #seed: number;
  #partition: Partition;
  #ids: ByteSet;

  constructor(seed: number, partition: Partition) {
    assert(partition.residue < partition.modulus, 'a residue is below its modulus');
    this.#seed = seed;
    this.#partition = partition;
    this.#ids = new ByteSet(seed);
  }

  get memoryBytes(): number {
    return this.#ids.contentBytes + this.#ids.size * OVERHEAD_BYTES;
  }

  /** Whether nothing was touched and no document is left to another pass: whole blobs pass as they are. */
  get passesAll(): boolean {
    return this.#ids.size === 0 && this.#partition.modulus === 1;
  }

  get canSplit(): boolean {
    return this.#ids.size > 1 && this.#partition.modulus < MODULUS_MAX;
  }

  /**
   * Moves the documents of the payload that live together at its start and returns their number and length. A document
   * lives when it is of this partition and its id was not touched; with `touch` its id is touched from then on. A
   * document without an id lives always, in the first partition.
   */
  sift(payload: Buffer, touch: boolean): { documents: number; bytes: number } {
    let documents = 0;
    let bytes = 0;
    let runStart = 0;
    let at = 0;
    const endRun = (): void => {
      if (runStart !== bytes) payload.copyWithin(bytes, runStart, at);
      bytes += at - runStart;
    };
    while (at < payload.length) {
      const length = documentLength(payload, at);
      if (this.#lives(payload, at, touch)) {
        documents++;
      } else {
        endRun();
        runStart = at + length;
      }
      at += length;
    }
    assert(at === payload.length, 'a payload is whole documents');
    endRun();
    return { documents, bytes };
  }

  #lives(payload: Buffer, offset: number, touch: boolean): boolean {
    const id = findId(payload, offset);
    if (id === null) return this.#partition.residue === 0;
    const { residue, modulus } = this.#partition;
    if (modulus > 1 && (this.#partitionHash(payload, id.type, id.start, id.end) & (modulus - 1)) !== residue)
      return false;
    if (touch) return this.#ids.add(id.type, payload, id.start, id.end);
    return !this.#ids.has(id.type, payload, id.start, id.end);
  }

  /** Gives up about half of the ids, and all that is to come of them, and says which. */
  split(): Partition {
    assert(this.canSplit, 'something is left to split');
    const { residue, modulus } = this.#partition;
    const kept = { residue, modulus: modulus * 2 };
    const ids = new ByteSet(this.#seed);
    for (let index = 0; index < this.#ids.size; index++) {
      const id = this.#ids.at(index);
      const type = id[0] as number;
      const hash = this.#partitionHash(id, type, 1, id.length);
      if ((hash & (kept.modulus - 1)) === residue) ids.add(type, id, 1, id.length);
    }
    this.#partition = kept;
    this.#ids = ids;
    return { residue: residue + modulus, modulus: kept.modulus };
  }

  #partitionHash(buffer: Buffer, type: number, start: number, end: number): number {
    return murmur3(buffer, type, start, end, ~this.#seed); // not the set's own hash, which it needs spread
  }
}
