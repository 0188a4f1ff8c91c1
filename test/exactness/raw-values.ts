import { BSON, type Document } from 'mongodb';
import { documentOf } from '../../src/bson/raw-bson.ts';
import type { SeededRandom } from '../support/seeded-random.ts';

/** A BSON element without its name. */
export interface RawValue {
  type: number;
  value: Buffer;
}

export interface RawElement extends RawValue {
  name: string;
}

export function raw(document: Document): Buffer {
  return Buffer.from(BSON.serialize(document, { ignoreUndefined: false }));
}

/** The one value, encoded as the driver encodes it. */
export function rawValue(value: unknown): RawValue {
  const document = raw({ v: value });
  return { type: document[4] as number, value: document.subarray(7, document.length - 1) };
}

export function element(name: string, value: RawValue): RawElement {
  return { name, ...value };
}

export function documentElement(name: string, document: Buffer): RawElement {
  return { name, type: 0x03, value: document };
}

export function rawArray(values: readonly RawValue[]): RawValue {
  return { type: 0x04, value: documentOf(values.map((value, index) => element(String(index), value))) };
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** A BSON string of these bytes, whether they are UTF-8 or not. */
export function rawString(bytes: Buffer, type = 0x02): RawValue {
  const length = Buffer.alloc(4);
  length.writeInt32LE(bytes.length + 1);
  return { type, value: Buffer.concat([length, bytes, hex('00')]) };
}

function rawBinary(subtype: number, bytes: Buffer): RawValue {
  const head = Buffer.alloc(5);
  head.writeInt32LE(bytes.length);
  head[4] = subtype;
  return { type: 0x05, value: Buffer.concat([head, bytes]) };
}

/** Values that codecs like to change: each has been lost or rewritten by some tool. */
export const ODD_VALUES: readonly RawValue[] = [
  { type: 0x01, value: hex('0000000000000080') }, // -0.0
  { type: 0x01, value: hex('000000000000f87f') }, // NaN
  { type: 0x01, value: hex('010000000000f8ff') }, // NaN with sign and payload
  { type: 0x01, value: hex('000000000000f07f') }, // infinity
  { type: 0x06, value: hex('') }, // undefined
  { type: 0x0a, value: hex('') }, // null
  { type: 0xff, value: hex('') }, // min key
  { type: 0x7f, value: hex('') }, // max key
  { type: 0x11, value: hex('0000000000000000') }, // the timestamp that the server replaces, where it stands at the top
  { type: 0x11, value: hex('ffffffffffffffff') },
  { type: 0x09, value: hex('0000000000000080') }, // the earliest date
  { type: 0x0b, value: hex('5e61 00 6978 00') }, // a regular expression
  { type: 0x0b, value: hex('61 00 7869 00') }, // with its flags out of order
  { type: 0x0c, value: Buffer.concat([rawString(Buffer.from('app.orders')).value, Buffer.alloc(12, 7)]) }, // a pointer to a document
  rawString(Buffer.from('function () { return 1; }'), 0x0d), // code
  rawString(Buffer.from('symbol'), 0x0e),
  { type: 0x0f, value: hex('16000000 02000000 6100 0c000000 10 6100 07000000 00') }, // code with scope
  { type: 0x12, value: hex('0100000000000080') },
  { type: 0x13, value: hex('01000000000000000000000000003eb0') }, // a decimal, negative
  { type: 0x13, value: hex('0000000000000000000000000000007c') }, // decimal NaN
  { type: 0x13, value: hex('000000000000000000000000000040b0') }, // decimal -0
  { type: 0x08, value: hex('01') },
  rawString(Buffer.from('a\0b')),
  rawString(Buffer.from('')),
  rawString(hex('ff fe 80')), // no UTF-8
  rawString(hex('ed a0 80')), // half a surrogate pair
  rawBinary(0x00, Buffer.alloc(0)),
  rawBinary(0x02, hex('03000000 616263')), // the old binary, with its length twice
  rawBinary(0x03, Buffer.alloc(16, 3)),
  rawBinary(0x04, Buffer.alloc(16, 4)),
  rawBinary(0x06, hex('0102')),
  rawBinary(0x80, hex('ff00ff')),
  { type: 0x03, value: documentOf([]) },
  { type: 0x04, value: documentOf([]) },
  { type: 0x04, value: documentOf([{ name: 'not a number', type: 0x0a, value: Buffer.alloc(0) }]) },
];

/** What the server refuses as an _id. */
const NO_ID = new Set([0x04, 0x06, 0x0b]);

export const ODD_IDS: readonly RawValue[] = [
  ...ODD_VALUES.filter(({ type }) => !NO_ID.has(type)),
  rawValue({ a: 1, b: 'x' }),
  rawValue({ b: 'x', a: 1 }),
  rawValue({ _id: 1 }),
  rawValue({ '': null, 'a.b': 1 }),
  rawValue('1'),
  rawValue('x'.repeat(2000)),
  rawValue('Straße'),
  rawValue('STRASSE'),
  rawValue(BSON.Decimal128.fromString('1E+3')),
  rawValue(BSON.Decimal128.fromString('1000')),
];

/** The same number, as each of the four types that are equal as ids: with a quarter of it in double and decimal. */
export function numberAs(form: number, number: number): RawValue {
  switch (form) {
    case 0:
      return rawValue(new BSON.Int32(number));
    case 1:
      return rawValue(BSON.Long.fromNumber(number));
    case 2:
      return rawValue(new BSON.Double(number));
    default:
      return rawValue(BSON.Decimal128.fromString(`${number}.0`));
  }
}

const NAMES = [
  'a',
  'b',
  'n',
  'x',
  '',
  'a.b',
  '$set',
  '$',
  '.',
  'ключ',
  '_id',
  'a',
  'length',
  '__proto__',
  'constructor',
];

export function randomElements(random: SeededRandom, depth = 0): RawElement[] {
  const names = Array.from({ length: random.below(5) }, () => random.pick(NAMES));
  return (depth === 0 ? topNames(names) : names).map((name) => element(name, randomValue(random, depth)));
}

/**
 * No name twice at the top: MongoDB logs an update of one of two fields of the same name as a difference that recovery
 * and secondaries apply to the other, so a server and its copy disagree about such documents, and so would we with one
 * of them. Below the top, where nothing is updated, names come twice.
 */
function topNames(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => name !== '_id');
}

export function randomValue(random: SeededRandom, depth = 0): RawValue {
  switch (random.below(depth > 2 ? 5 : 7)) {
    case 0:
      return random.pick(ODD_VALUES);
    case 1:
      return rawValue(random.next() | 0);
    case 2:
      return rawValue(random.bytes(random.below(24)).toString('base64'));
    case 3:
      return rawValue(BSON.Long.fromBits(random.next(), random.next()));
    case 4:
      return numberAs(random.below(4), random.below(100));
    case 5:
      return { type: 0x03, value: documentOf(randomElements(random, depth + 1)) };
    default:
      return rawArray(Array.from({ length: random.below(4) }, () => randomValue(random, depth + 1)));
  }
}
