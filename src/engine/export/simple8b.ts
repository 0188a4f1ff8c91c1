import { MalformedBson } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';

/**
 * Simple-8b words as BSON columns hold them: up to 60 unsigned integers in 64 bits, little-endian. Pure.
 *
 * The low 4 bits select how many bits a value has. Selectors 7 and 8 leave 4 bits over, which select a second form
 * where they are not 0: values with a count of the zeros behind them, so that large round numbers stay short. Selector
 * 15 repeats the value before it. A slot of ones alone is no value: it is skipped.
 */

const VALUE_BITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 60];
const REPEAT = 15;
const REPEAT_UNIT = 120;

interface ZeroForm {
  valueBits: number;
  countBits: number;
  /** Zeros that one in the count stands for. */
  unit: number;
}

const form =
  (countBits: number, unit: number) =>
  (valueBits: number): ZeroForm => ({ valueBits, countBits, unit });
const ZERO_FORMS: Readonly<Record<number, readonly ZeroForm[]>> = {
  7: [2, 3, 4, 5, 7, 10, 14, 24, 52].map(form(4, 1)),
  8: [...[4, 5, 7, 10, 14, 24, 52].map(form(4, 4)), ...[4, 6, 9, 13, 23, 51].map(form(5, 4))],
};

/** The values of so many words; null where one is skipped. `before` is the last value of the words before these. */
export function decodeSimple8b(bytes: Buffer, from: number, words: number, before: bigint | null): (bigint | null)[] {
  assert(words >= 1 && words <= 16, 'a control byte announces one to sixteen words');
  const values: (bigint | null)[] = [];
  for (let word = 0; word < words; word++) {
    decodeWord(bytes.readBigUInt64LE(from + word * 8), values, before);
  }
  return values;
}

function decodeWord(word: bigint, values: (bigint | null)[], before: bigint | null): void {
  const selector = Number(word & 15n);
  const second = Number((word >> 4n) & 15n);
  if (selector === REPEAT) {
    const last = values.length > 0 ? (values.at(-1) as bigint | null) : before;
    for (let count = (second + 1) * REPEAT_UNIT; count > 0; count--) values.push(last);
    return;
  }
  const forms = ZERO_FORMS[selector];
  if (forms !== undefined && second > 0) {
    const zeros = forms[second - 1];
    if (zeros === undefined) throw new MalformedBson(`a column has a word of the unknown form ${selector}, ${second}`);
    decodeWithZeros(word >> 8n, zeros, values);
    return;
  }
  const bits = VALUE_BITS[selector] as number;
  if (bits === 0) throw new MalformedBson('a column has an empty word');
  const shift = forms === undefined ? 4 : 8;
  const mask = (1n << BigInt(bits)) - 1n;
  let rest = word >> BigInt(shift);
  for (let count = Math.floor((64 - shift) / bits); count > 0; count--, rest >>= BigInt(bits)) {
    const slot = rest & mask;
    values.push(slot === mask ? null : slot);
  }
}

function decodeWithZeros(slots: bigint, { valueBits, countBits, unit }: ZeroForm, values: (bigint | null)[]): void {
  const bits = valueBits + countBits;
  const mask = (1n << BigInt(bits)) - 1n;
  const countMask = (1n << BigInt(countBits)) - 1n;
  let rest = slots;
  for (let count = Math.floor(56 / bits); count > 0; count--, rest >>= BigInt(bits)) {
    const slot = rest & mask;
    values.push(slot === mask ? null : (slot >> BigInt(countBits)) << ((slot & countMask) * BigInt(unit)));
  }
}
