import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Damage, Fault } from '../../lib/errors.ts';
import { decodeRepositoryJson, encodeRepositoryJson, type RepositoryJson } from './repository-json.ts';

const plain: RepositoryJson = {
  version: 2,
  repositoryId: 'a'.repeat(24),
  createdAt: '2026-11-22T10:20:30.456Z',
  chunker: { minBytes: 1, targetBytes: 2, maxBytes: 3, seed: 4 },
  compressionLevel: 1,
  encryption: null,
};
const encrypted: RepositoryJson = {
  ...plain,
  chunker: { ...plain.chunker, seed: null },
  encryption: {
    scrypt: { n: 32768, r: 8, p: 1, salt: Buffer.from('salt') },
    dataKey: { id: 'b'.repeat(24), wrapped: Buffer.from('wrapped') },
  },
};

test('both forms come back as they were', () => {
  for (const description of [plain, encrypted, { ...plain, version: 1 } as const]) {
    assert.deepEqual(decodeRepositoryJson(encodeRepositoryJson(description), 'repository.json'), description);
  }
});

test('the seed of an encrypted repository is not in the file', () => {
  assert.equal(encodeRepositoryJson(encrypted).toString().includes('seed'), false);
});

test('anything cut off is damage', () => {
  const whole = encodeRepositoryJson(encrypted);
  for (let length = 0; length < whole.length - 2; length++) {
    assert.throws(() => decodeRepositoryJson(whole.subarray(0, length), 'x'), Damage);
  }
});

test('a newer format is a Fault with a hint, and sizes that make no sense are damage', () => {
  const changed = (change: (json: Record<string, unknown>) => void): Buffer => {
    const json = JSON.parse(encodeRepositoryJson(plain).toString()) as Record<string, unknown>;
    change(json);
    delete json.checksum;
    return Buffer.from(JSON.stringify(json));
  };
  const newer = changed((json) => {
    json.version = 3;
  });
  assert.throws(
    () => decodeRepositoryJson(newer, 'x'),
    (error) => error instanceof Fault && error.hint !== undefined,
  );
  const upsideDown = changed((json) => {
    json.chunker = { minBytes: 3, targetBytes: 2, maxBytes: 1, seed: 4 };
  });
  assert.throws(() => decodeRepositoryJson(upsideDown, 'x'), /sizes/);
});
