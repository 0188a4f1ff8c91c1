import { documentOf, type ElementAt, findElement, forEachElement, MalformedBson } from '../bson/raw-bson.ts';
import { stringAt } from './entry.ts';
import { argumentsOf } from './operations.ts';

/**
 * Options that `collMod` removes from an index when they are set to false. The order of an index's fields is the
 * server's own, whatever order it is given.
 */
const FLAGS = new Set(['hidden', 'prepareUnique']);

export function nameOfIndex(index: Buffer): string {
  const name = findElement(index, 0, 'name');
  if (name === null) throw new MalformedBson('an index without a name');
  return stringAt(index, name);
}

/** The indexes with these as well; one of the same name takes the place of the old. */
export function withIndexes(indexes: readonly Buffer[], added: readonly Buffer[]): Buffer[] {
  const names = new Set(added.map(nameOfIndex));
  return [...indexes.filter((index) => !names.has(nameOfIndex(index))), ...added];
}

/** The specification in a `createIndexes` entry: all but the command's own field. */
export function createdIndex(buffer: Buffer, o: ElementAt): Buffer {
  return documentOf(argumentsOf(buffer, o));
}

/** The specifications in a `commitIndexBuild` entry. Copies. */
export function committedIndexes(buffer: Buffer, o: ElementAt): Buffer[] {
  const array = findElement(buffer, o.start, 'indexes');
  if (array === null) throw new MalformedBson('commitIndexBuild without indexes');
  const found: Buffer[] = [];
  forEachElement(buffer, array.start, (_, element) => {
    found.push(Buffer.from(buffer.subarray(element.start, element.end)));
    return true;
  });
  return found;
}

/**
 * The indexes without the one that a `dropIndexes` entry names (by name, by specification, or `*`: all but that on
 * `_id`). Null where there is no such index.
 */
export function withoutIndex(indexes: readonly Buffer[], buffer: Buffer, o: ElementAt): Buffer[] | null {
  const which = findElement(buffer, o.start, 'index');
  if (which === null) throw new MalformedBson('dropIndexes without an index');
  if (which.type === 0x02 && stringAt(buffer, which) === '*')
    return indexes.filter((index) => nameOfIndex(index) === '_id_');
  const kept = indexes.filter((index) => !isIndex(index, buffer, which));
  return kept.length === indexes.length ? null : kept;
}

function isIndex(index: Buffer, buffer: Buffer, which: ElementAt): boolean {
  if (which.type === 0x02) return nameOfIndex(index) === stringAt(buffer, which);
  const pattern = findElement(index, 0, 'key');
  return pattern !== null && index.subarray(pattern.start, pattern.end).equals(buffer.subarray(which.start, which.end));
}

/** What a `collMod` entry's `index` makes of one: its place among the indexes, what it is now, and what is unknown. */
export interface ChangedIndex {
  at: number;
  index: Buffer;
  /** Names of options that no version of ours knows; all others are carried out. */
  unknown: string[];
}

/** Null where there is no such index. */
export function changedIndexOf(indexes: readonly Buffer[], buffer: Buffer, change: ElementAt): ChangedIndex | null {
  const which = findElement(buffer, change.start, 'name') ?? findElement(buffer, change.start, 'keyPattern');
  if (which === null) throw new MalformedBson('a collMod of an index that it does not name');
  const at = indexes.findIndex((index) => isIndex(index, buffer, which));
  if (at < 0) return null;
  return { at, ...changedIndex(indexes[at] as Buffer, buffer, change) };
}

function changedIndex(index: Buffer, buffer: Buffer, change: ElementAt): Omit<ChangedIndex, 'at'> {
  const unknown: string[] = [];
  const fields = new Map<string, { name: string; type: number; value: Buffer }>();
  forEachElement(index, 0, (name, { type, start, end }) => {
    fields.set(name, { name, type, value: index.subarray(start, end) });
    return true;
  });
  forEachElement(buffer, change.start, (name, { type, start, end }) => {
    const value = buffer.subarray(start, end);
    const isFalse = type === 0x08 && value[0] === 0;
    if (name === 'name' || name === 'keyPattern') return true;
    if (FLAGS.has(name) && isFalse) fields.delete(name);
    else if (FLAGS.has(name) || name === 'expireAfterSeconds') fields.set(name, { name, type, value });
    else if (name === 'unique' && !isFalse) {
      fields.set(name, { name, type, value });
      // The server ends the preparation with the conversion.
      fields.delete('prepareUnique');
    } else if (name === 'forceNonUnique' && !isFalse) fields.delete('unique');
    else unknown.push(name);
    return true;
  });
  return { index: documentOf([...fields.values()]), unknown };
}
