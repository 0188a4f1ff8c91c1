import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { WireConnection } from '../../test/support/wire.ts';
import { compareValues, type ValueAt } from './bson-order.ts';
import { hashedValue } from './hashed-value.ts';
import { documentOf, findElement } from './raw-bson.ts';

const server = useReplicaSet();
async function connected(work: (wire: WireConnection) => Promise<void>): Promise<void> {
  const wire = await WireConnection.open((await server().primary()).port);
  await work(wire).finally(() => wire.close());
}

const decimals = [
  '0',
  '-0',
  '0E+6000',
  '1',
  '1.0',
  '1.5',
  '2.5',
  '-1.5',
  '-2.5',
  '0.1',
  '1E-6176',
  '9.999999999999999999999999999999999E+6144',
  '9007199254740993',
  '9223372036854775807',
  '9223372036854775807.4',
  '9223372036854775808',
  '-9223372036854775809',
  '1E+20',
  '-1E+20',
  'NaN',
  'Infinity',
  '-Infinity',
  '0.1000000000000000055511151231257827',
  '0.1000000000000000055511151231257828',
].map((text) => new Decimal128(text));
const doubles = [
  0,
  -0,
  1,
  1.5,
  2.5,
  -1.5,
  0.1,
  2 ** 53,
  2 ** 53 + 2,
  2 ** 62,
  2 ** 63,
  2 ** 63 + 2048,
  2 ** 63 - 1024,
  -(2 ** 63),
  -(2 ** 63) - 2048,
  1e300,
  -1e300,
  5e-324,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
].map((value) => new Double(value));
const longs = [
  '0',
  '1',
  '-1',
  '9007199254740993',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854774784',
].map((text) => Long.fromString(text));
const binary = (subType: number, ...bytes: number[]) => new Binary(Buffer.from(bytes), subType);
const id = (hex: string) => new ObjectId(hex.repeat(12));

/** Of every type, many to a kind, equal ones in other types too. */
const values: unknown[] = [
  new MinKey(),
  new MaxKey(),
  null,
  true,
  false,
  ...decimals,
  ...doubles,
  ...longs,
  new Int32(0),
  new Int32(-7),
  new Int32(2147483647),
  '',
  'a',
  'a\0',
  'a\0b',
  'ab',
  'é',
  'z',
  '\u{1f600}',
  '\uffff',
  new BSONSymbol('a'),
  new BSONSymbol('aa'),
  {},
  { a: 1 },
  { a: new Long(1) },
  { a: 1, b: 1 },
  { b: 1 },
  { a: 'x' },
  { a: '' },
  { a: 'a\0b' },
  { a: null },
  { a: { b: [1, { c: 2 }] } },
  { a: [1, 2] },
  { a: [] },
  { a: [new Double(2.7)] },
  { é: 1 },
  binary(0),
  binary(0, 1),
  binary(4, 1),
  binary(0, 1, 0),
  binary(128, 0, 255),
  binary(0, 255),
  binary(2, 1, 2),
  id('00'),
  id('01'),
  id('ff'),
  new Date(0),
  new Date(-1),
  new Date(8.64e15),
  new Timestamp({ t: 0, i: 1 }),
  new Timestamp({ t: 1, i: 0 }),
  new Timestamp({ t: 4294967295, i: 0 }),
  new BSONRegExp('a', ''),
  new BSONRegExp('a', 'i'),
  new BSONRegExp('ab', ''),
  new Code('x'),
  new Code('xy'),
  new Code('x', {}),
  new Code('x', { a: 1 }),
  new Code('x', { a: 2 }),
  new Code('y', {}),
  new DBRef('c', id('01')),
];

function rawOf(value: unknown): ValueAt {
  const buffer = Buffer.from(BSON.serialize({ v: value }));
  const element = findElement(buffer, 0, 'v');
  assert.ok(element !== null);
  return { buffer, ...element };
}

/** Types that the driver cannot write. */
const odd: ValueAt[] = [
  { type: 0x06, bytes: Buffer.alloc(0) },
  { type: 0x0c, bytes: Buffer.concat([Buffer.from('\x02\0\0\0a\0', 'latin1'), Buffer.alloc(12, 1)]) },
  { type: 0x0c, bytes: Buffer.concat([Buffer.from('\x02\0\0\0b\0', 'latin1'), Buffer.alloc(12, 0)]) },
].map(({ type, bytes }) => {
  const buffer = documentOf([{ name: 'v', type, value: bytes }]);
  return { buffer, type, start: 7, end: 7 + bytes.length };
});

const all = [...values.map(rawOf), ...odd];
const shown = (value: ValueAt) => `${value.type.toString(16)}:${value.buffer.toString('hex', value.start, value.end)}`;

test('values are in the order of a server, and equal where it holds them equal', () =>
  connected(async (wire) => {
    const numbered = all.map(({ buffer, type, start, end }, n) => {
      const _id = Buffer.alloc(4);
      _id.writeInt32LE(n);
      return documentOf([
        { name: '_id', type: 0x10, value: _id },
        { name: 'v', type, value: buffer.subarray(start, end) },
      ]);
    });
    await wire.command({ insert: 'ordered', $db: 'order' }, [{ field: 'documents', documents: numbered }]);
    await wire.command({ createIndexes: 'ordered', indexes: [{ key: { v: 1 }, name: 'v' }], $db: 'order' });
    const find = async (filter: object) => {
      const command = { find: 'ordered', filter, hint: 'v', projection: { _id: 1 }, batchSize: 1000, $db: 'order' };
      const { cursor } = await wire.command(command);
      return (cursor.firstBatch as { _id: number }[]).map(({ _id }) => _id);
    };
    const ids = await find({});
    assert.equal(ids.length, all.length);
    const sorted = ids.map((n) => all[n] as ValueAt);
    for (const [index, value] of sorted.entries()) {
      const next = sorted[index + 1];
      if (next !== undefined) assert.ok(compareValues(value, next) <= 0, `${shown(value)} is not above ${shown(next)}`);
      for (const other of sorted)
        assert.equal(
          Math.sign(compareValues(value, other)) + Math.sign(compareValues(other, value)),
          0,
          `${shown(value)}, ${shown(other)}`,
        );
    }
    for (const [n, value] of values.entries()) {
      // Matched as a pattern, or with what is not there.
      if (value instanceof BSONRegExp || value === null) continue;
      const equal = await find({ v: { $eq: value } });
      const expected = all.flatMap((other, index) => (compareValues(all[n] as ValueAt, other) === 0 ? [index] : []));
      assert.deepEqual(
        equal.toSorted((a, b) => a - b),
        expected,
        shown(all[n] as ValueAt),
      );
    }
  }));

test('values are hashed as a server hashes them', () =>
  connected(async (wire) => {
    for (const value of all) {
      // The server takes the text for the name of a collection.
      if (value.type === 0x02 && value.buffer.subarray(value.start + 4, value.end - 1).includes(0)) continue;
      const command = documentOf([
        { name: '_hashBSONElement', type: value.type, value: value.buffer.subarray(value.start, value.end) },
        { name: 'seed', type: 0x10, value: Buffer.alloc(4) },
        { name: '$db', type: 0x02, value: Buffer.from('\x06\0\0\0admin\0') },
      ]);
      const { out } = await wire.command(command);
      assert.equal(hashedValue(value), BigInt(String(out)), shown(value));
    }
  }));
