import { murmur3 } from './murmur.ts';

const ARENA_BYTES = 1 << 20;

/**
 * An exact set of short byte strings (id elements: a type byte, then the value) in insertion order, kept in flat
 * memory: a million ids of 13 bytes take about 30 MB, where a JavaScript Set of strings takes several times that.
 * Exact, because a false match would lose a document; seeded, because ids are chosen by strangers.
 */
export class ByteSet {
  readonly #seed: number;
  #slots: Uint32Array;
  /** For entry n: arena number and offset as one number, and length. */
  #position: Float64Array;
  #length: Uint32Array;
  #hash: Uint32Array;
  #size = 0;
  #bytes = 0;
  readonly #arenas: Buffer[] = [];
  #arenaUsed = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#slots = new Uint32Array(16);
    this.#position = new Float64Array(8);
    this.#length = new Uint32Array(8);
    this.#hash = new Uint32Array(8);
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes of memory held, about. */
  get memoryBytes(): number {
    return (
      this.#arenas.reduce((sum, arena) => sum + arena.length, 0) +
      this.#slots.byteLength +
      this.#position.byteLength * 2
    );
  }

  /** Sum of the lengths of the values. */
  get contentBytes(): number {
    return this.#bytes;
  }

  /** True when the value was not there. The bytes are copied. */
  add(type: number, buffer: Uint8Array, start: number, end: number): boolean {
    const hash = murmur3(buffer, type, start, end, this.#seed);
    let slot = hash & (this.#slots.length - 1);
    for (let entry = this.#slots[slot] as number; entry !== 0; entry = this.#slots[slot] as number) {
      if (this.#hash[entry - 1] === hash && this.#equals(entry - 1, type, buffer, start, end)) return false;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    this.#append(hash, type, buffer, start, end);
    this.#slots[slot] = this.#size;
    if (this.#size * 2 > this.#slots.length) this.#grow();
    return true;
  }

  has(type: number, buffer: Uint8Array, start: number, end: number): boolean {
    return this.indexOf(type, buffer, start, end) >= 0;
  }

  /** The value's place in insertion order, or -1. */
  indexOf(type: number, buffer: Uint8Array, start: number, end: number): number {
    const hash = murmur3(buffer, type, start, end, this.#seed);
    let slot = hash & (this.#slots.length - 1);
    for (let entry = this.#slots[slot] as number; entry !== 0; entry = this.#slots[slot] as number) {
      if (this.#hash[entry - 1] === hash && this.#equals(entry - 1, type, buffer, start, end)) return entry - 1;
      slot = (slot + 1) & (this.#slots.length - 1);
    }
    return -1;
  }

  /** Value `index` in insertion order: a view of type byte and value; do not change it. */
  at(index: number): Buffer {
    const position = this.#position[index] as number;
    const arena = this.#arenas[Math.floor(position / 0x1_0000_0000)] as Buffer;
    const offset = position % 0x1_0000_0000;
    return arena.subarray(offset, offset + (this.#length[index] as number));
  }

  #equals(index: number, type: number, buffer: Uint8Array, start: number, end: number): boolean {
    const length = this.#length[index] as number;
    if (length !== end - start + 1) return false;
    const position = this.#position[index] as number;
    const arena = this.#arenas[Math.floor(position / 0x1_0000_0000)] as Buffer;
    let at = position % 0x1_0000_0000;
    if (arena[at] !== type) return false;
    for (let i = start; i < end; i++) {
      if (arena[++at] !== buffer[i]) return false;
    }
    return true;
  }

  #append(hash: number, type: number, buffer: Uint8Array, start: number, end: number): void {
    const length = end - start + 1;
    let arena = this.#arenas[this.#arenas.length - 1];
    if (arena === undefined || this.#arenaUsed + length > arena.length) {
      // Doubling, because most sets stay tiny and there is one for every collection that was written to.
      const size = Math.min(ARENA_BYTES, 256 << Math.min(this.#arenas.length, 12));
      arena = Buffer.allocUnsafeSlow(Math.max(size, length));
      this.#arenas.push(arena);
      this.#arenaUsed = 0;
    }
    if (this.#size === this.#length.length) this.#growEntries();
    this.#position[this.#size] = (this.#arenas.length - 1) * 0x1_0000_0000 + this.#arenaUsed;
    this.#length[this.#size] = length;
    this.#hash[this.#size] = hash;
    arena[this.#arenaUsed] = type;
    arena.set(buffer.subarray(start, end), this.#arenaUsed + 1);
    this.#arenaUsed += length;
    this.#bytes += length;
    this.#size++;
  }

  #growEntries(): void {
    const capacity = this.#length.length * 2;
    const position = new Float64Array(capacity);
    position.set(this.#position);
    this.#position = position;
    const length = new Uint32Array(capacity);
    length.set(this.#length);
    this.#length = length;
    const hash = new Uint32Array(capacity);
    hash.set(this.#hash);
    this.#hash = hash;
  }

  #grow(): void {
    const slots = new Uint32Array(this.#slots.length * 2);
    for (let entry = 1; entry <= this.#size; entry++) {
      let slot = (this.#hash[entry - 1] as number) & (slots.length - 1);
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
      slots[slot] = entry;
    }
    this.#slots = slots;
  }
}
