import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, type Document, deserialize, serialize } from 'bson';
import { MalformedBson } from '../bson/raw-bson.ts';
import { changedDocument } from './diffs.ts';

function change(document: Document, o: Document): Document {
  const buffer = Buffer.from(serialize({ o }));
  const element = { type: 0x03, start: 7, end: buffer.length - 1 };
  return deserialize(changedDocument(Buffer.from(serialize(document)), buffer, element));
}

const diff = (sections: Document) => ({ $v: 2, diff: sections });

// What the server makes of each of these was read from its oplog and its collection (see
// test/exactness/replay-kinds.mongo.test.ts for the same against a server).
const cases: [string, Document, Document, Document][] = [
  ['replacement', { _id: 1, a: 1 }, { _id: 1, b: 2 }, { _id: 1, b: 2 }],
  ['replacement that has the id further behind', { _id: 1 }, { a: 1, _id: 1, b: 2 }, { _id: 1, a: 1, b: 2 }],
  ['deleted field', { _id: 1, a: 1, b: 2 }, diff({ d: { a: false } }), { _id: 1, b: 2 }],
  ['changed in its place', { _id: 1, a: 1, b: 2 }, diff({ u: { a: 'x' } }), { _id: 1, a: 'x', b: 2 }],
  ['inserted at the end', { _id: 1, a: 1 }, diff({ i: { b: 2, c: 3 } }), { _id: 1, a: 1, b: 2, c: 3 }],
  ['inserted although there: moves to the end', { _id: 1, a: 1, b: 2 }, diff({ i: { a: 3 } }), { _id: 1, b: 2, a: 3 }],
  [
    'within a document',
    { _id: 1, a: { x: 1, y: 2 } },
    diff({ sa: { d: { x: false }, i: { z: 3 } } }),
    { _id: 1, a: { y: 2, z: 3 } },
  ],
  ['a member of an array', { _id: 1, a: [1, 2, 3] }, diff({ sa: { a: true, u1: 'x' } }), { _id: 1, a: [1, 'x', 3] }],
  ['an array made longer', { _id: 1, a: [1] }, diff({ sa: { a: true, u3: 4 } }), { _id: 1, a: [1, null, null, 4] }],
  ['an array cut', { _id: 1, a: [1, 2, 3] }, diff({ sa: { a: true, l: 1 } }), { _id: 1, a: [1] }],
  ['an array cut and changed', { _id: 1, a: [1, 2, 3] }, diff({ sa: { a: true, l: 2, u0: 9 } }), { _id: 1, a: [9, 2] }],
  [
    'a document within an array',
    { _id: 1, a: [{ x: 1 }] },
    diff({ sa: { a: true, s0: { u: { x: 2 } } } }),
    { _id: 1, a: [{ x: 2 }] },
  ],
  ['a field whose name begins like a section', { _id: 1, sa: 1 }, diff({ u: { sa: 2 } }), { _id: 1, sa: 2 }],
];

for (const [name, document, o, expected] of cases) {
  test(name, () => {
    const changed = change(document, o);
    assert.deepEqual(changed, expected);
    assert.deepEqual(Object.keys(changed), Object.keys(expected), 'the order of the fields');
  });
}

const column = (text: string) => new Binary(Buffer.from(text, 'hex'), Binary.SUBTYPE_COLUMN);
const bytes = (text: string) => new Binary(Buffer.from(text, 'hex'), 0);

/** The form of `makeBSONColumnDocDiff` (the server's timeseries_write_util.cpp, 8.0). */
const written = (o: number, d: string, name = 'a') => diff({ sdata: { b: { [name]: { o, d: bytes(d) } } } });

test('a binary section writes a column on from one of its bytes', () => {
  const bucket = (a: string) => ({ _id: 1, data: { t: column('01'), a: column(a), z: 1 } });
  assert.deepEqual(change(bucket('aabbcc00'), written(3, 'ddee00')), bucket('aabbccddee00'));
  assert.deepEqual(change(bucket('aabb'), written(2, 'cc')), bucket('aabbcc'));
  assert.deepEqual(change(bucket('aabb'), written(0, 'ddee')), bucket('ddee'));
  const more = diff({
    scontrol: { smax: { u: { t: 9 } } },
    sdata: { i: { n: column('77') }, b: { a: { o: 1, d: bytes('ff') } } },
  });
  const before = { control: { max: { t: 1 } }, data: { a: column('aa') } };
  assert.deepEqual(change(before, more), { control: { max: { t: 9 } }, data: { a: column('aaff'), n: column('77') } });
});

test('a binary section that does not fit is refused, also where bytes would be left behind it', () => {
  const bucket = { _id: 1, data: { a: column('aabbcc'), n: 1 } };
  const odd = [written(4, 'dd'), written(-1, 'dd'), written(1, 'dd'), written(0, 'dd', 'n'), written(0, 'dd', 'none')];
  for (const one of [...odd, diff({ sdata: { b: { a: { o: 0 } } } }), diff({ b: { data: 1 } })])
    assert.throws(() => change(bucket, one), MalformedBson);
});

test('what is not known is refused', () => {
  assert.throws(() => change({ _id: 1 }, { $v: 1, $set: { a: 1 } }), MalformedBson);
  assert.throws(() => change({ _id: 1 }, { $set: { a: 1 } }), MalformedBson);
  assert.throws(() => change({ _id: 1 }, diff({ x: {} })), MalformedBson);
  assert.throws(() => change({ _id: 1, a: 1 }, diff({ sa: { u: { x: 1 } } })), MalformedBson);
});
