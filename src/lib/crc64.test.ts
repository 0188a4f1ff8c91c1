import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Crc64 } from './crc64.ts';

function crcOf(...pieces: Uint8Array[]): string {
  const crc = new Crc64();
  for (const piece of pieces) crc.update(piece);
  const { low, high } = crc.digest();
  return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** Bit by bit, after the definition. */
function slowCrcOf(bytes: Uint8Array): string {
  let crc = 0xffffffffffffffffn;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 1n ? (crc >> 1n) ^ 0xc96c5795d7870f42n : crc >> 1n;
  }
  return (crc ^ 0xffffffffffffffffn).toString(16).padStart(16, '0');
}

test('the check value, and nothing', () => {
  assert.equal(crcOf(Buffer.from('123456789')), '995dc9bbdf1939fa');
  assert.equal(crcOf(), '0000000000000000');
});

test('any bytes, in any pieces, as the definition has it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
      assert.equal(crcOf(bytes), slowCrcOf(bytes));
      assert.equal(crcOf(bytes.subarray(0, cut), bytes.subarray(cut)), slowCrcOf(bytes));
    }),
  );
});
