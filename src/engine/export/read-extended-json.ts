import { decimal128Bytes } from '../../bson/decimal128-bytes.ts';
import { documentOf, stringValue } from '../../bson/raw-bson.ts';

/**
 * Canonical Extended JSON v2 to raw BSON, by the specification and nothing else: shares no code with what writes it, so
 * that what was written can be held against what a reader makes of it. Names keep their order and may stand twice. A
 * document inside another is a wrapper where its first name is a wrapper's, as the Go driver's parser has it, and then
 * has to be one in full. Throws UnreadableJson.
 */
export class UnreadableJson extends Error {
  override name = 'UnreadableJson';
}

function unless(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new UnreadableJson(problem);
}

type Json = { members: [string, Json][] } | Json[] | string | number | boolean | null;

interface Value {
  type: number;
  value: Buffer;
}

export function readExtendedJson(text: string): Buffer {
  const parser = new Parser(text);
  const json = parser.value();
  parser.end();
  unless(isObject(json), 'it is no document');
  return plainDocument(json.members);
}

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  end(): void {
    unless(this.#at === this.#text.length, `something follows the document at ${this.#at}`);
  }

  value(): Json {
    const first = this.#text[this.#at];
    if (first === '{') return { members: this.#list('}', () => this.#member()) };
    if (first === '[') return this.#list(']', () => this.value());
    const token = /"(?:[^"\\]|\\.)*"|[^,\]}]+/sy;
    token.lastIndex = this.#at;
    const found = token.exec(this.#text)?.[0];
    unless(found !== undefined, `there is no value at ${this.#at}`);
    this.#at += found.length;
    return plainJson(found);
  }

  #member(): [string, Json] {
    const name = this.value();
    unless(typeof name === 'string' && this.#text[this.#at++] === ':', `there is no name before ${this.#at}`);
    return [name, this.value()];
  }

  #list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    this.#at++;
    while (this.#text[this.#at] !== close) {
      unless(items.length === 0 || this.#text[this.#at++] === ',', `there is no comma before ${this.#at}`);
      items.push(item());
    }
    this.#at++;
    return items;
  }
}

function plainJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new UnreadableJson(`${text.slice(0, 100)} is no JSON`, { cause: error });
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
  unless(typeof json !== 'number', 'a number stands bare');
  if (Array.isArray(json))
    return { type: 0x04, value: documentOf(json.map((item, index) => ({ name: String(index), ...rawOf(item) }))) };
  return wrapped(json.members) ?? { type: 0x03, value: plainDocument(json.members) };
}

function text(type: number, string: string): Value {
  return { type, value: stringValue(string) };
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  unless(Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 31, `${value} is no int32`);
  bytes.writeInt32LE(value);
  return bytes;
}

function int64(digits: string): Buffer {
  const bytes = Buffer.alloc(8);
  unless(/^-?\d{1,19}$/.test(digits), `${digits} is no int64`);
  unless(BigInt.asIntN(64, BigInt(digits)) === BigInt(digits), `${digits} is no int64`);
  bytes.writeBigInt64LE(BigInt(digits));
  return bytes;
}

/** The values of an object that has exactly these names, in this order. */
function valuesOf(json: Json | undefined, ...names: string[]): Json[] {
  unless(json !== undefined && isObject(json), 'a wrapper holds no object');
  const found = json.members.map(([name]) => name);
  unless(found.join('\0') === names.join('\0'), `${found.join()} stand where ${names.join()} belong`);
  return json.members.map(([, value]) => value);
}

function string(json: Json | undefined): string {
  unless(typeof json === 'string', 'a wrapper holds no text');
  return json;
}

function number(json: Json | undefined, max: number): number {
  unless(typeof json === 'number' && Number.isInteger(json) && json >= 0 && json <= max, 'a wrapper holds no number');
  return json;
}

function hex(json: Json | undefined): Buffer {
  const digits = string(json);
  unless(/^(?:[0-9a-fA-F]{2})*$/.test(digits), `${JSON.stringify(digits)} is not hexadecimal`);
  return Buffer.from(digits, 'hex');
}

function objectId(json: Json | undefined): Buffer {
  const bytes = hex(json);
  unless(bytes.length === 12, 'an ObjectId has 12 bytes');
  return bytes;
}

type Wrapper = (whole: Json) => Value;

const only =
  (name: string, read: (json: Json | undefined) => Value): Wrapper =>
  (whole) =>
    read(valuesOf(whole, name)[0]);

const WRAPPERS: Record<string, Wrapper> = {
  $numberInt: only('$numberInt', (json) => {
    unless(/^-?\d{1,10}$/.test(string(json)), 'it is no int32');
    return { type: 0x10, value: int32(Number(json)) };
  }),
  $numberLong: only('$numberLong', (json) => ({ type: 0x12, value: int64(string(json)) })),
  $numberDouble: only('$numberDouble', double),
  $numberDecimal: only('$numberDecimal', (json) => {
    const value = decimal128Bytes(string(json));
    unless(value !== null, `${json} is no decimal`);
    return { type: 0x13, value };
  }),
  $oid: only('$oid', (json) => ({ type: 0x07, value: objectId(json) })),
  $date: only('$date', (json) => ({ type: 0x09, value: int64(string(valuesOf(json, '$numberLong')[0])) })),
  $undefined: only('$undefined', (json) => {
    unless(json === true, '$undefined is not true');
    return { type: 0x06, value: Buffer.alloc(0) };
  }),
  $minKey: only('$minKey', (json) => key(0xff, json)),
  $maxKey: only('$maxKey', (json) => key(0x7f, json)),
  $symbol: only('$symbol', (json) => text(0x0e, string(json))),
  $code: codeOf,
  $binary: only('$binary', binary),
  $timestamp: only('$timestamp', timestamp),
  $regularExpression: only('$regularExpression', (json) => {
    const [pattern, options] = valuesOf(json, 'pattern', 'options').map(string);
    unless(!`${pattern}${options}`.includes('\0'), 'a regular expression holds a NUL');
    return { type: 0x0b, value: Buffer.from(`${pattern}\0${options}\0`) };
  }),
  $dbPointer: only('$dbPointer', (json) => {
    const [ref, id] = valuesOf(json, '$ref', '$id');
    return { type: 0x0c, value: Buffer.concat([stringValue(string(ref)), objectId(valuesOf(id, '$oid')[0])]) };
  }),
  $scope: notFirst,
  $uuid: notFirst,
};

/** A name that stands first only where it was not written as a wrapper's. */
function notFirst(): never {
  throw new UnreadableJson('a wrapper begins with a name that is not written here');
}

function wrapped(members: readonly [string, Json][]): Value | null {
  const [first] = members;
  if (first === undefined || !Object.hasOwn(WRAPPERS, first[0])) return null;
  return (WRAPPERS[first[0]] as Wrapper)({ members: [...members] });
}

function key(type: number, json: Json | undefined): Value {
  unless(json === 1, 'a smallest or largest key is not 1');
  return { type, value: Buffer.alloc(0) };
}

const NO_NUMBERS: Record<string, number> = { Infinity, '-Infinity': -Infinity, NaN };

function double(json: Json | undefined): Value {
  const digits = string(json);
  const named = Object.hasOwn(NO_NUMBERS, digits);
  unless(named || /^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(digits), `${JSON.stringify(digits)} is no double`);
  const value = Buffer.alloc(8);
  value.writeDoubleLE(named ? (NO_NUMBERS[digits] as number) : Number(digits));
  return { type: 0x01, value };
}

function codeOf(whole: Json): Value {
  if (isObject(whole) && whole.members.length === 1) return text(0x0d, string(valuesOf(whole, '$code')[0]));
  const [code, scope] = valuesOf(whole, '$code', '$scope');
  unless(scope !== undefined && isObject(scope), 'a scope is no document');
  unless(wrapped(scope.members) === null, 'a scope is a wrapper');
  const { value } = text(0x0d, string(code));
  const document = plainDocument(scope.members);
  return { type: 0x0f, value: Buffer.concat([int32(4 + value.length + document.length), value, document]) };
}

function binary(json: Json | undefined): Value {
  const [base64, subType] = valuesOf(json, 'base64', 'subType');
  const content = Buffer.from(string(base64), 'base64');
  unless(content.toString('base64') === base64, 'it is not base64');
  const [subtype] = hex(subType);
  unless(subtype !== undefined && string(subType).length === 2, 'a subtype is one byte');
  const inner = subtype === 2 ? Buffer.concat([int32(content.length), content]) : content;
  return { type: 0x05, value: Buffer.concat([int32(inner.length), Buffer.from([subtype]), inner]) };
}

function timestamp(json: Json | undefined): Value {
  const [t, i] = valuesOf(json, 't', 'i');
  const value = Buffer.alloc(8);
  value.writeUInt32LE(number(i, 2 ** 32 - 1), 0);
  value.writeUInt32LE(number(t, 2 ** 32 - 1), 4);
  return { type: 0x11, value };
}
