import { compareKeys, elementsOf, type ValueAt } from '../../bson/bson-order.ts';
import { documentLength } from '../../bson/raw-bson.ts';
import { assert, must } from '../../lib/assert.ts';

/** Sorted at once, in memory: some megabytes. */
const RUN_CHUNKS = 8_192;
/** Of so many ranges the bounds are kept as values, which is quicker to search; of more as bytes alone. */
const PARSED_MAX = 10_000;
const SHARD_BYTES = 2;
const FIRST_BYTES = 4_096;

/** A chunk of a sharded collection: bounds as raw documents. */
export interface ChunkBounds {
  min: Buffer;
  max: Buffer;
  shard: string;
}

/**
 * The chunks of one collection, of which there may be a million: collected in any order, held as their bytes (bounds
 * and a number for the shard) in runs that are each in order, and put in order as a whole when they are read. Pure.
 */
export class ChunkRuns {
  readonly #shards: string[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #runs: Buffer[] = [];
  #open: ChunkBounds[] = [];

  /** Copies what it is given. */
  add({ min, max, shard }: ChunkBounds): void {
    this.#open.push({ min: Buffer.from(min), max: Buffer.from(max), shard });
    if (this.#open.length === RUN_CHUNKS) this.#close();
  }

  /** By their lower bounds. A bound that is no document counts as one without fields. */
  *sorted(): Generator<ChunkBounds, void, undefined> {
    if (this.#open.length > 0) this.#close();
    const heads = new Heads();
    for (const run of this.#runs) heads.push(new RunReader(run, this.#shards));
    for (let least = heads.least; least !== null; least = heads.least) {
      yield least.chunk;
      if (least.next()) heads.sink();
      else heads.pop();
    }
  }

  #close(): void {
    const parsed = this.#open.map((chunk) => ({ chunk, key: valuesOf(chunk.min) }));
    parsed.sort((a, b) => compareKeys(a.key, b.key));
    const parts = parsed.flatMap(({ chunk }) => [this.#numberOf(chunk.shard), padded(chunk.min), padded(chunk.max)]);
    this.#runs.push(Buffer.concat(parts));
    this.#open = [];
  }

  #numberOf(shard: string): Buffer {
    let number = this.#numbers.get(shard);
    if (number === undefined) {
      number = this.#shards.push(shard) - 1;
      this.#numbers.set(shard, number);
    }
    const bytes = Buffer.alloc(SHARD_BYTES);
    bytes.writeUInt16LE(number);
    return bytes;
  }
}

/** An empty document, where there is none. */
const NO_BOUND = Buffer.from([5, 0, 0, 0, 0]);

function padded(bound: Buffer): Buffer {
  return bound.length === 0 ? NO_BOUND : bound;
}

export function valuesOf(bound: Buffer): ValueAt[] {
  return bound.length === 0 ? [] : elementsOf(bound, 0);
}

/** Goes through a run; `chunk` and `key` are of the place that it is at. */
class RunReader {
  readonly #run: Buffer;
  readonly #shards: readonly string[];
  #at = 0;
  chunk: ChunkBounds;
  key: readonly ValueAt[];

  constructor(run: Buffer, shards: readonly string[]) {
    assert(run.length > 0, 'a run has a chunk');
    this.#run = run;
    this.#shards = shards;
    this.chunk = this.#read();
    this.key = valuesOf(this.chunk.min);
  }

  /** Whether there is another. */
  next(): boolean {
    if (this.#at === this.#run.length) return false;
    this.chunk = this.#read();
    this.key = valuesOf(this.chunk.min);
    return true;
  }

  #read(): ChunkBounds {
    const shard = must(this.#shards[this.#run.readUInt16LE(this.#at)], 'a shard has a number');
    this.#at += SHARD_BYTES;
    return { shard, min: this.#take(), max: this.#take() };
  }

  #take(): Buffer {
    const length = documentLength(this.#run, this.#at);
    this.#at += length;
    return this.#run.subarray(this.#at - length, this.#at);
  }
}

/** A heap of readers, the one with the least key on top. */
class Heads {
  readonly #readers: RunReader[] = [];

  get least(): RunReader | null {
    return this.#readers[0] ?? null;
  }

  push(reader: RunReader): void {
    let at = this.#readers.push(reader) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!this.#isLess(at, above)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  pop(): void {
    const last = this.#readers.pop();
    if (last === undefined || this.#readers.length === 0) return;
    this.#readers[0] = last;
    this.sink();
  }

  /** After the key of the one on top has grown. */
  sink(): void {
    for (let at = 0; ; ) {
      let least = at;
      for (const below of [2 * at + 1, 2 * at + 2])
        if (below < this.#readers.length && this.#isLess(below, least)) least = below;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isLess(a: number, b: number): boolean {
    return compareKeys(this.#of(a).key, this.#of(b).key) < 0;
  }

  #swap(a: number, b: number): void {
    const held = this.#of(a);
    this.#readers[a] = this.#of(b);
    this.#readers[b] = held;
  }

  #of(at: number): RunReader {
    return must(this.#readers[at], 'a reader of the heap');
  }
}

/** Runs of a shard key's values, each from its least one to the next one's, and whose they are. Pure. */
export class KeyRanges {
  readonly owners: ReadonlySet<string>;
  readonly #names: readonly string[];
  /** Lower bounds, one after another. */
  #bytes = Buffer.alloc(FIRST_BYTES);
  /** Of each range: where its bound is, and the number of its shard. */
  #places = new Uint32Array(FIRST_BYTES);
  #length = 0;
  #count = 0;
  readonly #parsed: readonly (readonly ValueAt[])[] | null;

  /** Of chunks in order, without a gap: neighbors of one shard are one range. */
  constructor(chunks: Iterable<ChunkBounds>) {
    const numbers = new Map<string, number>();
    let last: string | null = null;
    for (const { min, shard } of chunks) {
      if (shard === last) continue;
      last = shard;
      const number = numbers.get(shard) ?? numbers.size;
      numbers.set(shard, number);
      this.#add(min, number);
    }
    this.#names = [...numbers.keys()];
    this.owners = new Set(this.#names);
    const places = Array.from({ length: this.#count <= PARSED_MAX ? this.#count : 0 }, (_, index) => index);
    this.#parsed = this.#count > PARSED_MAX ? null : places.map((index) => this.#boundAt(index));
  }

  #add(min: Buffer, shard: number): void {
    if (this.#length + min.length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(2 * this.#bytes.length, this.#length + min.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    if (2 * this.#count === this.#places.length) {
      const larger = new Uint32Array(2 * this.#places.length);
      larger.set(this.#places);
      this.#places = larger;
    }
    min.copy(this.#bytes, this.#length);
    this.#places.set([this.#length, shard], 2 * this.#count);
    this.#length += min.length;
    this.#count++;
  }

  ownerOf(values: readonly ValueAt[]): string | undefined {
    if (this.#count === 0) return undefined;
    let [low, high] = [0, this.#count];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (compareKeys(this.#minAt(middle), values) <= 0) low = middle;
      else high = middle;
    }
    return this.#names[must(this.#places[2 * low + 1], 'a range has a shard')];
  }

  #minAt(index: number): readonly ValueAt[] {
    return this.#parsed?.[index] ?? this.#boundAt(index);
  }

  #boundAt(index: number): ValueAt[] {
    return elementsOf(this.#bytes, must(this.#places[2 * index], 'a range has a place'));
  }
}
