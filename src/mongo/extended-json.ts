import { Decimal128 } from 'bson';
import { type ElementAt, forEachElement, MalformedBson } from '../lib/raw-bson.ts';

/**
 * Raw BSON as canonical Extended JSON, version 2, for small documents such as options and indexes. Walks the bytes, because objects would lose what counts there: the order of
 * integer-like names (`{"1": 1, "0": 1}` is not the index `{"0": 1, "1": 1}`) and names that occur twice.
 */
export function extendedJson(buffer: Buffer, offset = 0): string {
  return textOfDocument(buffer, offset);
}

function textOfDocument(buffer: Buffer, offset: number): string {
  const fields: string[] = [];
  forEachElement(buffer, offset, (name, element) => {
    fields.push(`${JSON.stringify(name)}:${textOfValue(buffer, element)}`);
    return true;
  });
  return `{${fields.join(',')}}`;
}

function textOfArray(buffer: Buffer, offset: number): string {
  const items: string[] = [];
  forEachElement(buffer, offset, (_name, element) => {
    items.push(textOfValue(buffer, element));
    return true;
  });
  return `[${items.join(',')}]`;
}

const CONSTANTS: Readonly<Record<number, string>> = {
  6: '{"$undefined":true}',
  10: 'null',
  127: '{"$maxKey":1}',
  255: '{"$minKey":1}',
};

function textOfValue(buffer: Buffer, { type, start, end }: ElementAt): string {
  const constant = CONSTANTS[type];
  if (constant !== undefined) return constant;
  switch (type) {
    case 0x01:
      return `{"$numberDouble":"${textOfDouble(buffer.readDoubleLE(start))}"}`;
    case 0x02:
      return quoted(buffer, start);
    case 0x03:
      return textOfDocument(buffer, start);
    case 0x04:
      return textOfArray(buffer, start);
    case 0x05:
      return textOfBinary(buffer, start, end);
    case 0x07:
      return `{"$oid":"${buffer.toString('hex', start, end)}"}`;
    case 0x08:
      return buffer[start] === 1 ? 'true' : 'false';
    case 0x09:
      return `{"$date":{"$numberLong":"${buffer.readBigInt64LE(start)}"}}`;
    case 0x0b: {
      const middle = buffer.indexOf(0, start);
      const pattern = JSON.stringify(buffer.toString('utf8', start, middle));
      return `{"$regularExpression":{"pattern":${pattern},"options":${JSON.stringify(buffer.toString('utf8', middle + 1, end - 1))}}}`;
    }
    case 0x0c:
      return `{"$dbPointer":{"$ref":${quoted(buffer, start)},"$id":{"$oid":"${buffer.toString('hex', end - 12, end)}"}}}`;
    case 0x0d:
      return `{"$code":${quoted(buffer, start)}}`;
    case 0x0e:
      return `{"$symbol":${quoted(buffer, start)}}`;
    case 0x0f: {
      const scope = start + 8 + buffer.readInt32LE(start + 4);
      return `{"$code":${quoted(buffer, start + 4)},"$scope":${textOfDocument(buffer, scope)}}`;
    }
    case 0x10:
      return `{"$numberInt":"${buffer.readInt32LE(start)}"}`;
    case 0x11:
      return `{"$timestamp":{"t":${buffer.readUInt32LE(start + 4)},"i":${buffer.readUInt32LE(start)}}}`;
    case 0x12:
      return `{"$numberLong":"${buffer.readBigInt64LE(start)}"}`;
    case 0x13:
      return `{"$numberDecimal":"${new Decimal128(buffer.subarray(start, end)).toString()}"}`;
    default:
      throw new MalformedBson(`unknown element type ${type}`);
  }
}

/** A BSON string at `start`, its length first. */
function quoted(buffer: Buffer, start: number): string {
  return JSON.stringify(buffer.toString('utf8', start + 4, start + 3 + buffer.readInt32LE(start)));
}

function textOfDouble(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) return `${Object.is(value, -0) ? '-0' : value}.0`;
  return String(value);
}

/** Subtype 2 has its length a second time inside, which is not part of its bytes. */
function textOfBinary(buffer: Buffer, start: number, end: number): string {
  const subType = buffer[start + 4] as number;
  const base64 = buffer.toString('base64', start + (subType === 2 ? 9 : 5), end);
  return `{"$binary":{"base64":"${base64}","subType":"${subType.toString(16).padStart(2, '0')}"}}`;
}
