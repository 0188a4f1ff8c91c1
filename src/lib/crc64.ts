/**
 * CRC-64/XZ: the polynomial of ECMA-182, reflected, all ones before and after. Eight bytes at a time, with the 64 bits
 * in two halves, because BigInt would be a hundred times slower. Check value: of the ASCII digits `123456789` it is
 * 995DC9BBDF1939FA.
 */
const POLYNOMIAL_HIGH = 0xc96c5795;
const POLYNOMIAL_LOW = 0xd7870f42;

/** For byte `b` at a place that is followed by `k` more of the eight: entry `k * 256 + b`. */
const HIGH = new Int32Array(8 * 256);
const LOW = new Int32Array(8 * 256);

for (let byte = 0; byte < 256; byte++) {
  let high = 0;
  let low = byte;
  for (let bit = 0; bit < 8; bit++) {
    const odd = (low & 1) === 1;
    low = (low >>> 1) | ((high & 1) << 31);
    high >>>= 1;
    if (odd) {
      high ^= POLYNOMIAL_HIGH;
      low ^= POLYNOMIAL_LOW;
    }
  }
  HIGH[byte] = high;
  LOW[byte] = low;
}
for (let at = 256; at < 8 * 256; at++) {
  const high = HIGH[at - 256] as number;
  const low = LOW[at - 256] as number;
  const from = low & 0xff;
  HIGH[at] = (high >>> 8) ^ (HIGH[from] as number);
  LOW[at] = ((low >>> 8) | (high << 24)) ^ (LOW[from] as number);
}

/** Of bytes that come in pieces. */
export class Crc64 {
  #high = 0xffffffff | 0;
  #low = 0xffffffff | 0;

  update(bytes: Uint8Array): void {
    const misaligned = (4 - (bytes.byteOffset & 3)) & 3;
    const from = Math.min(misaligned, bytes.length);
    const words = (bytes.length - from) >> 2;
    const whole = words - (words & 1);
    this.#updateBytes(bytes, 0, from);
    if (whole > 0) this.#updateWords(new Int32Array(bytes.buffer, bytes.byteOffset + from, whole));
    this.#updateBytes(bytes, from + whole * 4, bytes.length);
  }

  #updateBytes(bytes: Uint8Array, from: number, to: number): void {
    let high = this.#high;
    let low = this.#low;
    for (let at = from; at < to; at++) {
      const index = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (LOW[index] as number);
      high = (high >>> 8) ^ (HIGH[index] as number);
    }
    this.#high = high;
    this.#low = low;
  }

  /** An even number of them. */
  #updateWords(words: Int32Array): void {
    let high = this.#high;
    let low = this.#low;
    for (let at = 0; at < words.length; at += 2) {
      const a = low ^ (words[at] as number);
      const b = high ^ (words[at + 1] as number);
      const i7 = 1792 + (a & 0xff);
      const i6 = 1536 + ((a >>> 8) & 0xff);
      const i5 = 1280 + ((a >>> 16) & 0xff);
      const i4 = 1024 + (a >>> 24);
      const i3 = 768 + (b & 0xff);
      const i2 = 512 + ((b >>> 8) & 0xff);
      const i1 = 256 + ((b >>> 16) & 0xff);
      const i0 = b >>> 24;
      high = xorOf(HIGH, i0, i1, i2, i3) ^ xorOf(HIGH, i4, i5, i6, i7);
      low = xorOf(LOW, i0, i1, i2, i3) ^ xorOf(LOW, i4, i5, i6, i7);
    }
    this.#high = high;
    this.#low = low;
  }

  /** Of all bytes so far: the low half, then the high one, as a little-endian integer has them. */
  digest(): { low: number; high: number } {
    return { low: ~this.#low >>> 0, high: ~this.#high >>> 0 };
  }
}

function xorOf(table: Int32Array, a: number, b: number, c: number, d: number): number {
  return (table[a] as number) ^ (table[b] as number) ^ (table[c] as number) ^ (table[d] as number);
}
