import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { test } from 'node:test';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import {
  ODD_VALUES,
  type RawElement,
  type RawValue,
  raw,
  rawArray,
  rawString,
} from '../../../test/exactness/raw-values.ts';
import { codePoint } from '../../../test/support/code-points.ts';
import { documentOf, MalformedBson } from '../../bson/raw-bson.ts';
import { ExtendedJsonWriter } from './extended-json.ts';

const { EJSON } = BSON;
const writer = new ExtendedJsonWriter();

function ours(document: Buffer): string {
  const written = writer.document(document);
  assert.ok(isUtf8(written), 'decoding it mends nothing');
  return written.toString('utf8');
}

/** What the driver's own package makes of the same bytes. */
function theirs(document: Buffer): string {
  const decoded = BSON.deserialize(document, { promoteValues: false, bsonRegExp: true, validation: { utf8: false } });
  return EJSON.stringify(decoded, { relaxed: false });
}

function bytesOf(type: number, write: (buffer: Buffer) => void, length = 8): RawValue {
  const value = Buffer.alloc(length);
  write(value);
  return { type, value };
}

function binary(subtype: number, content: Uint8Array): RawValue {
  const inner = subtype === 2 ? Buffer.concat([int32(content.length), content]) : content;
  return { type: 0x05, value: Buffer.concat([int32(inner.length), Buffer.from([subtype]), inner]) };
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

const strings = fc.oneof(
  fc.string({ unit: codePoint, maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom('"', '\\', '\b', '\t', '\n', '\f', '\r', '\0', '\x1f', '\x7f', 'ä', '\u2028', '😀'),
  }),
);
/** Names that JavaScript's objects keep in their place and whose documents are no shorthand of Extended JSON. */
const names = fc
  .string({ unit: codePoint, maxLength: 12 })
  .filter((name) => !name.includes('\0') && !/^\d+$/.test(name) && !name.startsWith('$') && name !== '_bsontype');

const doubles = fc.oneof(
  fc.double(),
  fc.double({ min: -1e6, max: 1e6 }),
  fc.tuple(fc.maxSafeInteger(), fc.nat(9)).map(([digits, decimals]) => digits / 10 ** decimals),
  fc.constantFrom(
    0,
    -0,
    1e15,
    1e15 - 1,
    1e20,
    1e21,
    1e22,
    123456789012345680000,
    5e-324,
    1e-6,
    1e-7,
    2 ** 53,
    Infinity,
  ),
);

const scalars: fc.Arbitrary<RawValue> = fc.oneof(
  doubles.map((value) => bytesOf(0x01, (bytes) => bytes.writeDoubleLE(value))),
  strings.map((value) => rawString(Buffer.from(value))),
  fc
    .tuple(fc.constantFrom(0, 1, 2, 3, 5, 6, 7, 8, 0x80, 0xff), fc.uint8Array({ maxLength: 20 }))
    .map(([subtype, content]) => binary(subtype, content)),
  // The package reads no other length as this subtype.
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((content) => binary(4, content)),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((value) => ({ type: 0x07, value: Buffer.from(value) })),
  fc.boolean().map((value) => ({ type: 0x08, value: Buffer.from([value ? 1 : 0]) })),
  fc
    .bigInt(-8640000000000000n, 8640000000000000n)
    .map((value) => bytesOf(0x09, (bytes) => bytes.writeBigInt64LE(value))),
  fc.constantFrom(0x0a, 0x7f, 0xff).map((type) => ({ type, value: Buffer.alloc(0) })),
  fc
    .tuple(names, fc.subarray(['i', 'l', 'm', 's', 'u', 'x']))
    .map(([pattern, options]) => ({ type: 0x0b, value: Buffer.from(`${pattern}\0${options.join('')}\0`) })),
  strings.map((value) => rawString(Buffer.from(value), 0x0d)),
  strings.map((value) => rawString(Buffer.from(value), 0x0e)),
  fc
    .oneof(fc.integer(), fc.integer({ min: -20, max: 20 }))
    .map((value) => bytesOf(0x10, (bytes) => bytes.writeInt32LE(value), 4)),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => ({ type: 0x11, value: Buffer.from(value) })),
  fc
    .oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-(2n ** 54n), 2n ** 54n), fc.bigInt(-100n, 100n))
    .map((value) => bytesOf(0x12, (bytes) => bytes.writeBigInt64LE(value))),
  fc
    .tuple(
      fc.boolean(),
      fc.bigInt(0n, 10n ** 34n - 1n),
      fc.oneof(fc.integer({ min: -6176, max: 6111 }), fc.integer({ min: -45, max: 10 })),
    )
    .map(([negative, coefficient, exponent]) => ({ type: 0x13, value: decimal(negative, coefficient, exponent) })),
);

function decimal(negative: boolean, coefficient: bigint, exponent: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeBigUInt64LE(coefficient & 0xffffffffffffffffn, 0);
  bytes.writeBigUInt64LE((BigInt(exponent + 6176) << 49n) | (coefficient >> 64n) | (negative ? 1n << 63n : 0n), 8);
  return bytes;
}

function uniquely(elements: readonly RawElement[]): Buffer {
  return documentOf([...new Map(elements.map((one) => [one.name, one])).values()]);
}

const { document } = fc.letrec<{ value: RawValue; document: Buffer }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: scalars, weight: 8 },
    { arbitrary: tie('document').map((value) => ({ type: 0x03, value })), weight: 1 },
    { arbitrary: fc.array(tie('value'), { maxLength: 5 }).map(rawArray), weight: 1 },
    {
      arbitrary: fc.tuple(strings, tie('document')).map(([code, scope]) => {
        const text = rawString(Buffer.from(code)).value;
        return { type: 0x0f, value: Buffer.concat([int32(4 + text.length + scope.length), text, scope]) };
      }),
      weight: 1,
    },
  ),
  document: fc
    .array(
      fc.tuple(names, tie('value')).map(([name, value]) => ({ name, ...value })),
      { maxLength: 8 },
    )
    .map(uniquely),
}));

test('every document becomes the text that the bson package makes of it', () => {
  fc.assert(
    fc.property(document, (bytes) => {
      assert.equal(ours(bytes), theirs(bytes));
    }),
    { numRuns: 1500 },
  );
});

test('the bson package reads back the same bytes', () => {
  fc.assert(
    fc.property(document, (bytes) => {
      const back = EJSON.parse(ours(bytes), { relaxed: false });
      assert.equal(Buffer.from(BSON.serialize(back)).toString('hex'), bytes.toString('hex'));
    }),
    { numRuns: 1500 },
  );
});

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const of = (type: number, value: Buffer): string => ours(documentOf([{ name: 'a', type, value }]));

test('where the bson package loses something, the specification counts', () => {
  assert.equal(of(0x06, hex('')), '{"a":{"$undefined":true}}');
  const pointer = Buffer.concat([rawString(Buffer.from('db.c"')).value, Buffer.alloc(12, 0xab)]);
  assert.equal(of(0x0c, pointer), `{"a":{"$dbPointer":{"$ref":"db.c\\"","$id":{"$oid":"${'ab'.repeat(12)}"}}}}`);
  assert.equal(of(0x09, hex('0000000000000080')), '{"a":{"$date":{"$numberLong":"-9223372036854775808"}}}');
  assert.equal(of(0x0b, hex('61 00 7869 00')), '{"a":{"$regularExpression":{"pattern":"a","options":"xi"}}}');
  assert.equal(of(0x01, hex('010000000000f8ff')), '{"a":{"$numberDouble":"NaN"}}');
  assert.equal(of(0x08, hex('02')), '{"a":true}');
  assert.equal(
    of(0x05, hex('02000000 02 aabb')),
    '{"a":{"$binary":{"base64":"qrs=","subType":"02"}}}',
    'old binary, no inner length',
  );
  assert.equal(of(0x05, hex('05000000 02 09000000 aa')), '{"a":{"$binary":{"base64":"CQAAAKo=","subType":"02"}}}');
});

test('decimals that are none are zero, and infinities and NaN have their names', () => {
  const text = (value: string): string => of(0x13, hex(value)).slice('{"a":{"$numberDecimal":"'.length, -3);
  assert.equal(text('00000000000000000000000000000078'), 'Infinity');
  assert.equal(text('000000000000000000000000000000f8'), '-Infinity');
  assert.equal(text('0000000000000000000000000000007c'), 'NaN');
  assert.equal(text('000000000000000000000000000000fe'), 'NaN');
  assert.equal(text('000000000000000000000000000040b0'), '-0');
  assert.equal(text('0000000000000000000000000000106c'), '0', 'a coefficient of more than 34 digits');
  assert.equal(text('ffffffffffffffffffffffffffff4130'), '0');
});

test('names that stand twice, that are numbers or begin with a dollar stay as they are, in their order', () => {
  const names = ['b', '1', '0', 'b', '$oid', '', '__proto__', 'a.b'];
  const bytes = documentOf(names.map((name, index) => ({ name, type: 0x10, value: int32(index) })));
  const members = names.map((name, index) => `${JSON.stringify(name)}:{"$numberInt":"${index}"}`);
  assert.equal(ours(bytes), `{${members.join(',')}}`);
  assert.equal(of(0x04, documentOf([{ name: 'no number', type: 0x0a, value: hex('') }])), '{"a":[null]}');
});

test('what is no UTF-8 is replaced as a decoder would, and only that', () => {
  const values: [string, string][] = [
    ['ff fe 80', '\ufffd\ufffd\ufffd'],
    ['ed a0 80', '\ufffd\ufffd\ufffd'],
    ['61 c3', 'a\ufffd'],
    ['22 ff 0a', '"\ufffd\n'],
  ];
  for (const [bytes, text] of values) {
    const document = documentOf([
      { name: 'good', ...rawString(Buffer.from('ä😀')) },
      { name: 'bad', ...rawString(hex(bytes)) },
    ]);
    assert.equal(ours(document), `{"good":"ä😀","bad":${JSON.stringify(text)}}`);
  }
  const badName = documentOf([{ name: '??', type: 0x0a, value: hex('') }]);
  badName.set(hex('c3 28'), 5);
  assert.equal(ours(badName), '{"\ufffd(":null}');
});

test('long strings and long bytes are the same as short ones, wherever an escape stands', () => {
  const odd = fc.constantFrom('"', '\\', '\0', '\x1f', ' ', '!', '#', '[', ']', '\x7f', 'ä', '\u2028', '😀', 'Ģ');
  const long = fc.array(fc.oneof({ arbitrary: fc.constant('x'), weight: 30 }, odd), { minLength: 40, maxLength: 300 });
  fc.assert(
    fc.property(long, fc.uint8Array({ minLength: 90, maxLength: 110 }), (text, bytes) => {
      const document = raw({ text: text.join(''), bytes: Buffer.from(bytes) });
      assert.equal(ours(document), theirs(document));
    }),
    { numRuns: 2000 },
  );
});

test('odd values of every type give one line each, whatever lies beside them', () => {
  const documents = ODD_VALUES.map((value) =>
    documentOf([
      { name: 'v', ...value },
      { name: 'n', type: 0x0a, value: hex('') },
    ]),
  );
  const lines = writer.lines(Buffer.concat(documents)).toString('utf8').split('\n');
  assert.equal(lines.pop(), '', 'the last line has its end');
  assert.equal(lines.length, documents.length);
  for (const [index, line] of lines.entries()) {
    assert.deepEqual(Object.keys(JSON.parse(line)), ['v', 'n']);
    assert.equal(line, ours(documents[index] as Buffer), 'a document is the same alone and among others');
  }
});

test('large documents, deep ones and the worst growth have room', () => {
  const long = raw({
    text: '\u0001'.repeat(300_000),
    bytes: Buffer.alloc(200_000, 7),
    list: Array.from({ length: 5000 }, () => ({ '\u0002\u0003': '"\\"' })),
  });
  assert.equal(ours(long), theirs(long));
  let deep = documentOf([{ name: 'x', type: 0x10, value: int32(1) }]);
  for (let depth = 0; depth < 250; depth++)
    deep = documentOf([{ name: 'd', type: depth % 3 === 0 ? 0x04 : 0x03, value: deep }]);
  assert.equal(ours(deep), theirs(deep));
  const worst = documentOf(Array.from({ length: 12_000 }, () => ({ name: '', type: 0x0b, value: hex('0000') })));
  assert.equal(ours(worst).length, 2 + 12_000 * 54 - 1);
  const fresh = new ExtendedJsonWriter();
  const parts = Array.from({ length: 40 }, () => worst);
  assert.equal(fresh.lines(Buffer.concat(parts)).length, 40 * (2 + 12_000 * 54));
});

test('what is no BSON is refused, not read past its end', () => {
  const good = raw({ a: 'text', b: { c: [1, 2] } });
  for (let cut = 0; cut < good.length; cut++) {
    assert.throws(() => ours(good.subarray(0, cut)), MalformedBson, `cut to ${cut}`);
  }
  const wrong = Buffer.from(good);
  wrong.writeInt32LE(3, 7);
  assert.throws(() => ours(wrong), MalformedBson);
  let deep = documentOf([]);
  for (let depth = 0; depth < 1001; depth++) deep = documentOf([{ name: 'd', type: 0x03, value: deep }]);
  assert.throws(() => ours(deep), /nested/);
});
