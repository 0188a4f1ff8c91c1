import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Document, Double, deserialize, Long, serialize, Timestamp } from 'bson';
import { SeededRandom } from '../../test/support/seeded-random.ts';
import { zeroTimestampUpdates } from './zero-timestamps.ts';

const zero = new Timestamp(0n);

function updates(...documents: Document[]): unknown[] {
  const raw = Buffer.concat(documents.map((document) => serialize(document)));
  return zeroTimestampUpdates(raw, { diffs: true }).map(({ o, o2 }) => [deserialize(o2), deserialize(o)]);
}

test('only a zero timestamp among the fields of a document itself needs an update', () => {
  const untouched: Document[] = [
    { _id: 1 },
    { _id: zero },
    { _id: 1, a: { b: zero }, c: [zero] },
    { _id: 1, a: new Timestamp({ t: 0, i: 1 }), b: new Timestamp({ t: 1, i: 0 }) },
    { _id: 1, a: Long.ZERO, b: new Double(0), c: new Date(0), d: Buffer.alloc(40) },
  ];
  assert.deepEqual(updates(...untouched), []);
});

test('each such document gets one that names its fields', () => {
  assert.deepEqual(updates({ _id: 1, a: zero, b: 1, c: zero }, { _id: 2 }, { _id: 'x', '': zero }), [
    [{ _id: 1 }, { $v: 2, diff: { u: { a: zero, c: zero } } }],
    [{ _id: 'x' }, { $v: 2, diff: { u: { '': zero } } }],
  ]);
});

test("finds them wherever they stand among zeros and the type's number", () => {
  const random = new SeededRandom(7);
  const other = [
    Long.ZERO,
    new Double(0),
    Buffer.alloc(30),
    new Timestamp(0x11n),
    Long.fromNumber(0x11),
    '\u0011',
    '',
    17,
  ];
  for (let round = 0; round < 300; round++) {
    const documents = Array.from({ length: random.between(1, 6) }, (_, index) => {
      const fields = Array.from({ length: random.between(0, 6) }, (_, at): [string, unknown] => [
        `${random.pick(['', 'a', '\u0011', 'long name'])}${at}`,
        random.oneIn(4) ? zero : random.pick(other),
      ]);
      return { _id: index, ...Object.fromEntries(fields) };
    });
    const expected = documents.flatMap((document: Record<string, unknown>) => {
      const fields = Object.entries(document).filter(([, value]) => value === zero);
      return fields.length === 0 ? [] : [[{ _id: document._id }, { $v: 2, diff: { u: Object.fromEntries(fields) } }]];
    });
    assert.deepEqual(updates(...documents), expected);
  }
});

test('where diffs are not taken the field is set, and one that no `$set` can name is refused', () => {
  const zero = new Timestamp({ t: 0, i: 0 });
  const raw = Buffer.from(serialize({ _id: 1, t: zero, u: 1 }));
  const [update] = zeroTimestampUpdates(raw, { diffs: false });
  assert.deepEqual(deserialize(update?.o ?? Buffer.alloc(0)), { $v: 1, $set: { t: zero } });
  for (const name of ['a.b', '$a', '']) {
    const odd = Buffer.from(serialize({ _id: 1, [name]: zero }));
    assert.throws(() => zeroTimestampUpdates(odd, { diffs: false }), /which no update .* can name/, name);
  }
});
