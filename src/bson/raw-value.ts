import { ObjectId } from 'bson';

/**
 * A raw BSON value inside a command that the driver serializes, byte for byte: the driver's serializer knows no such
 * thing, and decoding and re-encoding would lose what objects cannot hold (order of integer-like names, duplicate
 * names, NaN payloads, deprecated types).
 *
 * How: the serializer writes an ObjectId as type byte, name, NUL and then calls the value's own `serializeInto`. This
 * one writes the value's bytes instead and corrects the type byte, which lies one byte before the name. So it must be
 * told the name under which it is put, and it needs the serializer's behavior to stay: `raw-value.test.ts` is the
 * contract.
 */
export class RawValue extends ObjectId {
  readonly #type: number;
  readonly #value: Uint8Array;
  readonly #nameBytes: number;

  constructor(name: string, type: number, value: Uint8Array) {
    super('000000000000000000000000');
    this.#type = type;
    this.#value = value;
    this.#nameBytes = Buffer.byteLength(name);
  }

  serializeInto(buffer: Uint8Array, index: number): number {
    buffer[index - 1 - this.#nameBytes - 1] = this.#type;
    buffer.set(this.#value, index);
    return this.#value.length;
  }
}

/** The value bytes of a BSON array of raw values (each a type byte, then the value). */
export function rawArray(values: readonly Uint8Array[]): Buffer {
  let length = 5;
  for (let i = 0; i < values.length; i++) length += 1 + String(i).length + (values[i] as Uint8Array).length;
  const buffer = Buffer.allocUnsafe(length);
  buffer.writeInt32LE(length, 0);
  let at = 4;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as Uint8Array;
    buffer[at++] = value[0] as number;
    at += buffer.write(String(i), at, 'latin1');
    buffer[at++] = 0;
    buffer.set(value.subarray(1), at);
    at += value.length - 1;
  }
  buffer[at] = 0;
  return buffer;
}
