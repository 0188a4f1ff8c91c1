import { type ElementAt, findId, forEachDocument } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import { murmur3 } from '../../lib/murmur.ts';

/*
 * Which blobs a look-up by `_id` may pass over (`docs/repository-format.md`, Filters). A filter never says no to an id
 * that its blob holds, under the server's equality of numbers; it says yes to one in a hundred others.
 */

const BITS_PER_ID = 10;
const BITS_MIN = 64;
const PROBES = 7;
const INT64 = 0x12;
const DOUBLE = 0x01;

/** Two hashes of an id element; ids that the server holds equal have the same. */
export interface IdHashes {
  first: number;
  second: number;
}

const number = Buffer.alloc(8);

export function hashesOf(buffer: Buffer, id: ElementAt, seed: number): IdHashes {
  const plain = asNumber(buffer, id);
  const [bytes, type, start, end] = plain === null ? [buffer, id.type, id.start, id.end] : [number, plain, 0, 8];
  return {
    first: murmur3(bytes, type, start, end, seed),
    second: murmur3(bytes, type, start, end, ~seed) | 1,
  };
}

/** Puts a number's one form into `number` and gives its type: int64 where it is one, else a double; null: no number. */
function asNumber(buffer: Buffer, { type, start }: ElementAt): number | null {
  if (type === 0x10) number.writeBigInt64LE(BigInt(buffer.readInt32LE(start)));
  else if (type === INT64) buffer.copy(number, 0, start, start + 8);
  else if (type === DOUBLE) {
    const double = buffer.readDoubleLE(start);
    if (!Number.isInteger(double) || double < -(2 ** 63) || double >= 2 ** 63) {
      number.writeDoubleLE(Number.isNaN(double) ? Number.NaN : double);
      return DOUBLE;
    }
    number.writeBigInt64LE(BigInt(double));
  } else return null;
  return INT64;
}

/** Gathers the ids of one blob. */
export class IdFilterBuilder {
  readonly #seed: number;
  #hashes = new Uint32Array(512);
  #used = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** Whole documents one after another. One without `_id` is left out: no look-up finds it. */
  add(documents: Buffer): void {
    forEachDocument(documents, (offset) => {
      const id = findId(documents, offset);
      if (id === null) return;
      const { first, second } = hashesOf(documents, id, this.#seed);
      if (this.#used === this.#hashes.length) this.#grow();
      this.#hashes[this.#used++] = first;
      this.#hashes[this.#used++] = second;
    });
  }

  /** The filter of what was added; the next one begins empty. */
  build(): Buffer {
    const ids = this.#used / 2;
    const bits = Math.max(BITS_MIN, Math.ceil((ids * BITS_PER_ID) / 8) * 8);
    const filter = Buffer.alloc(bits / 8);
    for (let at = 0; at < this.#used; at += 2) {
      const [first, second] = [this.#hashes[at] as number, this.#hashes[at + 1] as number];
      for (let probe = 0; probe < PROBES; probe++) {
        const bit = bitOf(first, second, probe, bits);
        filter[bit >>> 3] = (filter[bit >>> 3] as number) | (1 << (bit & 7));
      }
    }
    this.#used = 0;
    return filter;
  }

  #grow(): void {
    const larger = new Uint32Array(this.#hashes.length * 2);
    larger.set(this.#hashes);
    this.#hashes = larger;
  }
}

function bitOf(first: number, second: number, probe: number, bits: number): number {
  return ((first + Math.imul(probe, second)) >>> 0) % bits;
}

export function mayHold(filter: Buffer, { first, second }: IdHashes): boolean {
  const bits = filter.length * 8;
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = bitOf(first, second, probe, bits);
    if (((filter[bit >>> 3] as number) & (1 << (bit & 7))) === 0) return false;
  }
  return true;
}

/** A payload of filters: those of blobs that follow each other, each after its length. */
export function encodeFilters(filters: readonly Buffer[]): Buffer {
  assert(filters.length > 0, 'a blob of filters holds some');
  return Buffer.concat(
    filters.flatMap((filter) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(filter.length);
      return [length, filter];
    }),
  );
}

/** Views of the payload. `subject` names the object in the Damage. */
export function decodeFilters(payload: Buffer, subject: string): Buffer[] {
  const filters: Buffer[] = [];
  for (let at = 0; at < payload.length; ) {
    const start = at + 4;
    const length = start <= payload.length ? payload.readUInt32LE(at) : 0;
    at = start + length;
    if (length === 0 || at > payload.length) {
      throw new Damage({ op: 'read filters', subject, message: `${subject} holds what are no filters` });
    }
    filters.push(payload.subarray(start, at));
  }
  return filters;
}
