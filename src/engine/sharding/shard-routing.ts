import { compareKeys, elementsOf, type ValueAt } from '../../bson/bson-order.ts';
import { hashedValue } from '../../bson/hashed-value.ts';
import { bsonType, findElement, forEachDocument } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import { chunkMin, textOf, uuidOf } from './routing-documents.ts';

/**
 * Which documents of a collection a shard owns: all, none, or those for which the test holds. The others are orphans,
 * which no client of the cluster sees. Pure.
 */
export type Ownership = 'all' | 'none' | ((buffer: Buffer, offset: number) => boolean);

/** From a field of a document down to a part of its shard key. */
export type KeyPath = readonly string[];

/** Raw documents of the config servers, at the snapshot's T. */
export interface RoutingDocuments {
  databases: readonly Buffer[];
  collections: readonly Buffer[];
  chunks: readonly Buffer[];
}

/** Part of a shard key. */
interface KeyField {
  path: readonly string[];
  hashed: boolean;
}

/** A run of the key's values, from `min` to the next one's. */
interface Range {
  min: readonly ValueAt[];
  shard: string;
}

export class ShardRouting {
  readonly #primaries: ReadonlyMap<string, string>;
  readonly #collections: ReadonlyMap<string, Buffer>;
  readonly #chunks: ReadonlyMap<string, readonly Buffer[]>;

  constructor({ databases, collections, chunks }: RoutingDocuments) {
    this.#primaries = new Map(databases.map((document) => [textOf(document, '_id'), textOf(document, 'primary')]));
    this.#collections = new Map(collections.map((document) => [textOf(document, '_id'), document]));
    // By the collection's UUID; by its name from servers whose chunks are older than 5.0's.
    this.#chunks = Map.groupBy(chunks, (chunk) => uuidOf(chunk, 'uuid') || textOf(chunk, 'ns'));
  }

  /**
   * What the shard owns of a collection, named as its documents are: a time series by its buckets. A collection that is
   * not sharded is its database's primary shard's; databases that the config servers do not know are nobody else's.
   */
  ownership({ db, name }: { db: string; name: string }, shardName: string): Ownership {
    const namespace = `${db}.${name}`;
    const collection = this.#collections.get(namespace);
    if (collection === undefined) {
      const primary = this.#primaries.get(db);
      return primary === undefined || primary === shardName ? 'all' : 'none';
    }
    const chunks = this.#chunks.get(uuidOf(collection, 'uuid')) ?? this.#chunks.get(namespace) ?? [];
    const fields = keyFields(collection, namespace);
    const ranges = rangesOf(chunks, fields.length, namespace);
    const owners = new Set(ranges.map(({ shard }) => shard));
    if (!owners.has(shardName)) return 'none';
    if (owners.size === 1 && fields.every(({ path, hashed }) => !hashed && path.join() === '_id')) return 'all';
    return (buffer, offset) => {
      const values = keyValues(buffer, offset, fields);
      // A document whose key is an array has none; clients are not shown it either.
      return values !== null && ownerOf(ranges, values) === shardName;
    };
  }

  /** What a document's place depends on: none where the collection is not sharded. */
  keyPaths({ db, name }: { db: string; name: string }): readonly KeyPath[] {
    const namespace = `${db}.${name}`;
    const collection = this.#collections.get(namespace);
    return collection === undefined ? [] : keyFields(collection, namespace).map(({ path }) => path);
  }
}

function keyFields(collection: Buffer, namespace: string): KeyField[] {
  const pattern = findElement(collection, 0, 'key');
  if (pattern === null || pattern.type !== bsonType.document) throw damaged(namespace, 'has no shard key');
  const fields = elementsOf(collection, pattern.start).map((element) => ({
    path: element.name.split('.'),
    hashed: element.type === bsonType.string,
  }));
  if (fields.length === 0) throw damaged(namespace, 'has an empty shard key');
  return fields;
}

/** In order, from the least key to the greatest without a gap; neighbors of one shard are one. */
function rangesOf(chunks: readonly Buffer[], fields: number, namespace: string): Range[] {
  assert(fields > 0, 'a shard key has fields');
  const sorted = chunks
    .map((chunk) => ({ min: boundOf(chunkMin(chunk)), max: boundOf(chunkMax(chunk)), shard: textOf(chunk, 'shard') }))
    .sort((a, b) => compareKeys(a.min, b.min));
  const ranges: Range[] = [];
  let reached: readonly ValueAt[] = Array.from({ length: fields }, () => LEAST);
  for (const { min, max, shard } of sorted) {
    if (min.length !== fields || compareKeys(min, reached) !== 0 || compareKeys(min, max) >= 0)
      throw damaged(namespace, 'has chunks that leave a gap or overlap');
    if (ranges.at(-1)?.shard !== shard) ranges.push({ min, shard });
    reached = max;
  }
  if (reached.length !== fields || reached.some(({ type }) => type !== MAX_KEY))
    throw damaged(namespace, 'has chunks that do not reach the greatest key');
  return ranges;
}

function boundOf(bound: Buffer): ValueAt[] {
  return bound.length === 0 ? [] : elementsOf(bound, 0);
}

function chunkMax(chunk: Buffer): Buffer {
  const max = findElement(chunk, 0, 'max');
  return max === null ? Buffer.alloc(0) : chunk.subarray(max.start, max.end);
}

function ownerOf(ranges: readonly Range[], values: readonly ValueAt[]): string | undefined {
  let [low, high] = [0, ranges.length];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (compareKeys((ranges[middle] as Range).min, values) <= 0) low = middle;
    else high = middle;
  }
  return ranges[low]?.shard;
}

const NOTHING = Buffer.alloc(0);
const MAX_KEY = 0x7f;
const LEAST: ValueAt = { buffer: NOTHING, type: 0xff, start: 0, end: 0 };
/** What is missing counts as null. */
const MISSING: ValueAt = { buffer: NOTHING, type: bsonType.null, start: 0, end: 0 };

/** Null where a part of the key is an array or lies within one. */
function keyValues(buffer: Buffer, offset: number, fields: readonly KeyField[]): ValueAt[] | null {
  const values: ValueAt[] = [];
  for (const { path, hashed } of fields) {
    const value = valueAt(buffer, offset, path);
    if (value === null) return null;
    values.push(hashed ? hashOf(value) : value);
  }
  return values;
}

function valueAt(buffer: Buffer, offset: number, path: readonly string[]): ValueAt | null {
  let at = offset;
  for (const [depth, name] of path.entries()) {
    const found = findElement(buffer, at, name);
    if (found === null) return MISSING;
    if (found.type === bsonType.array) return null;
    if (depth === path.length - 1) return { buffer, ...found };
    if (found.type !== bsonType.document) return MISSING;
    at = found.start;
  }
  return MISSING;
}

function hashOf(value: ValueAt): ValueAt {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(hashedValue(value));
  return { buffer: bytes, type: bsonType.int64, start: 0, end: 8 };
}

function damaged(namespace: string, what: string): Damage {
  return new Damage({
    op: 'read routing',
    subject: namespace,
    message: `the routing of ${namespace} in the snapshot ${what}`,
  });
}

/** The documents that are owned, in their order; runs of whole documents as they come. */
export async function* ownedDocuments(documents: AsyncIterable<Buffer>, ownership: Ownership): AsyncGenerator<Buffer> {
  if (ownership === 'none') return;
  if (ownership === 'all') return yield* documents;
  for await (const buffer of documents) {
    const owned = ownedIn(buffer, ownership);
    if (owned.length > 0) yield owned;
  }
}

function ownedIn(buffer: Buffer, owns: (buffer: Buffer, offset: number) => boolean): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  forEachDocument(buffer, (offset, length) => {
    if (owns(buffer, offset)) return;
    if (from < offset) kept.push(buffer.subarray(from, offset));
    from = offset + length;
  });
  if (from === 0) return buffer;
  kept.push(buffer.subarray(from));
  return Buffer.concat(kept);
}
