import { compareKeys, elementsOf, type ValueAt } from '../../bson/bson-order.ts';
import { hashedValue } from '../../bson/hashed-value.ts';
import { bsonType, findElement, forEachDocument } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { Damage } from '../../lib/errors.ts';
import { type ChunkBounds, ChunkRuns, KeyRanges, valuesOf } from './chunk-ranges.ts';
import { chunkMin, textOf, uuidOf } from './routing-documents.ts';

/**
 * Which documents of a collection a shard owns: all, none, or those for which the test holds. The others are orphans,
 * which no client of the cluster sees. Pure.
 */
export type Ownership = 'all' | 'none' | ((buffer: Buffer, offset: number) => boolean);

/** From a field of a document down to a part of its shard key. */
export type KeyPath = readonly string[];

/** Raw documents of the config servers, at the snapshot's T or at a point. */
export interface RoutingDocuments {
  databases: readonly Buffer[];
  collections: readonly Buffer[];
  chunks: Iterable<Buffer>;
}

/** Part of a shard key. */
interface KeyField {
  path: readonly string[];
  hashed: boolean;
}

export class ShardRouting {
  readonly #primaries: ReadonlyMap<string, string>;
  readonly #collections: ReadonlyMap<string, Buffer>;
  /** By the collection's UUID; by its name from servers whose chunks are older than 5.0's. */
  readonly #chunks = new Map<string, ChunkRuns>();
  /** Of collections that were asked for, by the same. */
  readonly #ranges = new Map<string, KeyRanges>();

  constructor({ databases, collections, chunks }: RoutingDocuments) {
    this.#primaries = new Map(databases.map((document) => [textOf(document, '_id'), textOf(document, 'primary')]));
    this.#collections = new Map(collections.map((document) => [textOf(document, '_id'), document]));
    for (const chunk of chunks) this.addChunk(chunk);
  }

  /** For chunks that come one by one: all of them, before anything is asked. */
  addChunk(chunk: Buffer): void {
    assert(this.#ranges.size === 0, 'chunks are there before anything is asked');
    const of = uuidOf(chunk, 'uuid') || textOf(chunk, 'ns');
    const runs = this.#chunks.get(of) ?? new ChunkRuns();
    this.#chunks.set(of, runs);
    runs.add({ min: chunkMin(chunk), max: chunkMax(chunk), shard: textOf(chunk, 'shard') });
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
    const fields = keyFields(collection, namespace);
    const ranges = this.#rangesOf(namespace, collection, fields.length);
    const { owners } = ranges;
    if (!owners.has(shardName)) return 'none';
    if (owners.size === 1 && fields.every(({ path, hashed }) => !hashed && path.join() === '_id')) return 'all';
    return (buffer, offset) => {
      const values = keyValues(buffer, offset, fields);
      // A document whose key is an array has none; clients are not shown it either.
      return values !== null && ranges.ownerOf(values) === shardName;
    };
  }

  #rangesOf(namespace: string, collection: Buffer, fields: number): KeyRanges {
    const uuid = uuidOf(collection, 'uuid');
    const known = this.#ranges.get(uuid) ?? this.#ranges.get(namespace);
    if (known !== undefined) return known;
    const by = this.#chunks.has(uuid) ? uuid : namespace;
    const ranges = new KeyRanges(withoutGap(this.#chunks.get(by)?.sorted() ?? [], fields, namespace));
    this.#ranges.set(by, ranges);
    // The ranges are all that is asked for from now on.
    this.#chunks.delete(by);
    return ranges;
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

/** As they are; throws where they do not reach from the least key to the greatest without a gap. */
function* withoutGap(
  chunks: Iterable<ChunkBounds>,
  fields: number,
  namespace: string,
): Generator<ChunkBounds, void, undefined> {
  assert(fields > 0, 'a shard key has fields');
  let reached: readonly ValueAt[] = Array.from({ length: fields }, () => LEAST);
  for (const chunk of chunks) {
    const [min, max] = [valuesOf(chunk.min), valuesOf(chunk.max)];
    if (min.length !== fields || compareKeys(min, reached) !== 0 || compareKeys(min, max) >= 0)
      throw damaged(namespace, 'has chunks that leave a gap or overlap');
    reached = max;
    yield chunk;
  }
  if (reached.length !== fields || reached.some(({ type }) => type !== MAX_KEY))
    throw damaged(namespace, 'has chunks that do not reach the greatest key');
}

function chunkMax(chunk: Buffer): Buffer {
  const max = findElement(chunk, 0, 'max');
  return max === null ? NOTHING : chunk.subarray(max.start, max.end);
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
