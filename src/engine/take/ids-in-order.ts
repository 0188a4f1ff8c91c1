import { compareValues, kindOfType, type ValueAt } from '../../bson/bson-order.ts';
import { findElement } from '../../bson/raw-bson.ts';
import { assert } from '../../lib/assert.ts';
import type { ByteSet } from '../../lib/byte-set.ts';

/**
 * A collection whose documents lie in the order of their ids: clustered ones and the buckets of time series. Servers up
 * to 6.0.5 answer `$in` on their `_id` by going through all of it, unless bounds are said beside
 * (findings/mongod-clustered-in-without-bounds.sh); so their ids are read in order, run by run, each between its
 * bounds: together the reads go through the collection once at most, and through less where what was touched lies
 * close together. Pure.
 */
export function isClustered({ name, info }: { name: string; info: Buffer }): boolean {
  if (name.startsWith('system.buckets.')) return true;
  const options = findElement(info, 0, 'options');
  return options !== null && findElement(info, options.start, 'clusteredIndex') !== null;
}

/** The places of the ids in the order in which a server without a collation has them. */
export function placesInOrder(ids: ByteSet): Uint32Array {
  const values = Array.from({ length: ids.size }, (_, place) => valueAt(ids.at(place)));
  const places = Uint32Array.from({ length: ids.size }, (_, place) => place);
  return places.sort((a, b) => compareValues(values[a] as ValueAt, values[b] as ValueAt));
}

/** Numbers but Decimal128, binary data, ObjectIds, booleans, dates, timestamps: no collation changes their order. */
const BOUNDED_TYPES = new Set([0x01, 0x10, 0x12, 0x05, 0x07, 0x08, 0x09, 0x11]);

/**
 * Between which ids those that are wanted lie, least and greatest, where the server surely finds all of them there: a
 * range holds one kind of type only, a collation has an order of its own, and nothing is above or below NaN. Null where
 * that is not sure; then all of the collection may be gone through.
 */
export function boundsOf(wantedInOrder: readonly Buffer[]): { least: Buffer; greatest: Buffer } | null {
  const least = wantedInOrder[0];
  const greatest = wantedInOrder.at(-1);
  if (least === undefined || greatest === undefined) return null;
  assert(compareValues(valueAt(least), valueAt(greatest)) <= 0, 'the ids come in order');
  const kind = kindOfType(least[0] as number);
  for (const id of wantedInOrder) {
    const type = id[0] as number;
    if (!BOUNDED_TYPES.has(type) || kindOfType(type) !== kind) return null;
    if (type === 0x01 && Number.isNaN(id.readDoubleLE(1))) return null;
  }
  return { least, greatest };
}

function valueAt(id: Buffer): ValueAt {
  return { buffer: id, type: id[0] as number, start: 1, end: id.length };
}
