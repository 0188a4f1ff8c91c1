import { Double, EJSON, Int32, Long, ObjectId, serialize } from 'bson';
import { findId, idBytes } from './raw-bson.ts';

/**
 * The id elements that a person may mean by a text: Extended JSON (`{"$oid": "..."}`, `{"a": 1}`, `"text"`), a number,
 * which is looked for in each of its types, or anything else, which is a string and, with 24 hex digits, an ObjectId as
 * well.
 */
export function idsMeantBy(text: string): Buffer[] {
  return valuesMeantBy(text).map((value) => {
    const document = Buffer.from(serialize({ _id: value }, { ignoreUndefined: false }));
    const id = findId(document, 0);
    return id === null ? Buffer.alloc(0) : idBytes(document, id);
  });
}

function valuesMeantBy(text: string): unknown[] {
  let value: unknown;
  try {
    value = EJSON.parse(text, { relaxed: false });
  } catch {
    return ObjectId.isValid(text) && text.length === 24 ? [new ObjectId(text), text] : [text];
  }
  if (!/^-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(text)) return [value];
  const number = Number(text);
  const whole = Number.isInteger(number);
  return [
    new Double(number),
    ...(whole && Math.abs(number) <= 0x7fffffff ? [new Int32(number)] : []),
    ...(whole
      ? [Long.fromString(text.includes('e') || text.includes('E') ? String(number) : text.replace(/\..*/, ''))]
      : []),
  ];
}
