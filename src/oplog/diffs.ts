import { documentOf, type ElementAt, findElement, forEachElement, MalformedBson } from '../bson/raw-bson.ts';

/**
 * What an oplog update makes of a document, byte for byte what the server makes of it: for the history of a document,
 * and for the few collections that a restore keeps as data (users, roles, view definitions) and does not load.
 * Everything else is applied by the target. A replacement is the document; a diff (`$v: 2`) names fields to delete
 * (`d`), to change (`u`), to insert (`i`) and to descend into (`s<field>`); in an array, positions take the place of
 * names and `l` is the new length. Of a binary value servers from 8.0 on log only what is new of it (`b`): `o` is where
 * in the value, `d` the bytes. Throws MalformedBson for anything else, such as the operators of `$v: 1`.
 */
export function changedDocument(document: Buffer, buffer: Buffer, o: ElementAt): Buffer {
  if (!isModification(buffer, o)) return replacement(buffer, o);
  const version = findElement(buffer, o.start, '$v');
  const diff = findElement(buffer, o.start, 'diff');
  if (version === null || diff === null || buffer.readInt32LE(version.start) !== 2)
    throw new MalformedBson('an update that is neither a replacement nor a diff of version 2');
  return changedObject(document, readDiff(buffer, diff.start));
}

/** The server keeps `_id` first, wherever the replacement that it logged has it. */
function replacement(buffer: Buffer, o: ElementAt): Buffer {
  const fields = fieldsOf(buffer, o.start);
  return documentOf([...fields.filter(({ name }) => name === '_id'), ...fields.filter(({ name }) => name !== '_id')]);
}

/** Replacements start with a field of the document; no other update does. */
export function isModification(buffer: Buffer, o: ElementAt): boolean {
  let first = '';
  forEachElement(buffer, o.start, (name) => {
    first = name;
    return false;
  });
  return first.startsWith('$');
}

/**
 * What of these paths an update can have changed: `everything` where it is a replacement. Of a diff only what it names
 * on the way to a path, or as a whole, counts.
 */
export function diffTouches(
  buffer: Buffer,
  o: ElementAt,
  paths: readonly (readonly string[])[],
): 'everything' | 'something' | 'nothing' {
  if (!isModification(buffer, o)) return 'everything';
  const diff = findElement(buffer, o.start, 'diff');
  if (diff === null) return 'something';
  const read = readDiff(buffer, diff.start);
  return paths.some((path) => touchesPath(read, path)) ? 'something' : 'nothing';
}

function touchesPath(diff: Diff, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return true;
  if (diff.deleted.has(name) || diff.changed.has(name) || diff.inserted.has(name) || diff.written.has(name))
    return true;
  const within = diff.within.get(name);
  return within !== undefined && touchesPath(within, rest);
}

/** Of a binary value: its length and its subtype. */
const BINARY_HEADER = 5;

interface Field {
  name: string;
  type: number;
  value: Buffer;
}

interface Diff {
  isArray: boolean;
  length: number | null;
  deleted: Set<string>;
  changed: Map<string, Field>;
  inserted: Map<string, Field>;
  /** What is written into a binary value, and at which of its bytes. */
  written: Map<string, { at: number; bytes: Buffer }>;
  within: Map<string, Diff>;
}

function readDiff(buffer: Buffer, offset: number): Diff {
  const diff: Diff = {
    isArray: findElement(buffer, offset, 'a') !== null,
    length: null,
    deleted: new Set(),
    changed: new Map(),
    inserted: new Map(),
    written: new Map(),
    within: new Map(),
  };
  forEachElement(buffer, offset, (section, element) => {
    if (section === 'a' && diff.isArray) return true;
    if (section.startsWith('s')) diff.within.set(section.slice(1), readDiff(buffer, element.start));
    else if (diff.isArray) readArraySection(buffer, section, element, diff);
    else if (section === 'd') for (const { name } of fieldsOf(buffer, element.start)) diff.deleted.add(name);
    else if (section === 'u' || section === 'i') {
      const fields = section === 'u' ? diff.changed : diff.inserted;
      for (const field of fieldsOf(buffer, element.start)) fields.set(field.name, field);
    } else if (section === 'b') readBinarySection(buffer, element, diff);
    else throw new MalformedBson(`a diff with the unknown section ${section}`);
    return true;
  });
  return diff;
}

function readBinarySection(buffer: Buffer, section: ElementAt, diff: Diff): void {
  for (const { name, type, value } of fieldsOf(buffer, section.start)) {
    const offset = type === 0x03 ? findElement(value, 0, 'o') : null;
    const data = type === 0x03 ? findElement(value, 0, 'd') : null;
    if (offset?.type !== 0x10 || data?.type !== 0x05) throw new MalformedBson(`a binary diff of ${name} that is none`);
    const bytes = value.subarray(data.start + BINARY_HEADER, data.end);
    diff.written.set(name, { at: value.readInt32LE(offset.start), bytes });
  }
}

function readArraySection(buffer: Buffer, section: string, element: ElementAt, diff: Diff): void {
  if (section === 'l') diff.length = buffer.readInt32LE(element.start);
  else if (section.startsWith('u')) {
    const name = section.slice(1);
    diff.changed.set(name, { name, type: element.type, value: buffer.subarray(element.start, element.end) });
  } else throw new MalformedBson(`a diff of an array with the unknown section ${section}`);
}

function fieldsOf(buffer: Buffer, offset: number): Field[] {
  const fields: Field[] = [];
  forEachElement(buffer, offset, (name, element) => {
    fields.push({ name, type: element.type, value: buffer.subarray(element.start, element.end) });
    return true;
  });
  return fields;
}

function changedObject(document: Buffer, diff: Diff): Buffer {
  const fields: Field[] = [];
  const placed = new Set<string>();
  for (const field of fieldsOf(document, 0)) {
    if (diff.deleted.has(field.name) || diff.inserted.has(field.name)) continue;
    const within = diff.within.get(field.name);
    const written = diff.written.get(field.name);
    if (within !== undefined) fields.push(changedField(field, within));
    else if (written !== undefined) fields.push(writtenField(field, written));
    else fields.push(diff.changed.get(field.name) ?? field);
    placed.add(field.name);
  }
  for (const name of diff.written.keys())
    if (!placed.has(name)) throw new MalformedBson(`a binary diff of ${name}, which is not there`);
  const appended = [...diff.changed.values()].filter(({ name }) => !placed.has(name));
  return documentOf([...fields, ...appended, ...diff.inserted.values()]);
}

function changedField(field: Field, diff: Diff): Field {
  if (field.type !== (diff.isArray ? 0x04 : 0x03))
    throw new MalformedBson(`a diff does not fit the field ${field.name}`);
  return { ...field, value: diff.isArray ? changedArray(field.value, diff) : changedObject(field.value, diff) };
}

/**
 * The subtype stays. Bytes that the value would keep behind what is written are refused: servers write a column to its
 * end, and what they would make of less is not known here.
 */
function writtenField(field: Field, { at, bytes }: { at: number; bytes: Buffer }): Field {
  const length = field.value.length - BINARY_HEADER;
  if (field.type !== 0x05 || at < 0 || at > length || at + bytes.length < length)
    throw new MalformedBson(`a binary diff does not fit the field ${field.name}`);
  const kept = field.value.subarray(0, BINARY_HEADER + at);
  const value = Buffer.concat([kept, bytes]);
  value.writeInt32LE(at + bytes.length, 0);
  return { ...field, value };
}

function changedArray(array: Buffer, diff: Diff): Buffer {
  const elements = fieldsOf(array, 0);
  if (diff.length !== null) elements.length = Math.min(elements.length, diff.length);
  const length = Math.max(
    elements.length,
    diff.length ?? 0,
    ...[...diff.changed.keys()].map((name) => Number(name) + 1),
  );
  const changed = Array.from({ length }, (_, index): Field => {
    const name = String(index);
    const element = elements[index] ?? { name, type: 0x0a, value: Buffer.alloc(0) };
    const within = diff.within.get(name);
    // The server numbers elements anew, whatever names they had.
    return { ...(within === undefined ? (diff.changed.get(name) ?? element) : changedField(element, within)), name };
  });
  return documentOf(changed);
}
