import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteSet } from './byte-set.ts';

const member = fc.uint8Array({ minLength: 1, maxLength: 40 });

test('a byte set answers as a Set of hex strings does, and keeps the order of insertion', () => {
  fc.assert(
    fc.property(
      fc.array(member, { maxLength: 400 }),
      fc.array(member, { maxLength: 50 }),
      fc.integer(),
      (added, asked, seed) => {
        const set = new ByteSet(seed);
        const model = new Map<string, number>();
        for (const bytes of added) {
          const text = Buffer.from(bytes).toString('hex');
          assert.equal(set.add(bytes[0] as number, bytes, 1, bytes.length), !model.has(text));
          if (!model.has(text)) model.set(text, model.size);
        }
        assert.equal(set.size, model.size);
        for (const bytes of [...added, ...asked]) {
          const text = Buffer.from(bytes).toString('hex');
          assert.equal(set.indexOf(bytes[0] as number, bytes, 1, bytes.length), model.get(text) ?? -1);
        }
        for (const [text, index] of model) assert.equal(set.at(index).toString('hex'), text);
      },
    ),
  );
});

test('a million members are all found and cost tens of bytes each', () => {
  const set = new ByteSet(7);
  const id = Buffer.alloc(13, 7);
  for (let i = 0; i < 1_000_000; i++) {
    id.writeUInt32BE(i, 9);
    assert.equal(set.add(7, id, 1, 13), true);
  }
  for (let i = 0; i < 1_000_000; i += 997) {
    id.writeUInt32BE(i, 9);
    assert.equal(set.indexOf(7, id, 1, 13), i);
  }
  assert.ok(set.memoryBytes / set.size < 64, `${set.memoryBytes / set.size} bytes a member`);
});

test('members longer than an arena are kept whole', () => {
  const set = new ByteSet(1);
  const long = Buffer.alloc(3 << 20, 0xab);
  assert.equal(set.add(2, long, 0, long.length), true);
  assert.equal(set.has(2, long, 0, long.length), true);
  assert.equal(set.has(3, long, 0, long.length), false);
  assert.equal(set.at(0).length, long.length + 1);
});
