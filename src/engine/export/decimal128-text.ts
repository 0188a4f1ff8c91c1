/**
 * IEEE 754-2008 decimal128, in the binary encoding of its coefficient (as BSON has it, little-endian), as text by the rules of the General Decimal Arithmetic
 * specification: to-scientific-string. So every exponent and every trailing zero is kept.
 */

const EXPONENT_BIAS = 6176;
const COEFFICIENT_MAX = 10n ** 34n - 1n;
const PLAIN_FROM = -6;

export function decimal128Text(bytes: Buffer, from: number): string {
  const high = bytes.readBigUInt64LE(from + 8);
  const sign = high >> 63n === 1n ? '-' : '';
  const combination = Number((high >> 58n) & 31n);
  if (combination === 31) return 'NaN';
  if (combination === 30) return `${sign}Infinity`;
  // With these two bits set the coefficient has more than 34 digits: not a number of this format, which the standard reads as zero.
  const large = combination >> 3 === 3;
  const exponent = Number((high >> (large ? 47n : 49n)) & 0x3fffn) - EXPONENT_BIAS;
  const coefficient = large ? 0n : ((high & 0x1ffffffffffffn) << 64n) | bytes.readBigUInt64LE(from);
  return sign + scientificText((coefficient > COEFFICIENT_MAX ? 0n : coefficient).toString(), exponent);
}

/** Plain where the exponent is not positive and the number not too small, else with one digit before the point. */
function scientificText(digits: string, exponent: number): string {
  const adjusted = digits.length - 1 + exponent;
  if (exponent > 0 || adjusted < PLAIN_FROM) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${digits[0]}${fraction}E${adjusted > 0 ? '+' : ''}${adjusted}`;
  }
  if (exponent === 0) return digits;
  const padded = digits.padStart(1 - exponent, '0');
  return `${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}
