import {
  bsonType,
  documentLength,
  documentOf,
  type ElementAt,
  findElement,
  forEachElement,
} from '../../bson/raw-bson.ts';

const MIN = 'control.min.';
const MAX = 'control.max.';

/**
 * Indexes of a time series as its owner made them. The server keeps them on the buckets: of a field's least and
 * greatest value, of the meta data under its fixed name. Pure. Newer servers keep the owner's own words beside them. An
 * index of another kind is left out: it belongs to the buckets alone.
 */
export function seriesIndexes(bucketIndexes: readonly Buffer[], metaField: string | null): Buffer[] {
  return bucketIndexes.flatMap((index) => {
    const original = findElement(index, 0, 'originalSpec');
    if (original !== null && original.type === bsonType.document)
      return [index.subarray(original.start, original.start + documentLength(index, original.start))];
    const fields = fieldsOfKey(index, metaField);
    return fields === null ? [] : [withKey(index, fields)];
  });
}

interface KeyField {
  name: string;
  type: number;
  value: Buffer;
}

function fieldsOfKey(index: Buffer, metaField: string | null): KeyField[] | null {
  const key = findElement(index, 0, 'key');
  if (key === null) return null;
  const parts: KeyField[] = [];
  forEachElement(index, key.start, (name, { type, start, end }) => {
    parts.push({ name, type, value: index.subarray(start, end) });
    return undefined;
  });
  const fields: KeyField[] = [];
  for (let at = 0; at < parts.length; at++) {
    const part = parts[at] as KeyField;
    const next = parts[at + 1];
    if (metaField !== null && (part.name === 'meta' || part.name.startsWith('meta.'))) {
      fields.push({ ...part, name: metaField + part.name.slice('meta'.length) });
    } else if (next !== undefined && isRange(part.name, next.name)) {
      fields.push({ ...part, name: part.name.slice(MIN.length) });
      at++;
    } else return null;
  }
  return fields;
}

/** Ascending the least value stands first, descending the greatest. */
function isRange(first: string, second: string): boolean {
  const [a, b] = first.startsWith(MIN) ? [MIN, MAX] : [MAX, MIN];
  return first.startsWith(a) && second.startsWith(b) && first.slice(a.length) === second.slice(b.length);
}

function withKey(index: Buffer, fields: readonly KeyField[]): Buffer {
  const elements: KeyField[] = [];
  forEachElement(index, 0, (name, { type, start, end }: ElementAt) => {
    const value = name === 'key' ? documentOf(fields) : index.subarray(start, end);
    elements.push({ name, type, value });
    return undefined;
  });
  return documentOf(elements);
}
