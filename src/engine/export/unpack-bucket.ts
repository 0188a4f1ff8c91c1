import {
  bsonType,
  documentLength,
  type ElementAt,
  findElement,
  MalformedBson,
  valueLength,
} from '../../bson/raw-bson.ts';
import { decodeColumn, documentOfParts } from './bson-column.ts';
import type { ColumnValue } from './column-stream.ts';

/** Which fields of a time series' measurements are its time and its meta data. Names as bytes, with the NUL. */
export interface SeriesFields {
  time: Buffer;
  meta: Buffer | null;
}

/** Of a time series' `listCollections` entry. */
export function seriesFieldsOf(info: Buffer): SeriesFields {
  const options = requireElement(info, 0, 'options');
  const series = requireElement(info, options.start, 'timeseries');
  const time = requireElement(info, series.start, 'timeField');
  const meta = findElement(info, series.start, 'metaField');
  const nameOf = (element: ElementAt): Buffer => Buffer.from(info.subarray(element.start + 4, element.end));
  return { time: nameOf(time), meta: meta === null ? null : nameOf(meta) };
}

interface Column {
  /** The field's name with its NUL. */
  name: Buffer;
  /** By row; null where a measurement has no such field. */
  values: readonly (ColumnValue | null)[];
}

/**
 * The measurements of one document of `system.buckets`, one after another, as a find on the time series gives them:
 * time first, then the meta data, then the other fields in the bucket's order. Pure. Buckets of version 1 keep a
 * field's values under their row's number; those of versions 2 and 3 keep BSON columns.
 */
export function unpackBucket(bucket: Buffer, { time, meta }: SeriesFields): Buffer {
  const control = requireElement(bucket, 0, 'control');
  const version = requireElement(bucket, control.start, 'version');
  const data = requireElement(bucket, 0, 'data');
  const form = bucket.readInt32LE(version.start);
  if (version.type !== 0x10 || form < 1 || form > 3) throw new MalformedBson(`a bucket of the unknown version ${form}`);
  const plain = form === 1;
  const columns = plain ? plainColumns(bucket, data, time) : packedColumns(bucket, data);
  const times = columns.find(({ name }) => name.equals(time));
  if (times === undefined) throw new MalformedBson('a bucket has no times');
  const others = columns.filter((column) => column !== times);
  const metaElement = findElement(bucket, 0, 'meta');
  const metaParts =
    meta === null || metaElement === null
      ? []
      : [Buffer.from([metaElement.type]), meta, bucket.subarray(metaElement.start, metaElement.end)];
  const measurements = times.values.map((at, row) => {
    if (at === null) throw new MalformedBson(`measurement ${row} of a bucket has no time`);
    return documentOfParts([
      ...partsOf(time, at),
      ...metaParts,
      ...others.flatMap(({ name, values }) => partsOf(name, values[row] ?? null)),
    ]);
  });
  return Buffer.concat(measurements);
}

function partsOf(name: Buffer, found: ColumnValue | null): Buffer[] {
  return found === null ? [] : [Buffer.from([found.type]), name, found.value];
}

function packedColumns(bucket: Buffer, data: ElementAt): Column[] {
  const columns: Column[] = [];
  forEachRaw(bucket, data.start, (name, { type, start, end }) => {
    if (type !== bsonType.binary || bucket[start + 4] !== 7)
      throw new MalformedBson('a field of a bucket is no column');
    columns.push({ name, values: decodeColumn(bucket.subarray(start + 5, end)) });
  });
  return columns;
}

function plainColumns(bucket: Buffer, data: ElementAt, time: Buffer): Column[] {
  const fields: { name: Buffer; rows: Map<string, ColumnValue> }[] = [];
  forEachRaw(bucket, data.start, (name, element) => {
    const rows = new Map<string, ColumnValue>();
    forEachRaw(bucket, element.start, (row, { type, start, end }) => {
      rows.set(row.toString('latin1'), { type, value: bucket.subarray(start, end) });
    });
    fields.push({ name, rows });
  });
  const rows = [...(fields.find(({ name }) => name.equals(time))?.rows.keys() ?? [])];
  return fields.map((field) => ({ name: field.name, values: rows.map((row) => field.rows.get(row) ?? null) }));
}

/** The elements of a document with their names as bytes, NUL included. */
function forEachRaw(buffer: Buffer, offset: number, visit: (name: Buffer, element: ElementAt) => void): void {
  const limit = offset + documentLength(buffer, offset) - 1;
  for (let at = offset + 4; at < limit; ) {
    const type = buffer[at] as number;
    const start = buffer.indexOf(0, at + 1) + 1;
    if (start === 0 || start > limit) throw new MalformedBson(`name at byte ${at + 1} has no end`);
    const end = start + valueLength(buffer, type, start, limit);
    visit(buffer.subarray(at + 1, start), { type, start, end });
    at = end;
  }
}

function requireElement(buffer: Buffer, offset: number, name: string): ElementAt {
  const found = findElement(buffer, offset, name);
  if (found === null) throw new MalformedBson(`a bucket or its time series has no ${name}`);
  return found;
}
