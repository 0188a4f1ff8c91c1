import { documentOf, findElement, forEachElement } from '../../lib/raw-bson.ts';

/**
 * The indexes of a time series as its users know them. The server keeps them on the collection of buckets, in terms of the buckets' fields: `meta` for the meta field, and the least
 * and the greatest of the bucket for every other. Pure.
 */

interface Field {
  name: string;
  type: number;
  value: Buffer;
}

export interface SeriesFields {
  timeField: string;
  /** Null where the series has none. */
  metaField: string | null;
}

/** From the raw `listCollections` entry of the series. */
export function seriesFields(info: Buffer): SeriesFields {
  const options = findElement(info, 0, 'options');
  const series = options === null ? null : findElement(info, options.start, 'timeseries');
  const text = (name: string): string | null => {
    const field = series === null ? null : findElement(info, series.start, name);
    return field === null ? null : info.toString('utf8', field.start + 4, field.end - 1);
  };
  return { timeField: text('timeField') ?? '', metaField: text('metaField') };
}

/** The raw specification of the series' index from that of its buckets. */
export function seriesIndex(index: Buffer, series: SeriesFields): Buffer {
  // Kept by the server where the way back cannot be found from the buckets' index alone.
  const original = findElement(index, 0, 'originalSpec');
  if (original !== null) return index.subarray(original.start, original.end);
  const fields: Field[] = [];
  forEachElement(index, 0, (name, { type, start, end }) => {
    const value = name === 'key' ? documentOf(seriesKey(index, start, series)) : index.subarray(start, end);
    fields.push({ name, type, value });
    return true;
  });
  return documentOf(fields);
}

function seriesKey(index: Buffer, offset: number, { metaField }: SeriesFields): Field[] {
  const found: Field[] = [];
  const named = new Set<string>();
  forEachElement(index, offset, (name, { type, start, end }) => {
    const known = userName(name, metaField);
    // The least and the greatest of one field are two fields of the buckets' index.
    if (named.has(known)) return true;
    named.add(known);
    found.push({ name: known, type, value: index.subarray(start, end) });
    return true;
  });
  return found;
}

function userName(name: string, metaField: string | null): string {
  if (metaField !== null && (name === 'meta' || name.startsWith('meta.'))) return metaField + name.slice('meta'.length);
  return name.replace(/^control\.(?:min|max)\./, '').replace(/^data\./, '');
}
