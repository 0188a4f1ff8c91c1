import { BSONError, Decimal128 } from 'bson';

/** The 16 bytes of the number that a text names; null where it names none, or one that is not exact in 34 digits. */
export function decimal128Bytes(text: string): Buffer | null {
  try {
    return Buffer.from(Decimal128.fromString(text).bytes);
  } catch (error) {
    if (error instanceof BSONError) return null;
    throw error;
  }
}
