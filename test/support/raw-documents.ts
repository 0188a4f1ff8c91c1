import { documentLength, documentOf, findId, idBytes } from '../../src/bson/raw-bson.ts';

/** Small raw documents for tests that never meet a server. An id element is its type byte, then its value. */

export function int32Id(n: number): Buffer {
  const id = Buffer.alloc(5, 0x10);
  id.writeInt32LE(n, 1);
  return id;
}

/** `{_id, v: Binary(content)}`, or with the id last. */
export function documentWith(id: Uint8Array, content: Uint8Array, idLast = false): Buffer {
  const length = Buffer.alloc(5);
  length.writeInt32LE(content.length);
  const elements = [
    { name: '_id', type: id[0] as number, value: id.subarray(1) },
    { name: 'v', type: 0x05, value: Buffer.concat([length, content]) },
  ];
  return documentOf(idLast ? elements.toReversed() : elements);
}

/** The documents of a buffer, each as [id element, document], both in hex. */
export function documentsIn(buffer: Buffer): [string, string][] {
  const documents: [string, string][] = [];
  for (let at = 0; at < buffer.length; ) {
    const length = documentLength(buffer, at);
    const id = findId(buffer, at);
    documents.push([id === null ? '' : idBytes(buffer, id).toString('hex'), buffer.toString('hex', at, at + length)]);
    at += length;
  }
  return documents;
}

/**
 * Id elements of every BSON type that may be an `_id`, and a few that may not; some numbers are equal in value and
 * differ in type.
 */
export function idsOfEveryType(): Buffer[] {
  const value = (type: number, hex: string): Buffer => Buffer.from(type.toString(16).padStart(2, '0') + hex, 'hex');
  const nested = documentOf([
    { name: 'a', type: 0x10, value: Buffer.from('01000000', 'hex') },
    { name: 'b', type: 0x02, value: Buffer.from('0200000078' + '00', 'hex') },
  ]).toString('hex');
  const empty = '0500000000';
  return [
    value(0x01, '000000000000f03f'), // 1.0
    value(0x10, '01000000'), // int 1
    value(0x12, '0100000000000000'), // long 1
    value(0x13, '0100000000000000000000000000403030'.slice(0, 32)), // decimal
    value(0x01, '0000000000000080'), // -0.0
    value(0x01, '0000000000000000'), // 0.0
    value(0x01, '000000000000f87f'), // NaN
    value(0x02, '0100000000'), // ''
    value(0x02, '020000006100'), // 'a'
    value(0x0e, '020000006100'), // symbol a
    value(0x03, nested),
    value(0x03, empty),
    value(0x04, empty),
    value(0x05, '00000000' + '00'), // empty binary
    value(0x05, '10000000' + '04' + '000102030405060708090a0b0c0d0e0f'), // uuid
    value(0x06, ''), // undefined
    value(0x07, '65f0aabbccddeeff00112233'),
    value(0x08, '00'),
    value(0x08, '01'),
    value(0x09, '0000000000000000'),
    value(0x0a, ''), // null
    value(0x0b, '6100' + '6900'), // regular expression
    value(0x0d, '020000006100'), // code
    value(0x11, '0100000002000000'), // timestamp
    value(0xff, ''), // min key
    value(0x7f, ''), // max key
  ];
}
