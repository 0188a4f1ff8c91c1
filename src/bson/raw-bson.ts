import { assert } from '../lib/assert.ts';

/**
 * Walking raw BSON (bsonspec.org, version 1.1) by its lengths. Nothing here decodes a document to an object: backups
 * carry bytes. A malformed buffer is reported by throwing MalformedBson, never by reading past its end.
 */
export class MalformedBson extends Error {
  override readonly name = 'MalformedBson';
}

export const bsonType = {
  double: 0x01,
  string: 0x02,
  document: 0x03,
  array: 0x04,
  binary: 0x05,
  objectId: 0x07,
  boolean: 0x08,
  date: 0x09,
  null: 0x0a,
  int32: 0x10,
  timestamp: 0x11,
  int64: 0x12,
} as const;

/** The length of the document at `offset`, checked to lie within the buffer and to end in its NUL. */
export function documentLength(buffer: Buffer, offset: number): number {
  if (offset + 5 > buffer.length) throw new MalformedBson(`document header cut off at byte ${offset}`);
  const length = buffer.readInt32LE(offset);
  if (length < 5 || offset + length > buffer.length) {
    throw new MalformedBson(`document of ${length} bytes at byte ${offset} does not fit in ${buffer.length}`);
  }
  if (buffer[offset + length - 1] !== 0) throw new MalformedBson(`document at byte ${offset} has no end`);
  return length;
}

function cstringEnd(buffer: Buffer, from: number, limit: number): number {
  const end = buffer.indexOf(0, from);
  if (end < 0 || end >= limit) throw new MalformedBson(`name at byte ${from} has no end`);
  return end;
}

/** Number of bytes of a value of `type` at `at`; `limit` is the end of the enclosing document. */
export function valueLength(buffer: Buffer, type: number, at: number, limit: number): number {
  const length = uncheckedValueLength(buffer, type, at, limit);
  if (length < 0 || at + length > limit) throw new MalformedBson(`value of type ${type} at byte ${at} is cut off`);
  return length;
}

function uncheckedValueLength(buffer: Buffer, type: number, at: number, limit: number): number {
  switch (type) {
    case 0x06: // undefined
    case 0x0a: // null
    case 0x7f: // max key
    case 0xff: // min key
      return 0;
    case 0x08:
      return 1;
    case 0x10:
      return 4;
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12:
      return 8;
    case 0x07:
      return 12;
    case 0x13: // decimal128
      return 16;
    case 0x0b: {
      // regular expression: two cstrings
      const pattern = cstringEnd(buffer, at, limit);
      return cstringEnd(buffer, pattern + 1, limit) + 1 - at;
    }
    default:
      break;
  }
  if (at + 4 > limit) throw new MalformedBson(`length at byte ${at} is cut off`);
  const length = buffer.readInt32LE(at);
  if (length < 0) throw new MalformedBson(`negative length at byte ${at}`);
  switch (type) {
    case 0x02:
    case 0x0d: // code
    case 0x0e: // symbol
      return 4 + length;
    case 0x03:
    case 0x04:
    case 0x0f: // code with scope
      return length;
    case 0x05:
      return 5 + length;
    case 0x0c: // dbpointer
      return 4 + length + 12;
    default:
      throw new MalformedBson(`unknown element type ${type} before byte ${at}`);
  }
}

/** Where an element lies: `type` its BSON type, `start`..`end` its value's bytes. */
export interface ElementAt {
  type: number;
  start: number;
  end: number;
}

/** The first element called `name` of the document at `offset`, or null. */
export function findElement(buffer: Buffer, offset: number, name: string): ElementAt | null {
  const limit = offset + documentLength(buffer, offset) - 1;
  const nameLength = Buffer.byteLength(name);
  let at = offset + 4;
  while (at < limit) {
    const type = buffer[at] as number;
    const nameStart = at + 1;
    const nameEnd = cstringEnd(buffer, nameStart, limit);
    const start = nameEnd + 1;
    const end = start + valueLength(buffer, type, start, limit);
    if (nameEnd - nameStart === nameLength && buffer.toString('latin1', nameStart, nameEnd) === name)
      return { type, start, end };
    at = end;
  }
  return null;
}

/**
 * Calls `visit(name, element)` for every element of the document at `offset`, in order; stops when it returns false.
 */
export function forEachElement(
  buffer: Buffer,
  offset: number,
  visit: (name: string, element: ElementAt) => boolean | undefined,
): void {
  const limit = offset + documentLength(buffer, offset) - 1;
  let at = offset + 4;
  while (at < limit) {
    const type = buffer[at] as number;
    const nameEnd = cstringEnd(buffer, at + 1, limit);
    const start = nameEnd + 1;
    const end = start + valueLength(buffer, type, start, limit);
    if (visit(buffer.toString('utf8', at + 1, nameEnd), { type, start, end }) === false) return;
    at = end;
  }
}

/**
 * Position of a document's id element in the buffer, as `docs/repository-format.md` defines it but not contiguous: the
 * type byte at `typeAt`, the value at `start`..`end`. The server keeps `_id` first, so the fast path looks only there.
 */
export function findId(buffer: Buffer, offset: number): ElementAt | null {
  if (
    buffer[offset + 5] === 0x5f &&
    buffer[offset + 6] === 0x69 &&
    buffer[offset + 7] === 0x64 &&
    buffer[offset + 8] === 0
  ) {
    const type = buffer[offset + 4] as number;
    const start = offset + 9;
    const limit = offset + documentLength(buffer, offset) - 1;
    return { type, start, end: start + valueLength(buffer, type, start, limit) };
  }
  return findElement(buffer, offset, '_id');
}

/** The id element's bytes: type byte, then value. A copy. */
export function idBytes(buffer: Buffer, id: ElementAt): Buffer {
  const bytes = Buffer.allocUnsafe(1 + id.end - id.start);
  bytes[0] = id.type;
  buffer.copy(bytes, 1, id.start, id.end);
  return bytes;
}

/** The document `{_id: <id element>}`. */
export function documentOfId(id: Uint8Array): Buffer {
  return documentOf([{ name: '_id', type: id[0] as number, value: id.subarray(1) }]);
}

/** A document of the given raw elements, in order. */
export function documentOf(elements: readonly { name: string; type: number; value: Uint8Array }[]): Buffer {
  let length = 5;
  for (const element of elements) length += 2 + Buffer.byteLength(element.name) + element.value.length;
  const buffer = Buffer.allocUnsafe(length);
  buffer.writeInt32LE(length, 0);
  let at = 4;
  for (const element of elements) {
    buffer[at++] = element.type;
    at += buffer.write(element.name, at, 'utf8');
    buffer[at++] = 0;
    buffer.set(element.value, at);
    at += element.value.length;
  }
  buffer[at++] = 0;
  assert(at === length, 'document length');
  return buffer;
}

/** An element's name, type and value: what `documentOf` takes. */
export interface Field {
  name: string;
  type: number;
  value: Buffer;
}

/** The elements of the document at the offset, in order. Values are views. */
export function fieldsOf(buffer: Buffer, offset: number): Field[] {
  const fields: Field[] = [];
  forEachElement(buffer, offset, (name, { type, start, end }) => {
    fields.push({ name, type, value: buffer.subarray(start, end) });
    return true;
  });
  return fields;
}

/** The value of an element of type string. */
export function stringValue(text: string): Buffer {
  const value = Buffer.alloc(Buffer.byteLength(text) + 5);
  value.writeInt32LE(value.length - 4, 0);
  value.write(text, 4, 'utf8');
  return value;
}

/** The text of an element of type string, by its value. */
export function stringText(value: Buffer): string {
  return value.toString('utf8', 4, value.length - 1);
}

/**
 * Calls `visit(offset, length)` for each of the documents that lie one after another in the buffer. Returns their
 * number.
 */
export function forEachDocument(buffer: Buffer, visit: (offset: number, length: number) => void): number {
  let count = 0;
  for (let at = 0; at < buffer.length; count++) {
    const length = documentLength(buffer, at);
    visit(at, length);
    at += length;
  }
  return count;
}
