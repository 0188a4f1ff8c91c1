import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { Damage } from '../../lib/errors.ts';
import { type BlobRef, countRecords, decodeList, encodeList, RECORD_BYTES, readRecord } from './blob-list.ts';

const u32 = fc.nat({ max: 0xffff_ffff });
const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });
const refs = fc.record<BlobRef>(
  {
    id: hex(64),
    snapshotId: hex(24),
    kind: fc.constant(5 as const),
    plainBytes: u32,
    storedBytes: u32,
    documents: u32,
  },
  { noNullPrototype: true },
);

test('what was encoded is decoded, in order', () => {
  fc.assert(
    fc.property(fc.array(refs, { minLength: 1, maxLength: 20 }), (list) => {
      const payload = encodeList(list);
      assert.deepEqual(decodeList(payload, 5, 'a list'), list);
      assert.deepEqual(readRecord(payload, list.length - 1, 5), list.at(-1));
    }),
  );
});

test('the layout of a record is the one of the document', () => {
  const id = 'ab'.repeat(32);
  const payload = encodeList([
    { id, snapshotId: '0123456789abcdef01234567', kind: 1, plainBytes: 1, storedBytes: 2, documents: 3 },
  ]);
  assert.equal(payload.toString('hex', 0, 56), `${id}0123456789abcdef01234567010000000200000003000000`);
  assert.equal(payload.readUInt32LE(56), crc32(payload.subarray(0, 56)));
});

test('no truncation and no flipped bit passes', () => {
  const ref = { id: 'cd'.repeat(32), snapshotId: 'ef'.repeat(12), kind: 1 as const, plainBytes: 7, storedBytes: 8 };
  const whole = encodeList([ref, { ...ref, documents: 9 }]);
  for (let length = 0; length < whole.length; length++) {
    if (length === RECORD_BYTES) continue; // a whole shorter list: its blob id tells
    assert.throws(() => countRecords(whole.subarray(0, length), 'x'), Damage, `cut to ${length}`);
  }
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.throws(() => countRecords(flipped, 'x'), Damage, `bit ${bit}`);
  }
});
