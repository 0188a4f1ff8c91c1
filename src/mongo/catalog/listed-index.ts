import { readDecimal128 } from '../../bson/decimal128.ts';
import { documentOf, type Field, fieldsOf } from '../../bson/raw-bson.ts';

/** The order of the fields in an answer of `listIndexes` (the server's `create_indexes.idl`, 6.0). */
const ORDER = [
  'v',
  'key',
  'name',
  'ns',
  'background',
  'unique',
  'hidden',
  'partialFilterExpression',
  'sparse',
  'expireAfterSeconds',
  'storageEngine',
  'weights',
  'default_language',
  'language_override',
  'textIndexVersion',
  '2dsphereIndexVersion',
  'bits',
  'min',
  'max',
  'bucketSize',
  'collation',
  'wildcardProjection',
  'prepareUnique',
  'originalSpec',
];
const PLACES = new Map(ORDER.map((name, place) => [name, place]));
const FLAGS = new Set(['background', 'unique', 'hidden', 'sparse', 'prepareUnique']);
/** Bounds of a flat geospatial index. */
const DOUBLES = new Set(['min', 'max']);
/** As servers from 6.0 on take an `expireAfterSeconds` that is no number: nothing expires. */
const NEVER = 2_147_483_647;

/**
 * A specification of the server's catalog as `listIndexes` says it: fields in its order, flags as booleans, bounds as
 * doubles, whole seconds as an int32. A fraction of `expireAfterSeconds` is kept, where `listIndexes` cuts it off. What
 * is no number of seconds becomes what a server of 6.0 makes of it, because 5.0 takes it for 0 and deletes everything.
 * Pure.
 */
export function listedIndex(spec: Buffer): Buffer {
  const place = ({ name }: Field) => PLACES.get(name) ?? ORDER.length;
  return documentOf(
    fieldsOf(spec, 0)
      .map(listedField)
      .toSorted((a, b) => place(a) - place(b)),
  );
}

function listedField(field: Field): Field {
  if (FLAGS.has(field.name) && field.type !== 0x08)
    return { ...field, type: 0x08, value: Buffer.from([numberOf(field) === 0 ? 0 : 1]) };
  if (DOUBLES.has(field.name)) return { ...field, type: 0x01, value: doubleOf(numberOf(field)) };
  if (field.name !== 'expireAfterSeconds') return field;
  const seconds = numberOf(field);
  if (!Number.isFinite(seconds) || seconds > NEVER) return wholeSeconds(field.name, NEVER);
  return Number.isInteger(seconds) && seconds >= 0 ? wholeSeconds(field.name, seconds) : field;
}

function wholeSeconds(name: string, seconds: number): Field {
  const value = Buffer.alloc(4);
  value.writeInt32LE(seconds);
  return { name, type: 0x10, value };
}

function doubleOf(number: number): Buffer {
  const value = Buffer.alloc(8);
  value.writeDoubleLE(number);
  return value;
}

/** NaN of what is no number. */
function numberOf({ type, value }: Field): number {
  if (type === 0x10) return value.readInt32LE(0);
  if (type === 0x01) return value.readDoubleLE(0);
  if (type === 0x12) return Number(value.readBigInt64LE(0));
  if (type !== 0x13) return Number.NaN;
  const { kind, negative, coefficient, exponent } = readDecimal128(value, 0);
  if (kind !== 'finite') return Number.NaN;
  return Number(`${negative ? '-' : ''}${coefficient}e${exponent}`);
}
