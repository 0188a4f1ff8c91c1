import { readDecimal128 } from './decimal128.ts';
import { bsonType, type ElementAt, forEachElement } from './raw-bson.ts';

/**
 * The order in which MongoDB has values of BSON, without a collation: first by kinds of type, then within a kind. It is
 * the order of indexes and of sharding's chunks. Pure. Source: the manual's comparison order, and the server's own
 * rules where that is silent; a test asks a server.
 */

/** A value where it lies. */
export interface ValueAt extends ElementAt {
  buffer: Buffer;
}

const KIND_OF_TYPE: ReadonlyMap<number, number> = new Map([
  [0xff, -1], // min key
  [0x06, 0], // undefined
  [0x0a, 5],
  [0x01, 10],
  [0x10, 10],
  [0x12, 10],
  [0x13, 10],
  [0x02, 15],
  [0x0e, 15],
  [0x03, 20],
  [0x04, 25],
  [0x05, 30],
  [0x07, 35],
  [0x08, 40],
  [0x09, 45],
  [0x11, 47],
  [0x0b, 50],
  [0x0c, 55],
  [0x0d, 60],
  [0x0f, 65],
  [0x7f, 127], // max key
]);

/** Types of one kind are compared by value; it is also what the server hashes of a type. */
export function kindOfType(type: number): number {
  const kind = KIND_OF_TYPE.get(type);
  if (kind === undefined) throw new RangeError(`there is no BSON type ${type}`);
  return kind;
}

/** Negative, zero or positive. */
export function compareValues(a: ValueAt, b: ValueAt): number {
  const byKind = kindOfType(a.type) - kindOfType(b.type);
  if (byKind !== 0) return byKind;
  switch (a.type) {
    case bsonType.double:
    case bsonType.int32:
    case bsonType.int64:
    case 0x13:
      return compareNumbers(a, b);
    case bsonType.string:
    case 0x0d: // code
    case 0x0e: // symbol
      return Buffer.compare(a.buffer.subarray(a.start + 4, a.end - 1), b.buffer.subarray(b.start + 4, b.end - 1));
    case bsonType.document:
      return compareElements(a, b, true);
    case bsonType.array:
      return compareElements(a, b, false);
    case bsonType.binary:
      return compareBinary(a, b);
    case bsonType.date:
      return compareOrdered(a.buffer.readBigInt64LE(a.start), b.buffer.readBigInt64LE(b.start));
    case bsonType.timestamp:
      return compareOrdered(a.buffer.readBigUInt64LE(a.start), b.buffer.readBigUInt64LE(b.start));
    case 0x0c: // dbpointer
      return compareSized(a, b);
    case 0x0f: // code with scope
      return compareScoped(a, b);
    default:
      // Object ids, booleans and regular expressions (two strings, each with its NUL) by their bytes; the others have
      // none.
      return Buffer.compare(bytesOf(a), bytesOf(b));
  }
}

/**
 * Two documents by their elements in order, names not looked at: how keys of an index or bounds of chunks are compared.
 */
export function compareKeys(a: readonly ValueAt[], b: readonly ValueAt[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index];
    if (other === undefined) return 1;
    const order = compareValues(value, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

interface Element extends ValueAt {
  name: string;
}

/** The elements of the document at `offset`, in order. */
export function elementsOf(buffer: Buffer, offset: number): Element[] {
  const elements: Element[] = [];
  forEachElement(buffer, offset, (name, element) => {
    elements.push({ name, buffer, ...element });
    return true;
  });
  return elements;
}

function compareElements(a: ValueAt, b: ValueAt, named: boolean): number {
  const [mine, others] = [elementsOf(a.buffer, a.start), elementsOf(b.buffer, b.start)];
  for (const [index, element] of mine.entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    const byKind = kindOfType(element.type) - kindOfType(other.type);
    if (byKind !== 0) return byKind;
    const byName = named ? Buffer.compare(Buffer.from(element.name), Buffer.from(other.name)) : 0;
    const order = byName !== 0 ? byName : compareValues(element, other);
    if (order !== 0) return order;
  }
  return mine.length - others.length;
}

/** By length, then subtype, then bytes. */
function compareBinary(a: ValueAt, b: ValueAt): number {
  const byLength = a.end - a.start - (b.end - b.start);
  return byLength !== 0
    ? byLength
    : Buffer.compare(a.buffer.subarray(a.start + 4, a.end), b.buffer.subarray(b.start + 4, b.end));
}

function compareSized(a: ValueAt, b: ValueAt): number {
  const byLength = a.end - a.start - (b.end - b.start);
  return byLength !== 0 ? byLength : Buffer.compare(bytesOf(a), bytesOf(b));
}

function compareScoped(a: ValueAt, b: ValueAt): number {
  const parts = ({ buffer, start, end }: ValueAt) => {
    const scopeAt = start + 8 + buffer.readInt32LE(start + 4);
    return {
      code: buffer.subarray(start + 8, scopeAt - 1),
      scope: { buffer, type: bsonType.document, start: scopeAt, end },
    };
  };
  const [mine, other] = [parts(a), parts(b)];
  const byCode = Buffer.compare(mine.code, other.code);
  return byCode !== 0 ? byCode : compareElements(mine.scope, other.scope, true);
}

function bytesOf({ buffer, start, end }: ValueAt): Buffer {
  return buffer.subarray(start, end);
}

/** NaN is below every other number and equal to itself. */
function compareNumbers(a: ValueAt, b: ValueAt): number {
  if (a.type !== 0x13 && b.type !== 0x13) return comparePlain(plainOf(a), plainOf(b));
  const [mine, other] = [exactOf(a), exactOf(b)];
  if (mine.rank !== other.rank) return mine.rank - other.rank;
  return mine.rank === FINITE ? compareFractions(mine, other) : 0;
}

/** Numbers and big integers are compared by their mathematical values in JavaScript, too. */
function comparePlain(a: number | bigint, b: number | bigint): number {
  const [aIsNaN, bIsNaN] = [Number.isNaN(a), Number.isNaN(b)];
  return aIsNaN || bIsNaN ? Number(bIsNaN) - Number(aIsNaN) : compareOrdered(a, b);
}

function compareOrdered(a: number | bigint, b: number | bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function plainOf({ buffer, type, start }: ValueAt): number | bigint {
  if (type === bsonType.double) return buffer.readDoubleLE(start);
  return type === bsonType.int32 ? buffer.readInt32LE(start) : buffer.readBigInt64LE(start);
}

const [NAN, MINUS_INFINITY, FINITE, PLUS_INFINITY] = [0, 1, 2, 3];

/** A finite number is `top` times two to `two` times ten to `ten`. */
interface Exact {
  rank: number;
  top: bigint;
  two: number;
  ten: number;
}

function exactOf(value: ValueAt): Exact {
  if (value.type !== 0x13) return exactOfPlain(plainOf(value));
  const { kind, negative, coefficient, exponent } = readDecimal128(value.buffer, value.start);
  if (kind !== 'finite') return ranked(kind === 'nan' ? NAN : negative ? MINUS_INFINITY : PLUS_INFINITY);
  return { rank: FINITE, top: negative ? -coefficient : coefficient, two: 0, ten: exponent };
}

function exactOfPlain(value: number | bigint): Exact {
  if (typeof value === 'bigint') return { rank: FINITE, top: value, two: 0, ten: 0 };
  if (Number.isNaN(value)) return ranked(NAN);
  if (!Number.isFinite(value)) return ranked(value < 0 ? MINUS_INFINITY : PLUS_INFINITY);
  let [top, two] = [value, 0];
  // Exact, since it only moves the binary point; the smallest double is 2^-1074.
  while (!Number.isInteger(top)) {
    top *= 2;
    two--;
  }
  return { rank: FINITE, top: BigInt(top), two, ten: 0 };
}

function ranked(rank: number): Exact {
  return { rank, top: 0n, two: 0, ten: 0 };
}

function compareFractions(a: Exact, b: Exact): number {
  const [two, ten] = [Math.min(a.two, b.two), Math.min(a.ten, b.ten)];
  const whole = (one: Exact) => one.top * 2n ** BigInt(one.two - two) * 10n ** BigInt(one.ten - ten);
  return compareOrdered(whole(a), whole(b));
}
