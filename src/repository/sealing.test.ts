import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { Damage } from '../lib/errors.ts';
import { deriveKeys } from './encryption.ts';
import { Sealer } from './sealing.ts';

const repositoryId = 'a'.repeat(24);
const keys = deriveKeys(Buffer.alloc(32, 1), repositoryId);
const sealers = {
  plain: new Sealer(null, new SeededRandom(1), 1),
  encrypted: new Sealer(keys, new SeededRandom(1), 1),
};
const bound = Buffer.from('bound to this');

for (const [name, sealer] of Object.entries(sealers)) {
  test(`${name}: any payload comes back`, async () => {
    const payloads = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(fc.nat({ max: 255 }), fc.nat({ max: 100_000 }))
        .map(([byte, length]) => new Uint8Array(length).fill(byte)),
    );
    await fc.assert(
      fc.asyncProperty(payloads, fc.constantFrom(1, 2, 3, 4, 5), async (payload, kind) => {
        const object = await sealer.seal(kind as 1, payload, bound);
        assert.ok((await sealer.unseal(kind as 1, object, bound, 'x')).equals(payload));
      }),
      { numRuns: 50 },
    );
  });

  test(`${name}: no truncation and no flipped bit passes`, async () => {
    for (const payload of [Buffer.from('short'), Buffer.alloc(2000, 'compressible ')]) {
      const whole = await sealer.seal(1, payload, bound);
      for (let length = 0; length < whole.length; length++) {
        await assert.rejects(sealer.unseal(1, whole.subarray(0, length), bound, 'x'), Damage);
      }
      for (let bit = 0; bit < whole.length * 8; bit++) {
        const flipped = Buffer.from(whole);
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        await assert.rejects(sealer.unseal(1, flipped, bound, 'x'), Damage, `bit ${bit}`);
      }
    }
  });
}

test('what does not shrink is stored as it is', async () => {
  const noise = new SeededRandom(3).bytes(5000);
  assert.equal((await sealers.plain.seal(1, noise, bound)).length, 5016);
  assert.equal((await sealers.encrypted.seal(1, noise, bound)).length, 5016 + 28);
});

test('an encrypted object read under another name, kind or key does not open', async () => {
  const object = await sealers.encrypted.seal(1, Buffer.from('secret'), bound);
  await assert.rejects(sealers.encrypted.unseal(1, object, Buffer.from('another'), 'x'), /tag is wrong/);
  const otherKeys = deriveKeys(Buffer.alloc(32, 2), repositoryId);
  const stranger = new Sealer(otherKeys, new SeededRandom(1), 1);
  await assert.rejects(stranger.unseal(1, object, bound, 'x'), /tag is wrong/);
  assert.equal(object.includes('secret'), false);
});

test('blob ids differ by kind, by content and by key', () => {
  const ids = [
    sealers.plain.blobId(1, Buffer.from('a')),
    sealers.plain.blobId(5, Buffer.from('a')),
    sealers.plain.blobId(1, Buffer.from('b')),
    sealers.encrypted.blobId(1, Buffer.from('a')),
  ];
  assert.equal(new Set(ids).size, 4);
  // printf '\001a' | sha256sum
  assert.equal(ids[0], 'e3254ea61c09ead5a01d3bf07e946a561c6c2cd1c46b8ca1bfa8729d26a7d09f');
});
