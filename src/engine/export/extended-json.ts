import { isUtf8 } from 'node:buffer';
import { bsonType, documentLength, MalformedBson, valueLength } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import { decimal128Text } from './decimal128-text.ts';
import {
  LONG_BYTES,
  STRING_GROWTH_MAX,
  writeAscii,
  writeBase64,
  writeBytes,
  writeEscaped,
  writeHex,
  writeHexByte,
  writeLongEscaped,
} from './json-text.ts';
import { isMisread } from './misread.ts';
import { NUMBER_BYTES_MAX, writeDouble, writeInt32, writeInt64, writeUint32 } from './number-text.ts';

/**
 * Raw BSON to canonical Extended JSON v2, bytes to bytes. What it makes of what, and where it has to choose:
 * `docs/exports.md`, Values.
 *
 * Room is made once per document, for the worst that a document of its length can become; only what is larger than
 * `WHOLE_MAX` has its parts looked at first. So almost no write has to ask for room. Whether strings are UTF-8 is asked
 * once, of all that was written; only where the answer is no is everything written again, string by string.
 */

/**
 * Most bytes of text that a byte of BSON becomes: a regular expression without pattern and options, 4 bytes with its
 * name, becomes 54.
 */
const GROWTH_MAX = 14;
const WHOLE_MAX = 64 * 1024;
const FIRST_ROOM = 1024 * 1024;
/** MongoDB stores 180 levels. More is no document of a server, and would end in the runtime's own limit. */
const DEPTH_MAX = 1000;

const BRACE_OPEN = 0x7b;
const BRACE_CLOSE = 0x7d;
const BRACKET_OPEN = 0x5b;
const BRACKET_CLOSE = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const NEWLINE = 0x0a;
const DOLLAR = 0x24;

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const text = {
  null: ascii('null'),
  true: ascii('true'),
  false: ascii('false'),
  undefined: ascii('{"$undefined":true}'),
  minKey: ascii('{"$minKey":1}'),
  maxKey: ascii('{"$maxKey":1}'),
  objectId: ascii('{"$oid":"'),
  double: ascii('{"$numberDouble":"'),
  int32: ascii('{"$numberInt":"'),
  int64: ascii('{"$numberLong":"'),
  decimal: ascii('{"$numberDecimal":"'),
  date: ascii('{"$date":{"$numberLong":"'),
  binary: ascii('{"$binary":{"base64":"'),
  subtype: ascii('","subType":"'),
  symbol: ascii('{"$symbol":'),
  code: ascii('{"$code":'),
  scope: ascii(',"$scope":'),
  pointer: ascii('{"$dbPointer":{"$ref":'),
  pointerId: ascii(',"$id":{"$oid":"'),
  pattern: ascii('{"$regularExpression":{"pattern":'),
  options: ascii(',"options":'),
  timestamp: ascii('{"$timestamp":{"t":'),
  increment: ascii(',"i":'),
  end: ascii('"}'),
  end2: ascii('"}}'),
  end3: ascii('"}}}'),
  close: ascii('}'),
  close2: ascii('}}'),
};

/** One document as text. For many of them keep a writer, which keeps its room. */
export function canonicalJson(document: Buffer): string {
  return new ExtendedJsonWriter(document.length * 2).document(document).toString('utf8');
}

export class ExtendedJsonWriter {
  #out: Buffer;
  #at = 0;
  #depth = 0;
  /** Strings are looked at one by one, and what is no UTF-8 in them is replaced. */
  #mending = false;
  /** The document that is being written holds one that a reader takes for a value (`misread.ts`). */
  #misread = false;
  /** Over what is being read. */
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(firstRoom: number = FIRST_ROOM) {
    this.#out = Buffer.allocUnsafe(firstRoom);
  }

  /**
   * A line for each of the documents that lie one after another. Valid until the next call. Throws MalformedBson. Where
   * `leftOut` is given, a document that a reader would take for another (`misread.ts`) has no line and is added to it,
   * as a view of `documents`.
   */
  lines(documents: Buffer, leftOut: Buffer[] | null = null): Buffer {
    const before = leftOut?.length ?? 0;
    return this.#written(documents, () => {
      leftOut?.splice(before);
      for (let at = 0; at < documents.length; ) {
        const length = documentLength(documents, at);
        const start = this.#at;
        this.#misread = false;
        this.#document(documents, at, length);
        if (this.#misread && leftOut !== null) {
          this.#at = start;
          leftOut.push(documents.subarray(at, at + length));
        } else {
          this.#room(1);
          this.#out[this.#at++] = NEWLINE;
        }
        at += length;
      }
    });
  }

  /** The one document, without an end of line. Valid until the next call. Throws MalformedBson. */
  document(document: Buffer): Buffer {
    return this.#written(document, () => this.#document(document, 0, documentLength(document, 0)));
  }

  #written(source: Buffer, write: () => void): Buffer {
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    const written = this.#write(write, false);
    // What was written around strings is ASCII, and a quote stands on either side of each: all of it is UTF-8 if and
    // only if each string is.
    return isUtf8(written) ? written : this.#write(write, true);
  }

  #write(write: () => void, mending: boolean): Buffer {
    this.#at = 0;
    this.#depth = 0;
    this.#mending = mending;
    write();
    assert(this.#at <= this.#out.length, 'there was room for all that was written');
    return this.#out.subarray(0, this.#at);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#at + bytes, this.#out.length * 2));
    this.#out.copy(grown, 0, 0, this.#at);
    this.#out = grown;
  }

  #document(bytes: Buffer, offset: number, length: number): void {
    const whole = length <= WHOLE_MAX;
    if (whole) this.#room(length * GROWTH_MAX + 64);
    this.#fields(bytes, offset, length, whole, false);
  }

  /** `whole`: there is room for all of it. */
  #fields(bytes: Buffer, offset: number, length: number, whole: boolean, array: boolean): void {
    if (++this.#depth > DEPTH_MAX) throw new MalformedBson(`documents are nested more than ${DEPTH_MAX} deep`);
    if (!whole) this.#room(2);
    this.#out[this.#at++] = array ? BRACKET_OPEN : BRACE_OPEN;
    const limit = offset + length - 1;
    let at = offset + 4;
    if (bytes[at + 1] === DOLLAR && this.#depth > 1 && !array && isMisread(bytes, offset)) this.#misread = true;
    while (at < limit) {
      const type = bytes[at] as number;
      if (at > offset + 4) {
        if (!whole) this.#room(1);
        this.#out[this.#at++] = COMMA;
      }
      const value =
        whole && !this.#mending ? this.#name(bytes, at + 1, limit, array) : this.#anyName(bytes, at + 1, limit, array);
      at = this.#value(bytes, type, value, limit, whole);
    }
    if (at !== limit) throw new MalformedBson(`the document at byte ${offset} does not end with its last element`);
    if (!whole) this.#room(1);
    this.#out[this.#at++] = array ? BRACKET_CLOSE : BRACE_CLOSE;
    this.#depth--;
  }

  /**
   * Writes an element's name where there is room for it; returns where its value begins. Names of an array's elements
   * are numbers by convention and not part of its text.
   */
  #name(bytes: Buffer, from: number, limit: number, array: boolean): number {
    let end = from;
    while (bytes[end] !== 0) end++;
    if (end >= limit) throw new MalformedBson(`name at byte ${from} has no end`);
    if (array) return end + 1;
    const out = this.#out;
    out[this.#at] = QUOTE;
    const at = writeEscaped(out, this.#at + 1, bytes, from, end);
    out[at] = QUOTE;
    out[at + 1] = COLON;
    this.#at = at + 2;
    return end + 1;
  }

  #anyName(bytes: Buffer, from: number, limit: number, array: boolean): number {
    const end = bytes.indexOf(0, from);
    if (end < 0 || end >= limit) throw new MalformedBson(`name at byte ${from} has no end`);
    if (array) return end + 1;
    this.#anyString(bytes, from, end);
    this.#room(1);
    this.#out[this.#at++] = COLON;
    return end + 1;
  }

  /** Writes the value; returns where it ended. */
  #value(bytes: Buffer, type: number, from: number, limit: number, whole: boolean): number {
    const to = from + valueLength(bytes, type, from, limit);
    switch (type) {
      case bsonType.document:
      case bsonType.array:
        this.#nested(bytes, from, to, whole, type === bsonType.array);
        return to;
      case bsonType.string:
        this.#string(bytes, from, to, whole);
        return to;
      case bsonType.binary:
        if (!whole) this.#room((to - from) * 2 + 64);
        this.#at = writeBinary(this.#out, this.#at, bytes, from, to);
        return to;
      case 0x0b:
        this.#regularExpression(bytes, from, to);
        return to;
      case 0x0c:
        this.#pointer(bytes, from, to);
        return to;
      case 0x0d:
        this.#wrapped(text.code, bytes, from, to, whole);
        return to;
      case 0x0e:
        this.#wrapped(text.symbol, bytes, from, to, whole);
        return to;
      case 0x0f:
        this.#codeWithScope(bytes, from, to);
        return to;
      default:
        if (!whole) this.#room(NUMBER_BYTES_MAX * 2);
        this.#at = writeScalar(this.#out, this.#at, type, bytes, from);
        return to;
    }
  }

  #nested(bytes: Buffer, from: number, to: number, whole: boolean, array: boolean): void {
    const length = documentLength(bytes, from);
    if (length !== to - from) throw new MalformedBson(`document at byte ${from} does not fill its element`);
    if (whole) {
      this.#fields(bytes, from, length, true, array);
      return;
    }
    const fits = length <= WHOLE_MAX;
    if (fits) this.#room(length * GROWTH_MAX + 64);
    this.#fields(bytes, from, length, fits, array);
  }

  #string(bytes: Buffer, from: number, to: number, whole: boolean): void {
    const end = stringEnd(bytes, from, to);
    if (!whole || this.#mending) {
      this.#anyString(bytes, from + 4, end);
      return;
    }
    const out = this.#out;
    out[this.#at] = QUOTE;
    const at =
      end - from < LONG_BYTES
        ? writeEscaped(out, this.#at + 1, bytes, from + 4, end)
        : writeLongEscaped(out, this.#at + 1, bytes, this.#view, from + 4, end);
    out[at] = QUOTE;
    this.#at = at + 1;
  }

  /** Of any length, in parts; mended where that is asked for. */
  #anyString(bytes: Buffer, from: number, to: number): void {
    let [source, at, end] = [bytes, from, to];
    if (this.#mending && !isUtf8(bytes.subarray(from, to))) {
      source = Buffer.from(bytes.toString('utf8', from, to));
      [at, end] = [0, source.length];
    }
    this.#room(2);
    this.#out[this.#at++] = QUOTE;
    while (at < end) {
      const part = Math.min(end, at + WHOLE_MAX);
      this.#room((part - at) * STRING_GROWTH_MAX + 1);
      this.#at =
        source === bytes
          ? writeLongEscaped(this.#out, this.#at, source, this.#view, at, part)
          : writeEscaped(this.#out, this.#at, source, at, part);
      at = part;
    }
    this.#out[this.#at++] = QUOTE;
  }

  #text(bytes: Buffer): void {
    this.#room(bytes.length);
    this.#at = writeBytes(this.#out, this.#at, bytes);
  }

  /** A string in an object of its own: code, symbol. */
  #wrapped(before: Buffer, bytes: Buffer, from: number, to: number, whole: boolean): void {
    this.#text(before);
    this.#string(bytes, from, to, whole);
    this.#room(1);
    this.#out[this.#at++] = BRACE_CLOSE;
  }

  #regularExpression(bytes: Buffer, from: number, to: number): void {
    const patternEnd = bytes.indexOf(0, from);
    this.#text(text.pattern);
    this.#anyString(bytes, from, patternEnd);
    this.#text(text.options);
    this.#anyString(bytes, patternEnd + 1, to - 1);
    this.#text(text.close2);
  }

  #pointer(bytes: Buffer, from: number, to: number): void {
    this.#text(text.pointer);
    this.#anyString(bytes, from + 4, stringEnd(bytes, from, to - 12));
    this.#text(text.pointerId);
    this.#room(24);
    this.#at = writeHex(this.#out, this.#at, bytes, to - 12, to);
    this.#text(text.end3);
  }

  #codeWithScope(bytes: Buffer, from: number, to: number): void {
    if (to - from < 14) throw new MalformedBson(`code at byte ${from} is cut off`);
    const codeTo = from + 8 + bytes.readInt32LE(from + 4);
    if (codeTo < from + 9 || codeTo > to - 5) throw new MalformedBson(`code at byte ${from} does not fit`);
    this.#text(text.code);
    this.#anyString(bytes, from + 8, stringEnd(bytes, from + 4, codeTo));
    this.#text(text.scope);
    this.#nested(bytes, codeTo, to, false, false);
    this.#text(text.close);
  }
}

/** Where the characters of the string end whose length stands at `from` and which ends, its NUL included, at `to`. */
function stringEnd(bytes: Buffer, from: number, to: number): number {
  if (to - from < 5 || bytes[to - 1] !== 0) throw new MalformedBson(`string at byte ${from} has no end`);
  return to - 1;
}

function writeScalar(out: Buffer, at: number, type: number, bytes: Buffer, from: number): number {
  switch (type) {
    case bsonType.objectId:
      return writeBytes(out, writeHex(out, writeBytes(out, at, text.objectId), bytes, from, from + 12), text.end);
    case bsonType.int32:
      return writeBytes(out, writeInt32(out, writeBytes(out, at, text.int32), bytes.readInt32LE(from)), text.end);
    case bsonType.double:
      return writeBytes(out, writeDouble(out, writeBytes(out, at, text.double), bytes, from), text.end);
    case bsonType.date:
      return writeBytes(out, writeInt64(out, writeBytes(out, at, text.date), bytes, from), text.end2);
    case bsonType.int64:
      return writeBytes(out, writeInt64(out, writeBytes(out, at, text.int64), bytes, from), text.end);
    case bsonType.boolean:
      return writeBytes(out, at, bytes[from] === 0 ? text.false : text.true);
    case bsonType.null:
      return writeBytes(out, at, text.null);
    case bsonType.timestamp:
      return writeTimestamp(out, at, bytes, from);
    case 0x13:
      return writeBytes(out, writeAscii(out, writeBytes(out, at, text.decimal), decimal128Text(bytes, from)), text.end);
    case 0x06:
      return writeBytes(out, at, text.undefined);
    case 0x7f:
      return writeBytes(out, at, text.maxKey);
    default:
      assert(type === 0xff, `type ${type} has a length and no text`);
      return writeBytes(out, at, text.minKey);
  }
}

function writeTimestamp(out: Buffer, at: number, bytes: Buffer, from: number): number {
  const seconds = writeUint32(out, writeBytes(out, at, text.timestamp), bytes.readUInt32LE(from + 4));
  const end = writeUint32(out, writeBytes(out, seconds, text.increment), bytes.readUInt32LE(from));
  return writeBytes(out, end, text.close2);
}

/**
 * The old binary subtype has its length once more in front of its bytes; that is no part of its content, unless it is
 * wrong.
 */
function writeBinary(out: Buffer, at: number, bytes: Buffer, from: number, to: number): number {
  const subtype = bytes[from + 4] as number;
  const twice = subtype === 2 && to - from >= 9 && bytes.readInt32LE(from + 5) === to - from - 9;
  const content = writeBase64(out, writeBytes(out, at, text.binary), bytes, from + (twice ? 9 : 5), to);
  return writeBytes(out, writeHexByte(out, writeBytes(out, content, text.subtype), subtype), text.end2);
}
