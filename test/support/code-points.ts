import fc from 'fast-check';

const SURROGATES_BEGIN = 0xd800;
const SURROGATES = 0x800;

/**
 * Every code point but the halves of pairs: what `fc.string({ unit: 'binary' })` is made of, which for its part begins
 * with a table of all of them (a second of the suite in every process).
 */
export const codePoint: fc.Arbitrary<string> = fc.nat(0x10_ffff - SURROGATES).map(
  (place) => String.fromCodePoint(place < SURROGATES_BEGIN ? place : place + SURROGATES),
  (value) => {
    const point = typeof value === 'string' ? value.codePointAt(0) : undefined;
    if (point === undefined || value !== String.fromCodePoint(point)) throw new Error('not one code point');
    if (point < SURROGATES_BEGIN) return point;
    if (point < SURROGATES_BEGIN + SURROGATES) throw new Error('half of a pair');
    return point - SURROGATES;
  },
);
