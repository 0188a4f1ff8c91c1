import { readDecimal128 } from '../../bson/decimal128.ts';

const PLAIN_FROM = -6;

/**
 * As text by the rules of the General Decimal Arithmetic specification, to-scientific-string: so every exponent and
 * every trailing zero is kept.
 */
export function decimal128Text(bytes: Buffer, from: number): string {
  const { kind, negative, coefficient, exponent } = readDecimal128(bytes, from);
  if (kind === 'nan') return 'NaN';
  const sign = negative ? '-' : '';
  return sign + (kind === 'infinity' ? 'Infinity' : scientificText(coefficient.toString(), exponent));
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
