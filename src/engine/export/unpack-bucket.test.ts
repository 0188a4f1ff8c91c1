import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Binary, type Document, deserialize, serialize } from 'bson';
import { MalformedBson } from '../../bson/raw-bson.ts';
import { unpackBucket } from './unpack-bucket.ts';

const fields = { time: Buffer.from('t\0'), meta: Buffer.from('m\0') };
const [first, second] = [new Date(5), new Date(1)];

/** A column of literals: each its type, an empty name and the value; a NUL ends it. */
function column(...values: unknown[]): Binary {
  const literals = values.map((value) => {
    const document = serialize({ v: value });
    return Buffer.concat([Buffer.from([document[4] as number, 0]), document.subarray(7, -1)]);
  });
  return new Binary(Buffer.concat([...literals, Buffer.from([0])]), Binary.SUBTYPE_COLUMN);
}

function unpacked(version: number, data: Document): Document[] {
  const control = { version, min: { t: second }, max: { t: first }, count: 2 };
  const bytes = unpackBucket(Buffer.from(serialize({ _id: 1, control, meta: 'x', data })), fields);
  const found: Document[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readInt32LE(at))
    found.push(deserialize(bytes.subarray(at, at + bytes.readInt32LE(at))));
  return found;
}

test('measurements are unpacked from values by row and from columns, and a version that nobody knows is refused', () => {
  const expected = [
    { t: first, m: 'x', a: 7 },
    { t: second, m: 'x', a: 8 },
  ];
  assert.deepEqual(unpacked(1, { t: { 0: first, 1: second }, a: { 0: 7, 1: 8 } }), expected);
  // Of version 3 the order of arrival, which need not be that of time.
  for (const version of [2, 3])
    assert.deepEqual(unpacked(version, { t: column(first, second), a: column(7, 8) }), expected);
  for (const version of [0, 4])
    assert.throws(
      () => unpacked(version, { t: column(first, second) }),
      (error) => error instanceof MalformedBson && error.message.includes(`version ${version}`),
    );
});
