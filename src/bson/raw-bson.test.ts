import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, Code, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from 'bson';
import fc from 'fast-check';
import {
  documentOf,
  documentOfId,
  findElement,
  findId,
  forEachDocument,
  forEachElement,
  idBytes,
  MalformedBson,
} from './raw-bson.ts';

const EVERY_TYPE: Record<string, unknown> = {
  double: new Double(1.5),
  string: 'tide',
  document: { a: 1 },
  array: [1, 'b'],
  binary: new Binary(Buffer.from([1, 2, 3]), 4),
  undefined: undefined,
  objectId: new ObjectId(),
  boolean: true,
  date: new Date(0),
  null: null,
  regex: /a+b/i,
  code: new Code('f()'),
  scoped: new Code('f()', { x: 1 }),
  int32: new Int32(5),
  timestamp: new Timestamp({ t: 1, i: 2 }),
  int64: Long.fromNumber(5),
  decimal: Decimal128.fromString('1.5'),
  min: new MinKey(),
  max: new MaxKey(),
};

test('every type is walked to its exact end', () => {
  const names = Object.keys(EVERY_TYPE);
  const bytes = Buffer.from(serialize(EVERY_TYPE, { ignoreUndefined: false }));
  const seen: string[] = [];
  const rebuilt: { name: string; type: number; value: Buffer }[] = [];
  forEachElement(bytes, 0, (name, at) => {
    seen.push(name);
    rebuilt.push({ name, type: at.type, value: bytes.subarray(at.start, at.end) });
    return true;
  });
  assert.deepEqual(seen, names);
  assert.deepEqual(documentOf(rebuilt), bytes);
});

test('an id is found first or anywhere, and its element makes the document {_id} again', () => {
  for (const value of Object.values(EVERY_TYPE)) {
    const first = Buffer.from(serialize({ _id: value, a: 1 }, { ignoreUndefined: false }));
    const later = Buffer.from(serialize({ a: 1, _idx: 2, _id: value }, { ignoreUndefined: false }));
    const expected = Buffer.from(serialize({ _id: value }, { ignoreUndefined: false }));
    for (const document of [first, later]) {
      const at = findId(document, 0);
      assert.ok(at);
      assert.deepEqual(documentOfId(idBytes(document, at)), expected);
    }
  }
  assert.equal(findId(Buffer.from(serialize({ a: 1 })), 0), null);
});

test('documents cut off or overwritten anywhere are refused or walked within their bounds, never past them', () => {
  const bytes = Buffer.from(serialize(EVERY_TYPE, { ignoreUndefined: false }));
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, value, length) => {
      const damaged = Buffer.from(bytes);
      damaged[at] = value;
      for (const candidate of [damaged, bytes.subarray(0, length)]) {
        try {
          forEachElement(candidate, 0, (_, element) => {
            assert.ok(element.end <= candidate.length);
            return true;
          });
        } catch (error) {
          assert.ok(error instanceof MalformedBson, String(error));
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('documents in a row are counted and the last cut one is refused', () => {
  const one = Buffer.from(serialize({ _id: 1 }));
  const row = Buffer.concat([one, one, one]);
  assert.equal(
    forEachDocument(row, () => undefined),
    3,
  );
  assert.throws(() => forEachDocument(row.subarray(0, row.length - 1), () => undefined), MalformedBson);
  assert.equal(findElement(one, 0, 'nope'), null);
});
