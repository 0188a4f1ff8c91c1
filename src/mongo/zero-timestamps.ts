import { documentOf, type ElementAt, findId, forEachDocument, forEachElement } from '../lib/raw-bson.ts';

/** The end of a field's name and eight zero bytes: what every field that holds Timestamp(0, 0) ends in. */
const TRACE = Buffer.alloc(9);
const ZERO = Buffer.alloc(8);

/**
 * An insert or a replacement puts the current time in the place of a Timestamp(0, 0) among the fields of a document (not in its `_id`, not deeper), also when it is replayed. A document that holds one, which
 * `$set` and pipelines can make, is therefore mended by an update that names the field, which leaves it alone. Returns that update's `o`, or null where none is needed.
 */
export function zeroTimestampUpdate(buffer: Buffer, document: Pick<ElementAt, 'start' | 'end'>): Buffer | null {
  const trace = buffer.indexOf(TRACE, document.start);
  if (trace < 0 || trace >= document.end) return null;
  const fields: { name: string; type: number; value: Buffer }[] = [];
  forEachElement(buffer, document.start, (name, { type, start, end }) => {
    if (type === 0x11 && name !== '_id' && buffer.subarray(start, end).equals(ZERO))
      fields.push({ name, type, value: ZERO });
    return true;
  });
  if (fields.length === 0) return null;
  const version = Buffer.alloc(4);
  version.writeInt32LE(2);
  return documentOf([
    { name: '$v', type: 0x10, value: version },
    { name: 'diff', type: 0x03, value: documentOf([{ name: 'u', type: 0x03, value: documentOf(fields) }]) },
  ]);
}

/** For each of the documents that lie one after another and need it: the update and the document that names which one (`{_id}`). */
export function zeroTimestampUpdates(documents: Buffer): { o: Buffer; o2: Buffer }[] {
  if (documents.indexOf(TRACE) < 0) return [];
  const found: { o: Buffer; o2: Buffer }[] = [];
  forEachDocument(documents, (offset, length) => {
    const o = zeroTimestampUpdate(documents, { start: offset, end: offset + length });
    const id = o === null ? null : findId(documents, offset);
    if (o !== null && id !== null) found.push({ o, o2: idDocument(documents, id) });
  });
  return found;
}

/** `{_id}` of an id element. */
export function idDocument(buffer: Buffer, id: ElementAt): Buffer {
  return documentOf([{ name: '_id', type: id.type, value: buffer.subarray(id.start, id.end) }]);
}
