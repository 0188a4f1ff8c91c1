import {
  bsonType,
  documentOf,
  type ElementAt,
  findElement,
  forEachElement,
  MalformedBson,
} from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';

/** A raw element by itself. */
interface Element {
  name: string;
  type: number;
  value: Uint8Array;
}

/** What routing metadata has to say otherwise on another cluster. */
export interface Rewriting {
  /** The target's shard for each of the source's, by `_id` in config.shards. */
  shards: ReadonlyMap<string, string>;
  /** Of the target, newer than anything that its servers have cached: 8 bytes, as in BSON. */
  timestamp: Uint8Array;
  /** 12 bytes, new for every collection. */
  newEpoch: () => Uint8Array;
  /** 16 bytes, new for every database. */
  newUuid: () => Uint8Array;
}

/** A shard that the snapshot does not have: metadata that no restore can make sense of. */
export class UnknownShard extends Error {
  override readonly name = 'UnknownShard';
}

/** config.databases: the primary shard by its new name, and a version that nobody has cached. */
export function rewriteDatabase(document: Buffer, to: Rewriting): Buffer {
  return mapElements(document, 0, (element) => {
    if (element.name === 'primary') return shardElement(element, to);
    if (element.name === 'version' && element.type === bsonType.document) {
      const own = to.newUuid();
      assert(own.length === 16, 'a UUID has 16 bytes');
      const uuid = Buffer.concat([Buffer.from([16, 0, 0, 0, 4]), own]);
      const value = mapElements(Buffer.from(element.value), 0, (part) => {
        if (part.name === 'uuid') return { ...part, type: bsonType.binary, value: uuid };
        return part.name === 'timestamp' ? { ...part, value: to.timestamp } : part;
      });
      return { ...element, value };
    }
    return element;
  });
}

/**
 * config.collections: the same collection, by a version that nobody has cached. A server that knows an epoch takes what
 * it knows of it for true.
 */
export function rewriteCollection(document: Buffer, to: Rewriting): Buffer {
  return mapElements(document, 0, (element) => {
    if (element.name === 'lastmodEpoch') {
      const epoch = to.newEpoch();
      assert(epoch.length === 12, 'an epoch is an ObjectId');
      return { ...element, value: epoch };
    }
    return element.name === 'timestamp' ? { ...element, value: to.timestamp } : element;
  });
}

/** config.chunks: the owner, now and in its history, by its new name. Bounds stay as they are, byte for byte. */
export function rewriteChunk(document: Buffer, to: Rewriting): Buffer {
  return mapElements(document, 0, (element) => {
    if (element.name === 'shard') return shardElement(element, to);
    if (element.name !== 'history' || element.type !== bsonType.array) return element;
    const value = mapElements(Buffer.from(element.value), 0, (entry) => ({
      ...entry,
      value: mapElements(Buffer.from(entry.value), 0, (part) =>
        part.name === 'shard' ? shardElement(part, to) : part,
      ),
    }));
    return { ...element, value };
  });
}

/** config.rangeDeletions of a shard: whose orphans they are, by its new name. */
export function rewriteRangeDeletion(document: Buffer, to: Rewriting): Buffer {
  return mapElements(document, 0, (element) => (element.name === 'donorShardId' ? shardElement(element, to) : element));
}

/** Whether a range of config.rangeDeletions is part of a migration that is not over: it must not be deleted yet. */
export function isPending(deletion: Buffer): boolean {
  const pending = findElement(deletion, 0, 'pending');
  return pending !== null && pending.type === bsonType.boolean && deletion[pending.start] === 1;
}

export function withoutPending(deletion: Buffer): Buffer {
  const kept: Element[] = [];
  forEachElement(deletion, 0, (name, { type, start, end }) => {
    if (name !== 'pending') kept.push({ name, type, value: deletion.subarray(start, end) });
    return true;
  });
  return documentOf(kept);
}

/** The lower bound of a range that is to be deleted, and of a chunk: raw documents. */
export function rangeMin(deletion: Buffer): Buffer {
  const range = findElement(deletion, 0, 'range');
  return range === null ? Buffer.alloc(0) : boundOf(deletion, range.start);
}

export function chunkMin(chunk: Buffer): Buffer {
  return boundOf(chunk, 0);
}

function boundOf(document: Buffer, offset: number): Buffer {
  const min = findElement(document, offset, 'min');
  return min === null ? Buffer.alloc(0) : document.subarray(min.start, min.end);
}

/** A string field; empty where it is none. */
export function textOf(document: Buffer, name: string): string {
  const found = findElement(document, 0, name);
  return found === null || found.type !== bsonType.string
    ? ''
    : document.toString('utf8', found.start + 4, found.end - 1);
}

/** The hex of a UUID field; empty where it is none. */
export function uuidOf(document: Buffer, name: string): string {
  const found = findElement(document, 0, name);
  return found === null || found.type !== bsonType.binary ? '' : document.toString('hex', found.start + 5, found.end);
}

function shardElement(element: Element, to: Rewriting): Element {
  const value = Buffer.from(element.value);
  const name = value.toString('utf8', 4, value.length - 1);
  const shard = to.shards.get(name);
  if (element.type !== bsonType.string || shard === undefined)
    throw new UnknownShard(`there is no shard ${name} in the snapshot`);
  const text = Buffer.from(shard);
  const renamed = Buffer.alloc(4 + text.length + 1);
  renamed.writeInt32LE(text.length + 1, 0);
  text.copy(renamed, 4);
  return { ...element, value: renamed };
}

function mapElements(document: Buffer, offset: number, map: (element: Element) => Element): Buffer {
  const elements: Element[] = [];
  forEachElement(document, offset, (name: string, { type, start, end }: ElementAt) => {
    elements.push(map({ name, type, value: document.subarray(start, end) }));
    return true;
  });
  if (elements.length === 0) throw new MalformedBson('a routing document is empty');
  return documentOf(elements);
}
