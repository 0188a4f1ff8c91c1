import { BSON, BSONError, EJSON } from 'bson';
import { findId, idBytes } from './raw-bson.ts';

/** Neither can be an id. */
const ARRAY = 0x04;
const UNDEFINED = 0x06;

/** The id element (type byte, then value) that a value in Extended JSON stands for; null where it stands for none. */
export function idOfExtendedJson(value: unknown): Buffer | null {
  try {
    const { _id } = EJSON.deserialize({ _id: value }, { relaxed: false }) as { _id: unknown };
    const document = Buffer.from(BSON.serialize({ _id }));
    const found = findId(document, 0);
    return found === null || found.type === ARRAY || found.type === UNDEFINED ? null : idBytes(document, found);
  } catch (error) {
    if (error instanceof BSONError || error instanceof TypeError || error instanceof SyntaxError) return null;
    throw error;
  }
}
