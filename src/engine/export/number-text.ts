import { writeAscii } from './json-text.ts';

/**
 * Numbers as decimal text, written at a place of a buffer that has room for them (`NUMBER_BYTES_MAX`). Each function
 * returns where it ended.
 */

export const NUMBER_BYTES_MAX = 32;

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
const TWO_32 = 4294967296;
const GROUP = 1e8;
/**
 * Decimals tried before a double is left to the runtime's shortest form, and the integers that are exact as doubles
 * with as many digits as any decimal text keeps.
 */
const DECIMALS_MAX = 6;
const FIFTEEN_DIGITS = 1e15;
/** From here on doubles are written with an exponent. */
const EXPONENT_FROM = 1e21;

const doubles = new Float64Array(1);
const doubleBytes = new Uint8Array(doubles.buffer);

/** 0 to 4294967295. */
export function writeUint32(out: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let bound = 10; digits < 10 && value >= bound; bound *= 10) digits++;
  let rest = value;
  for (let index = at + digits - 1; index >= at; index--) {
    const quotient = Math.floor(rest / 10);
    out[index] = ZERO + (rest - quotient * 10);
    rest = quotient;
  }
  return at + digits;
}

export function writeInt32(out: Uint8Array, at: number, value: number): number {
  if (value >= 0) return writeUint32(out, at, value);
  out[at] = MINUS;
  return writeUint32(out, at + 1, -value);
}

/** An integer of at most 2^53 either way. */
function writeInteger(out: Uint8Array, at: number, value: number): number {
  if (value < 0) {
    out[at] = MINUS;
    return writeInteger(out, at + 1, -value);
  }
  if (value < TWO_32) return writeUint32(out, at, value);
  const upper = Math.floor(value / GROUP);
  return writeDigits(out, writeInteger(out, at, upper), value - upper * GROUP, 8);
}

/** Exactly so many digits, with zeros before. */
function writeDigits(out: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value;
  for (let index = at + digits - 1; index >= at; index--) {
    const quotient = Math.floor(rest / 10);
    out[index] = ZERO + (rest - quotient * 10);
    rest = quotient;
  }
  return at + digits;
}

/** A 64-bit integer, little-endian, as BSON has it. */
export function writeInt64(out: Uint8Array, at: number, bytes: Buffer, from: number): number {
  const low = bytes.readUInt32LE(from);
  const high = bytes.readInt32LE(from + 4);
  const value = high * TWO_32 + low;
  if (high >= -0x200000 && high < 0x200000) return writeInteger(out, at, value);
  return writeAscii(out, at, bytes.readBigInt64LE(from).toString());
}

/**
 * A double in the form of canonical Extended JSON: the shortest digits that read back as the same double, whole numbers
 * with `.0`. Every NaN is `NaN`: text has no place for its sign and payload.
 */
export function writeDouble(out: Uint8Array, at: number, bytes: Uint8Array, from: number): number {
  for (let index = 0; index < 8; index++) doubleBytes[index] = bytes[from + index] as number;
  const value = doubles[0] as number;
  if (value < 0 || (value === 0 && 1 / value < 0)) {
    out[at] = MINUS;
    return writePositiveDouble(out, at + 1, -value);
  }
  return writePositiveDouble(out, at, value);
}

function writePositiveDouble(out: Uint8Array, at: number, value: number): number {
  if (value < FIFTEEN_DIGITS) {
    const end = writeShortDecimal(out, at, value);
    if (end > 0) return end;
  }
  const whole = Number.isInteger(value) && value < EXPONENT_FROM;
  return writeAscii(out, at, whole ? value.toFixed(1) : String(value));
}

/**
 * Writes value when it has at most 15 digits, few of them behind the point; else returns 0. Exact: m / 10^d, both exact
 * as doubles, is the double nearest to that decimal, and no two decimals of at most 15 digits have the same nearest
 * double. So where it equals the value, m and d with the smallest d are its shortest form.
 */
function writeShortDecimal(out: Uint8Array, at: number, value: number): number {
  let scale = 1;
  for (let decimals = 0; decimals <= DECIMALS_MAX; decimals++, scale *= 10) {
    const digits = Math.round(value * scale);
    if (digits >= FIFTEEN_DIGITS) return 0;
    if (digits / scale !== value) continue;
    const whole = Math.floor(digits / scale);
    const end = writeInteger(out, at, whole);
    out[end] = POINT;
    return decimals === 0
      ? writeDigits(out, end + 1, 0, 1)
      : writeDigits(out, end + 1, digits - whole * scale, decimals);
  }
  return 0;
}
