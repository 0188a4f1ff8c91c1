import { createHash, type Hash } from 'node:crypto';
import { elementsOf, kindOfType, type ValueAt } from './bson-order.ts';
import { readDecimal128 } from './decimal128.ts';
import { bsonType } from './raw-bson.ts';

/**
 * What a hashed index, and so a hashed shard key, holds of a value: 64 bits of an MD5, signed. Every element of
 * documents and arrays counts, with its name; numbers count as whole numbers, whatever their type. Pure. The rule is
 * the server's; a test asks a server.
 */
export function hashedValue(value: ValueAt): bigint {
  const hash = createHash('md5');
  hash.update(int32(0)); // the seed that is always used
  addValue(hash, value, null);
  return hash.digest().readBigInt64LE(0);
}

function addValue(hash: Hash, value: ValueAt, name: string | null): void {
  const { buffer, type, start, end } = value;
  hash.update(int32(kindOfType(type)));
  if (name !== null) hash.update(`${name}\0`);
  if (kindOfType(type) === NUMBERS) hash.update(int64(wholeNumber(value)));
  else if (type === bsonType.document || type === bsonType.array) addElements(hash, buffer, start);
  else if (type === CODE_WITH_SCOPE) {
    const scopeAt = start + 8 + buffer.readInt32LE(start + 4);
    hash.update(buffer.subarray(start + 8, scopeAt));
    addElements(hash, buffer, scopeAt);
  } else hash.update(buffer.subarray(start, end));
}

const NUMBERS = 10;
const CODE_WITH_SCOPE = 0x0f;

function addElements(hash: Hash, buffer: Buffer, offset: number): void {
  for (const element of elementsOf(buffer, offset)) addValue(hash, element, element.name);
  hash.update(int32(0)); // the end counts as an element without name and value
}

const [LEAST, MOST] = [-(2n ** 63n), 2n ** 63n - 1n];

function wholeNumber({ buffer, type, start }: ValueAt): bigint {
  if (type === bsonType.int32) return BigInt(buffer.readInt32LE(start));
  if (type === bsonType.int64) return buffer.readBigInt64LE(start);
  return type === bsonType.double ? wholeDouble(buffer.readDoubleLE(start)) : wholeDecimal(buffer, start);
}

/** Cut off after the point, and held within 64 bits; but for 2^63, which older servers overflowed, and so all do. */
function wholeDouble(value: number): bigint {
  if (Number.isNaN(value)) return 0n;
  if (value === 2 ** 63) return LEAST;
  if (value > 2 ** 63) return MOST;
  return value < -(2 ** 63) ? LEAST : BigInt(Math.trunc(value));
}

/** Rounded, halves to even, and held within 64 bits. */
function wholeDecimal(buffer: Buffer, start: number): bigint {
  const { kind, negative, coefficient, exponent } = readDecimal128(buffer, start);
  if (kind === 'nan') return 0n;
  if (kind === 'infinity') return negative ? LEAST : MOST;
  const whole =
    exponent >= 0
      ? coefficient * 10n ** BigInt(Math.min(exponent, DIGITS_MAX))
      : rounded(coefficient, 10n ** BigInt(-exponent));
  const signed = negative ? -whole : whole;
  return signed > MOST ? MOST : signed < LEAST ? LEAST : signed;
}

/** A power of ten that is past 64 bits whatever it is multiplied with. */
const DIGITS_MAX = 20;

function rounded(top: bigint, bottom: bigint): bigint {
  const whole = top / bottom;
  const twice = (top - whole * bottom) * 2n;
  return twice > bottom || (twice === bottom && whole % 2n === 1n) ? whole + 1n : whole;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}
