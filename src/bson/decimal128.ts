/** IEEE 754-2008 decimal128 in the binary encoding of its coefficient, as BSON has it (little-endian). Pure. */

const EXPONENT_BIAS = 6176;
const COEFFICIENT_MAX = 10n ** 34n - 1n;

export interface Decimal128Parts {
  kind: 'finite' | 'infinity' | 'nan';
  negative: boolean;
  /** Of a finite number: it is coefficient times ten to the exponent. */
  coefficient: bigint;
  exponent: number;
}

export function readDecimal128(bytes: Buffer, from: number): Decimal128Parts {
  const high = bytes.readBigUInt64LE(from + 8);
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 31n);
  if (combination === 31) return { kind: 'nan', negative, coefficient: 0n, exponent: 0 };
  if (combination === 30) return { kind: 'infinity', negative, coefficient: 0n, exponent: 0 };
  // With these two bits set the coefficient has more than 34 digits: not a number of this format, which the standard
  // reads as zero.
  const large = combination >> 3 === 3;
  const exponent = Number((high >> (large ? 47n : 49n)) & 0x3fffn) - EXPONENT_BIAS;
  const coefficient = large ? 0n : ((high & 0x1ffffffffffffn) << 64n) | bytes.readBigUInt64LE(from);
  return { kind: 'finite', negative, coefficient: coefficient > COEFFICIENT_MAX ? 0n : coefficient, exponent };
}
