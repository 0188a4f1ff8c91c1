import { bsonType, documentLength, fieldsOf } from '../../bson/raw-bson.ts';

/**
 * What a reader of Extended JSON takes for something else than was written. The format has no escape: a document inside
 * another whose first name is that of a wrapper is read as the wrapped value, or not at all, with all the text around
 * it. Readers differ in what they do with such a name further back; a first one none of them passes over. The rule is
 * that of the parser that mongorestore and mongoimport have from the Go driver (2.x, `extjson_parser.go`), for which
 * the outermost document is a document whatever its names are.
 */
const WRAPPERS = new Set([
  '$binary',
  '$code',
  '$date',
  '$dbPointer',
  '$maxKey',
  '$minKey',
  '$numberDecimal',
  '$numberDouble',
  '$numberInt',
  '$numberLong',
  '$oid',
  '$regularExpression',
  '$scope',
  '$symbol',
  '$timestamp',
  '$undefined',
  '$uuid',
]);

/** Of the raw document at `offset`, which is not the outermost. */
export function isMisread(bytes: Buffer, offset: number): boolean {
  const limit = offset + documentLength(bytes, offset) - 1;
  const from = offset + 5;
  const end = bytes.indexOf(0, from);
  return end >= 0 && end < limit && WRAPPERS.has(bytes.toString('latin1', from, end));
}

const CODE_WITH_SCOPE = 0x0f;

/**
 * Where in a document, itself not the outermost, the first one stands that would be misread: names with dots between,
 * empty for the document itself. Null where there is none.
 */
export function findMisread(document: Buffer): string | null {
  return isMisread(document, 0) ? '' : misreadWithin(document);
}

function misreadWithin(document: Buffer): string | null {
  for (const { name, type, value } of fieldsOf(document, 0)) {
    const inner = innerOf(type, value);
    if (inner === null) continue;
    const found = type === bsonType.array ? misreadWithin(inner) : findMisread(inner);
    if (found !== null) return found === '' ? name : `${name}.${found}`;
  }
  return null;
}

function innerOf(type: number, value: Buffer): Buffer | null {
  if (type === bsonType.document || type === bsonType.array) return value;
  return type === CODE_WITH_SCOPE ? value.subarray(8 + value.readInt32LE(4)) : null;
}
