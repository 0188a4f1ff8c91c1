import { forEachElement } from '../../../bson/raw-bson.ts';
import type { CollectionEntry } from '../../../repository/format/manifest.ts';
import { indexesToBuild } from '../../index-specifications.ts';

/**
 * An index over what is there already costs a server a build of its own, of some milliseconds; one of an empty
 * collection costs its file, and every document that comes then a little more. For so few documents that is less.
 */
const DOCUMENTS_MAX = 1000;
/** A small collection is inserted by one command. */
const BYTES_MAX = 1024 * 1024;
/** Whatever else is said of an index may refuse a document, or have one deleted before its time. */
const HARMLESS = new Set([
  'v',
  'key',
  'name',
  'sparse',
  'hidden',
  'background',
  'partialFilterExpression',
  'collation',
]);
/** Of a field of a key: a number, so neither text, nor hashed, nor a place on earth. */
const NUMBERS = new Set([0x01, 0x10, 0x12]);
const VERSION = 2;

export function isSmall({ layers }: Pick<CollectionEntry, 'layers'>): boolean {
  const sum = (of: 'documents' | 'bytes') => layers.reduce((total, layer) => total + layer[of], 0);
  return sum('documents') <= DOCUMENTS_MAX && sum('bytes') <= BYTES_MAX;
}

/** What a small collection takes in memory at most. */
export function bytesOfSmall({ layers }: Pick<CollectionEntry, 'layers'>): number {
  return layers.reduce((total, layer) => total + layer.bytes, 0);
}

/**
 * The indexes that are made with a collection, before its documents: all of a small one, where each is of plain fields
 * in an order, and refuses nothing that a complete index of the source took. Null where they come after the documents:
 * unique ones, those by which documents expire, those of a special kind or an old version, and where there are none.
 * Pure.
 */
export function earlyIndexes(entry: CollectionEntry): Buffer[] | null {
  if (entry.type !== 'collection' || entry.name.startsWith('system.') || !isSmall(entry)) return null;
  const indexes = indexesToBuild(entry.indexes, entry.info);
  return indexes.length > 0 && indexes.every(isHarmless) ? indexes : null;
}

function isHarmless(index: Buffer): boolean {
  let harmless = true;
  forEachElement(index, 0, (name, { type, start }) => {
    if (!HARMLESS.has(name)) harmless = false;
    // Of version 1 some values are refused that version 2 takes.
    if (name === 'v' && !(type === 0x10 && index.readInt32LE(start) === VERSION)) harmless = false;
    if (name === 'key') harmless &&= isPlainKey(index, start);
    return harmless;
  });
  return harmless;
}

function isPlainKey(index: Buffer, start: number): boolean {
  let plain = true;
  forEachElement(index, start, (field, { type }) => {
    plain = NUMBERS.has(type) && !field.includes('$');
    return plain;
  });
  return plain;
}
