import {
  documentOf,
  type ElementAt,
  type Field,
  findId,
  forEachDocument,
  forEachElement,
  MalformedBson,
} from './raw-bson.ts';

/** The end of a field's name and eight zero bytes: what every field that holds Timestamp(0, 0) ends in. */
const TRACE = Buffer.alloc(9);
const ZERO = Buffer.alloc(8);

/**
 * An insert or a replacement puts the current time in the place of a Timestamp(0, 0) among the fields of a document
 * (not in its `_id`, not deeper), also when it is replayed. A document that holds one, which `$set` and pipelines can
 * make, is therefore mended by an update that names the field, which leaves it alone. Returns that update's `o`, or
 * null where none is needed: a diff, or the older form with `$set` where `diffs` are not taken, which has no words for
 * a field with a dot or a dollar sign in its name (MalformedBson).
 */
export function zeroTimestampUpdate(
  buffer: Buffer,
  document: Pick<ElementAt, 'start' | 'end'>,
  { diffs }: { diffs: boolean },
): Buffer | null {
  const suspect = nextSuspect(buffer, document.start, document.end);
  if (suspect < 0) return null;
  const fields: Field[] = [];
  forEachElement(buffer, document.start, (name, { type, start, end }) => {
    if (type === 0x11 && name !== '_id' && buffer.subarray(start, end).equals(ZERO))
      fields.push({ name, type, value: ZERO });
    return true;
  });
  if (fields.length === 0) return null;
  if (!diffs) return setting(fields);
  return documentOf([
    { name: '$v', type: 0x10, value: int32(2) },
    { name: 'diff', type: 0x03, value: documentOf([{ name: 'u', type: 0x03, value: documentOf(fields) }]) },
  ]);
}

function setting(fields: readonly Field[]): Buffer {
  const unnamed = fields.find(({ name }) => name === '' || /[.$]/.test(name));
  if (unnamed !== undefined)
    throw new MalformedBson(
      `a Timestamp(0, 0) in the field ${JSON.stringify(unnamed.name)}, which no update of feature compatibility version 4.4 can name`,
    );
  return documentOf([
    { name: '$v', type: 0x10, value: int32(1) },
    { name: '$set', type: 0x03, value: documentOf(fields) },
  ]);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/**
 * For each of the documents that lie one after another and need it: the update and the document that names which one
 * (`{_id}`).
 */
export function zeroTimestampUpdates(documents: Buffer, form: { diffs: boolean }): { o: Buffer; o2: Buffer }[] {
  let suspect = nextSuspect(documents, 0, documents.length);
  if (suspect < 0) return [];
  const found: { o: Buffer; o2: Buffer }[] = [];
  forEachDocument(documents, (offset, length) => {
    const end = offset + length;
    if (suspect < 0 || suspect >= end) return;
    const o = zeroTimestampUpdate(documents, { start: offset, end }, form);
    const id = o === null ? null : findId(documents, offset);
    if (o !== null && id !== null) found.push({ o, o2: idDocument(documents, id) });
    suspect = nextSuspect(documents, end, documents.length);
  });
  return found;
}

/**
 * The next place that could be the end of the name of a field with a zero timestamp, or -1: eight zeros after the
 * name's own, and the type's number somewhere between the zero before and that. Zeros are frequent in documents
 * (numbers, lengths), the type's number before them is not; every byte is looked at once or twice, whatever the
 * documents hold.
 */
function nextSuspect(buffer: Buffer, start: number, end: number): number {
  for (let at = start; ; ) {
    const trace = buffer.subarray(at, end).indexOf(TRACE);
    if (trace < 0) return -1;
    const zero = at + trace;
    for (let before = zero - 1; before >= start && buffer[before] !== 0; before--) {
      if (buffer[before] === 0x11) return zero;
    }
    // The zero that ends a name follows a byte that is none: of a row of zeros only the first can be it.
    at = zero + TRACE.length;
    while (at < end && buffer[at] === 0) at++;
  }
}

/** `{_id}` of an id element. */
export function idDocument(buffer: Buffer, id: ElementAt): Buffer {
  return documentOf([{ name: '_id', type: id.type, value: buffer.subarray(id.start, id.end) }]);
}
