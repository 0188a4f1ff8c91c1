import { Decimal128 } from 'bson';
import type { ElementAt } from '../bson/raw-bson.ts';
import { murmur3 } from '../lib/murmur.ts';

const number = Buffer.alloc(8);

/**
 * The lane, below `lanes`, of the writes to the document with this id: two ids that a server without a collation holds
 * equal have the same lane, so that one document's writes stay in order however many lanes run side by side. Equal are:
 * numbers of one value whatever their type; a string and a symbol; of documents and arrays those whose elements are
 * equal, wherefore all of them share one lane, as do the types that no one uses for ids.
 */
export function laneOfId(buffer: Buffer, id: ElementAt, seed: number, lanes: number): number {
  switch (id.type) {
    case 0x01:
      return laneOfNumber(buffer.readDoubleLE(id.start), seed, lanes);
    case 0x10:
      return laneOfNumber(buffer.readInt32LE(id.start), seed, lanes);
    case 0x12:
      return laneOfNumber(Number(buffer.readBigInt64LE(id.start)), seed, lanes);
    case 0x13:
      return laneOfNumber(Number(new Decimal128(buffer.subarray(id.start, id.end)).toString()), seed, lanes);
    case 0x02:
    case 0x0e:
      return murmur3(buffer, 0x02, id.start, id.end, seed) % lanes;
    case 0x05:
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x11:
      return murmur3(buffer, id.type, id.start, id.end, seed) % lanes;
    default:
      return seed % lanes;
  }
}

/** By the nearest double: equal numbers have the same one. Adding zero turns -0 into 0. */
function laneOfNumber(value: number, seed: number, lanes: number): number {
  number.writeDoubleLE(Number.isNaN(value) ? Number.NaN : value + 0);
  return murmur3(number, 0x01, 0, 8, seed) % lanes;
}
