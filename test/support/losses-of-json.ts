import { documentOf, forEachElement } from '../../src/bson/raw-bson.ts';

interface Value {
  type: number;
  value: Buffer;
}

const NAN = Buffer.from('000000000000f87f', 'hex');
const DECIMAL_NAN = Buffer.from('0000000000000000000000000000007c', 'hex');

/**
 * The document as it is after a way through Extended JSON: what `docs/exports.md` says is lost is lost, and nothing
 * else is touched.
 */
export function withLossesOfJson(document: Buffer): Buffer {
  return rewritten(document, 0, false);
}

function rewritten(document: Buffer, offset: number, array: boolean): Buffer {
  const elements: (Value & { name: string })[] = [];
  forEachElement(document, offset, (name, { type, start, end }) => {
    const value = lossesOf(type, document.subarray(start, end));
    elements.push({ name: array ? String(elements.length) : name, type, value });
    return undefined;
  });
  return documentOf(elements);
}

function lossesOf(type: number, value: Buffer): Buffer {
  switch (type) {
    case 0x01:
      return Number.isNaN(value.readDoubleLE(0)) ? NAN : value;
    case 0x13:
      return ((value[15] as number) & 0x7c) === 0x7c ? DECIMAL_NAN : value;
    case 0x02:
    case 0x0d:
    case 0x0e:
      return stringOf(value.toString('utf8', 4, value.length - 1));
    case 0x03:
    case 0x04:
      return rewritten(value, 0, type === 0x04);
    default:
      return value;
  }
}

function stringOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const value = Buffer.alloc(4 + bytes.length + 1);
  value.writeInt32LE(bytes.length + 1);
  bytes.copy(value, 4);
  return value;
}
