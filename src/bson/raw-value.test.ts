import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Double, deserialize, Int32, Long, serialize } from 'bson';
import { documentOf, findElement } from './raw-bson.ts';
import { RawValue, rawArray } from './raw-value.ts';

// The contract with the driver's serializer: should it change how it writes an ObjectId, these tests turn red before a
// backup does.

test('a raw value is serialized byte for byte, with its own type', () => {
  const inner = serialize({ b: 1, a: { c: 'x' } });
  const bytes = serialize({ before: 7, filter: new RawValue('filter', 0x03, inner), after: 'z' });
  assert.deepEqual(deserialize(bytes), { before: 7, filter: { b: 1, a: { c: 'x' } }, after: 'z' });
});

test('what objects cannot hold survives: integer-like names in order, duplicate names, NaN payloads, deprecated types', () => {
  const nan = Buffer.from('0100000000fcff7f', 'hex');
  const odd = documentOf([
    { name: 'b', type: 0x10, value: Buffer.from([1, 0, 0, 0]) },
    { name: '1', type: 0x10, value: Buffer.from([2, 0, 0, 0]) },
    { name: '1', type: 0x01, value: nan },
    { name: '', type: 0x06, value: Buffer.alloc(0) },
  ]);
  const command = Buffer.from(
    serialize({
      filter: { _id: { $in: new RawValue('$in', 0x04, rawArray([Buffer.concat([Buffer.from([0x03]), odd])])) } },
    }),
  );
  const filter = findElement(command, 0, 'filter');
  assert.ok(filter);
  const id = findElement(command, filter.start, '_id');
  assert.ok(id);
  const list = findElement(command, id.start, '$in');
  assert.ok(list);
  assert.equal(list.type, 0x04);
  const first = findElement(command, list.start, '0');
  assert.ok(first);
  assert.deepEqual(command.subarray(first.start, first.end), odd);
});

test('names of any length are corrected at the right place', () => {
  for (const name of ['a', '$_resumeAfter', 'é'.repeat(40), '0']) {
    const bytes = serialize({ [name]: new RawValue(name, 0x08, Buffer.from([1])) });
    assert.deepEqual(deserialize(bytes), { [name]: true });
  }
});

test('a raw array numbers its elements as BSON does', () => {
  const values = Array.from({ length: 120 }, (_, i) => Buffer.concat([Buffer.from([0x10]), int32(i)]));
  const bytes = serialize({ list: new RawValue('list', 0x04, rawArray(values)) });
  assert.deepEqual(bytes, serialize({ list: Array.from({ length: 120 }, (_, i) => new Int32(i)) }));
});

test('elements of different types keep them', () => {
  const values = [serialize({ v: new Long(5) }), serialize({ v: new Double(5) })].map((document) => {
    const at = findElement(Buffer.from(document), 0, 'v');
    assert.ok(at);
    return Buffer.concat([Buffer.from([at.type]), document.subarray(at.start, at.end)]);
  });
  assert.deepEqual(
    serialize({ l: new RawValue('l', 0x04, rawArray(values)) }),
    serialize({ l: [new Long(5), new Double(5)] }),
  );
});

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
