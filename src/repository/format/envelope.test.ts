import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Damage } from '../../lib/errors.ts';
import {
  ENVELOPE_HEADER_BYTES,
  type EnvelopeHeader,
  parseEnvelope,
  writeEnvelopeChecksum,
  writeEnvelopeHeader,
} from './envelope.ts';

function objectOf(header: EnvelopeHeader, body: Uint8Array): Buffer {
  const object = Buffer.alloc(ENVELOPE_HEADER_BYTES + body.length, 0xee);
  object.set(body, ENVELOPE_HEADER_BYTES);
  writeEnvelopeHeader(object, header);
  writeEnvelopeChecksum(object);
  return object;
}

const headers = fc.record<EnvelopeHeader>(
  {
    kind: fc.constantFrom(1, 2, 3, 4, 5),
    compressed: fc.boolean(),
    encrypted: fc.boolean(),
    plainBytes: fc.nat({ max: 0xffff_ffff }),
  },
  { noNullPrototype: true },
);

test('what was written is read back', () => {
  fc.assert(
    fc.property(headers, fc.uint8Array({ maxLength: 100 }), (header, body) => {
      const parsed = parseEnvelope(objectOf(header, body), header, 'an object');
      assert.deepEqual(parsed.header, header);
      assert.ok(parsed.body.equals(body));
    }),
  );
});

test('the layout is the one of the document', () => {
  const object = objectOf({ kind: 3, compressed: true, encrypted: false, plainBytes: 0x01020304 }, Buffer.from('ab'));
  assert.equal(object.toString('hex', 0, 12), '54444d4b0103010004030201');
  assert.equal(object.length, 18);
});

test('no truncation and no flipped bit passes', () => {
  const header: EnvelopeHeader = { kind: 1, compressed: false, encrypted: false, plainBytes: 5 };
  const whole = objectOf(header, Buffer.from('hello'));
  for (let length = 0; length < whole.length; length++) {
    assert.throws(() => parseEnvelope(whole.subarray(0, length), header, 'x'), Damage, `cut to ${length}`);
  }
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.throws(() => parseEnvelope(flipped, header, 'x'), Damage, `bit ${bit}`);
  }
});

test('an object of another kind, or from a repository that is encrypted otherwise, is refused', () => {
  const header: EnvelopeHeader = { kind: 1, compressed: false, encrypted: false, plainBytes: 1 };
  const object = objectOf(header, Buffer.from('x'));
  assert.throws(() => parseEnvelope(object, { kind: 5, encrypted: false }, 'x'), /kind 1, expected 5/);
  assert.throws(() => parseEnvelope(object, { kind: 1, encrypted: true }, 'x'), /not encrypted/);
});
