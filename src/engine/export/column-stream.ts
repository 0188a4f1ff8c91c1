import { bsonType, MalformedBson } from '../../bson/raw-bson.ts';
import { decodeSimple8b } from './simple8b.ts';

/** A BSON value without its name. */
export interface ColumnValue {
  type: number;
  value: Buffer;
}

const CODE = 0x0d;
const DECIMAL = 0x13;
/** Doubles are stored as they lie in memory, or as whole numbers of a tenth, a hundredth and so on. */
const IN_MEMORY = 0;
const SCALES: Readonly<Record<number, number>> = { 8: IN_MEMORY, 9: 1, 10: 10, 11: 100, 12: 10_000, 13: 100_000_000 };
const SMALL_BYTES = 16;

/**
 * One run of values of a BSON column, each given as its difference from the one before. Pure. What is stored of a value
 * is an integer of 64 or 128 bits, by its type; of times and object ids the difference of the differences is stored.
 */
export class ColumnStream {
  /** Null where there was none. */
  #last: ColumnValue | null;
  #encoded = 0n;
  /** The difference, where differences of differences are stored. */
  #step = 0n;
  #scale = IN_MEMORY;
  #differences: readonly (bigint | null)[] = [];
  #next = 0;

  constructor(last: ColumnValue | null, literal: boolean) {
    this.#last = last;
    if (last !== null && literal) this.setLiteral(last);
  }

  get isEmpty(): boolean {
    return this.#next >= this.#differences.length;
  }

  setLiteral(value: ColumnValue): void {
    this.#last = value;
    this.#encoded = encode(value);
    this.#step = 0n;
    this.#differences = [];
    this.#next = 0;
  }

  /** Differences of the control byte at `at`; returns where they end. */
  load(bytes: Buffer, at: number): number {
    const control = bytes[at] as number;
    const scale = SCALES[control >> 4];
    const words = (control & 15) + 1;
    const end = at + 1 + words * 8;
    if (scale === undefined || end >= bytes.length) throw new MalformedBson(`a column breaks off at byte ${at}`);
    if (this.#last?.type === bsonType.double) this.#encoded = encodeDouble(this.#last.value, scale);
    this.#scale = scale;
    const before = this.#differences.length === 0 ? 0n : (this.#differences.at(-1) as bigint | null);
    this.#differences = decodeSimple8b(bytes, at + 1, words, before);
    this.#next = 0;
    return end;
  }

  /** The next value; null where it is missing. */
  take(): ColumnValue | null {
    const difference = this.#differences[this.#next++];
    if (difference === undefined) throw new MalformedBson('a column has fewer values than it says');
    if (difference === null) return null;
    const type = this.#last?.type;
    const stepped = type === bsonType.objectId || type === bsonType.date || type === bsonType.timestamp;
    if (difference === 0n && !stepped) return this.#last;
    if (this.#last === null) throw new MalformedBson('a column has a difference from nothing');
    const signed = (difference >> 1n) ^ -(difference & 1n);
    if (stepped) this.#step = BigInt.asIntN(64, this.#step + signed);
    this.#encoded += stepped ? this.#step : signed;
    this.#encoded = BigInt.asIntN(isLarge(this.#last.type) ? 128 : 64, this.#encoded);
    this.#last = { type: this.#last.type, value: decode(this.#last, this.#encoded, this.#scale) };
    return this.#last;
  }
}

function isLarge(type: number): boolean {
  return type === bsonType.string || type === CODE || type === bsonType.binary || type === DECIMAL;
}

function encode({ type, value }: ColumnValue): bigint {
  switch (type) {
    case bsonType.date:
    case bsonType.int64:
    case bsonType.timestamp:
      return value.readBigInt64LE(0);
    case bsonType.int32:
      return BigInt(value.readInt32LE(0));
    case bsonType.boolean:
      return BigInt(value[0] as number);
    case bsonType.objectId:
      return encodeObjectId(value);
    case DECIMAL:
      return BigInt.asIntN(128, fromLittleEndian(value));
    case bsonType.string:
    case CODE:
      return encodeString(value.subarray(4, -1));
    case bsonType.binary:
      return value.length - 5 > SMALL_BYTES ? 0n : BigInt.asIntN(128, fromLittleEndian(value.subarray(5)));
    default:
      return 0n;
  }
}

function decode({ type, value }: ColumnValue, encoded: bigint, scale: number): Buffer {
  switch (type) {
    case bsonType.double:
      return decodeDouble(encoded, scale);
    case bsonType.date:
    case bsonType.int64:
    case bsonType.timestamp:
      return toLittleEndian(encoded, 8);
    case bsonType.int32:
      return toLittleEndian(encoded, 4);
    case bsonType.boolean:
      return toLittleEndian(encoded, 1);
    case bsonType.objectId:
      return decodeObjectId(value, encoded);
    case DECIMAL:
      return toLittleEndian(encoded, 16);
    case bsonType.string:
    case CODE:
      return decodeString(encoded);
    case bsonType.binary:
      if (value.length - 5 > SMALL_BYTES) throw new MalformedBson('a column has a difference from long bytes');
      return Buffer.concat([value.subarray(0, 5), toLittleEndian(encoded, value.length - 5)]);
    default:
      throw new MalformedBson(`a column has a difference from a value of type ${type}`);
  }
}

function fromLittleEndian(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function toLittleEndian(value: bigint, length: number): Buffer {
  const bits = BigInt.asUintN(length * 8, value);
  return Buffer.from(bits.toString(16).padStart(length * 2, '0'), 'hex').reverse();
}

function encodeDouble(bytes: Buffer, scale: number): bigint {
  if (scale === IN_MEMORY) return bytes.readBigInt64LE(0);
  const value = bytes.readDoubleLE(0);
  const scaled = Math.round(value * scale);
  if (!Number.isSafeInteger(scaled) || scaled / scale !== value)
    throw new MalformedBson(`a column scales ${value} by ${scale}`);
  return BigInt(scaled);
}

function decodeDouble(encoded: bigint, scale: number): Buffer {
  if (scale === IN_MEMORY) return toLittleEndian(encoded, 8);
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeDoubleLE(Number(encoded) / scale);
  return bytes;
}

/**
 * Where the bytes of an object id lie in its integer, from the lowest: time and counter alternate, their fastest bytes
 * first. The five bytes between them are those of the value before.
 */
const OBJECT_ID_ORDER = [11, 3, 10, 2, 9, 1, 0];

function encodeObjectId(value: Buffer): bigint {
  return fromLittleEndian(Buffer.from(OBJECT_ID_ORDER.map((index) => value[index] as number)));
}

function decodeObjectId(before: Buffer, encoded: bigint): Buffer {
  const value = Buffer.from(before);
  const bytes = toLittleEndian(encoded, 8);
  OBJECT_ID_ORDER.forEach((index, place) => {
    value[index] = bytes[place] as number;
  });
  return value;
}

/** Short strings are stored with their last byte lowest. One that begins with a NUL, or is longer, counts as 0. */
function encodeString(text: Buffer): bigint {
  if (text.length > SMALL_BYTES || text[0] === 0) return 0n;
  return BigInt.asIntN(128, fromLittleEndian(Buffer.from(text).reverse()));
}

function decodeString(encoded: bigint): Buffer {
  const bytes = toLittleEndian(encoded, SMALL_BYTES).reverse();
  const text = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  const used = encoded === 0n ? Buffer.alloc(0) : text;
  const value = Buffer.alloc(4 + used.length + 1);
  value.writeInt32LE(used.length + 1);
  used.copy(value, 4);
  return value;
}
