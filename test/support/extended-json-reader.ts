import assert from 'node:assert/strict';
import { BSON } from 'mongodb';
import { documentOf } from '../../src/bson/raw-bson.ts';

/**
 * Canonical Extended JSON v2 to raw BSON, by the specification and nothing else: shares no code with what writes it.
 * Names keep their order and may stand twice.
 */
type Json = { members: [string, Json][] } | Json[] | string | number | boolean | null;

interface Value {
  type: number;
  value: Buffer;
}

export function readExtendedJson(text: string): Buffer {
  const parser = new Parser(text);
  const json = parser.value();
  parser.end();
  assert.ok(isObject(json));
  return plainDocument(json.members);
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    assert.equal(this.#at, this.#text.length, 'nothing follows the document');
  }

  value(): Json {
    const first = this.#text[this.#at];
    if (first === '{') return { members: this.#list('}', () => this.#member()) };
    if (first === '[') return this.#list(']', () => this.value());
    const token = /"(?:[^"\\]|\\.)*"|[^,\]}]+/sy;
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    assert.ok(found !== undefined, `a value at ${this.#at}`);
    this.#at += found.length;
    return JSON.parse(found) as Json;
  }

  #member(): [string, Json] {
    const name = this.value();
    assert.ok(typeof name === 'string' && this.#text[this.#at++] === ':');
    return [name, this.value()];
  }

  #list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    this.#at++;
    while (this.#text[this.#at] !== close) {
      if (items.length > 0) assert.equal(this.#text[this.#at++], ',');
      items.push(item());
    }
    this.#at++;
    return items;
  }
}

function isObject(json: Json): json is { members: [string, Json][] } {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function plainDocument(members: readonly [string, Json][]): Buffer {
  return documentOf(members.map(([name, json]) => ({ name, ...rawOf(json) })));
}

function rawOf(json: Json): Value {
  if (json === null) return { type: 0x0a, value: Buffer.alloc(0) };
  if (typeof json === 'boolean') return { type: 0x08, value: Buffer.from([json ? 1 : 0]) };
  if (typeof json === 'string') return text(0x02, json);
  assert.ok(typeof json !== 'number', 'no bare numbers');
  if (Array.isArray(json))
    return { type: 0x04, value: documentOf(json.map((item, index) => ({ name: String(index), ...rawOf(item) }))) };
  return wrapped(json.members) ?? { type: 0x03, value: plainDocument(json.members) };
}

function text(type: number, string: string): Value {
  const bytes = Buffer.from(string);
  return { type, value: Buffer.concat([int32(bytes.length + 1), bytes, Buffer.alloc(1)]) };
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function int64(digits: string): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(digits));
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

/** The fields of a wrapper, as plain JSON. */
function fields(json: Json): Record<string, Json> {
  assert.ok(isObject(json));
  return Object.fromEntries(json.members);
}

const string = (json: Json | undefined): string => {
  assert.ok(typeof json === 'string');
  return json;
};

/** By the names of its members, as the specification tells wrappers from documents. */
function wrapped(members: readonly [string, Json][]): Value | null {
  const [first] = members;
  if (first === undefined) return null;
  const names = members.map(([name]) => name).join();
  const [, json] = first;
  switch (names) {
    case '$numberInt':
      return { type: 0x10, value: int32(Number(string(json))) };
    case '$numberLong':
      return { type: 0x12, value: int64(string(json)) };
    case '$numberDouble':
      return { type: 0x01, value: double(Number(string(json))) };
    case '$numberDecimal':
      return { type: 0x13, value: Buffer.from(BSON.Decimal128.fromString(string(json)).bytes) };
    case '$oid':
      return { type: 0x07, value: Buffer.from(string(json), 'hex') };
    case '$date':
      return { type: 0x09, value: int64(string(fields(json).$numberLong)) };
    case '$undefined':
      return { type: 0x06, value: Buffer.alloc(0) };
    case '$minKey':
      return { type: 0xff, value: Buffer.alloc(0) };
    case '$maxKey':
      return { type: 0x7f, value: Buffer.alloc(0) };
    case '$symbol':
      return text(0x0e, string(json));
    case '$code':
      return text(0x0d, string(json));
    case '$code,$scope':
      return codeWithScope(string(json), rawOf(members[1]?.[1] ?? null).value);
    case '$binary':
      return binary(fields(json));
    case '$timestamp':
      return timestamp(fields(json));
    case '$regularExpression': {
      const { pattern, options } = fields(json);
      return { type: 0x0b, value: Buffer.from(`${string(pattern)}\0${string(options)}\0`) };
    }
    case '$dbPointer': {
      const { $ref, $id } = fields(json);
      const id = Buffer.from(string(fields($id ?? null).$oid), 'hex');
      return { type: 0x0c, value: Buffer.concat([text(0x02, string($ref)).value, id]) };
    }
    default:
      return null;
  }
}

function codeWithScope(code: string, scope: Buffer): Value {
  const { value } = text(0x0d, code);
  return { type: 0x0f, value: Buffer.concat([int32(4 + value.length + scope.length), value, scope]) };
}

function binary({ base64, subType }: Record<string, Json>): Value {
  const content = Buffer.from(string(base64), 'base64');
  const subtype = Number.parseInt(string(subType), 16);
  const inner = subtype === 2 ? Buffer.concat([int32(content.length), content]) : content;
  return { type: 0x05, value: Buffer.concat([int32(inner.length), Buffer.from([subtype]), inner]) };
}

function timestamp({ t, i }: Record<string, Json>): Value {
  const value = Buffer.alloc(8);
  value.writeUInt32LE(Number(i), 0);
  value.writeUInt32LE(Number(t), 4);
  return { type: 0x11, value };
}
