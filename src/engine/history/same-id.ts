import type { ElementAt } from '../../bson/raw-bson.ts';

/** Tells whether an id in a buffer is the one asked for. */
export type IdMatcher = (buffer: Buffer, id: ElementAt) => boolean;

/**
 * Matches an id element (type byte, then value) as a server without a collation does: int32, int64 and double of one
 * value are equal, everything else by its bytes.
 */
export function matcherOf(wanted: Buffer): IdMatcher {
  const type = wanted[0] as number;
  const value = wanted.subarray(1);
  const number = numberAt(wanted, { type, start: 1, end: wanted.length });
  return (buffer, id) => {
    if (id.type === type && id.end - id.start === value.length && value.compare(buffer, id.start, id.end) === 0)
      return true;
    return number !== null && number === numberAt(buffer, id);
  };
}

/** A text that equal numbers share and others do not; null for what is no number. */
function numberAt(buffer: Buffer, { type, start }: ElementAt): string | null {
  switch (type) {
    case 0x10:
      return String(buffer.readInt32LE(start));
    case 0x12:
      return String(buffer.readBigInt64LE(start));
    case 0x01: {
      const double = buffer.readDoubleLE(start);
      return Number.isInteger(double) ? String(BigInt(double)) : String(double);
    }
    default:
      return null;
  }
}
