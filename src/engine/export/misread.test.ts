import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BSON } from 'mongodb';
import { ODD_VALUES, raw, rawString } from '../../../test/exactness/raw-values.ts';
import { documentOf } from '../../bson/raw-bson.ts';
import { canonicalJson, ExtendedJsonWriter } from './extended-json.ts';
import { findMisread } from './misread.ts';
import { readExtendedJson, UnreadableJson } from './read-extended-json.ts';

const NAMES = ['$oid', '$date', '$numberInt', '$numberLong', '$binary', '$code', '$scope', '$uuid', '$undefined'];
const OTHERS = ['a', 'b', '$regex', '$options', '$ref', '$id', '$type', '$', '$oid2', 'base64', 'subType'];
const name = fc.oneof({ arbitrary: fc.constantFrom(...NAMES), weight: 1 }, fc.constantFrom(...OTHERS));
const leaf = fc.oneof(
  fc.constantFrom(1, -0, 1.5, true, null, 'text', 'no hex', '0'.repeat(24), '5', Number.NaN, new Date(0)),
  fc.constantFrom(new BSON.ObjectId('f'.repeat(24)), new BSON.Long(7), new BSON.Code('f', { a: 1 }), new BSON.MinKey()),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3 }).map((scope) => new BSON.Code('f', scope)),
  ),
}));

/** What a reader makes of it; null where it makes nothing. */
function readBack(document: Buffer): Buffer | null {
  try {
    return readExtendedJson(canonicalJson(document));
  } catch (error) {
    if (error instanceof UnreadableJson) return null;
    throw error;
  }
}

test('a line is left out exactly where a reader would not make the same document of it', () => {
  const writer = new ExtendedJsonWriter();
  let misread = 0;
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (values) => {
      const documents = values.map((one, _id) => raw({ _id, one }));
      const leftOut: Buffer[] = [];
      const text = writer.lines(Buffer.concat(documents), leftOut).toString('utf8');
      const kept = documents.filter((document) => readBack(document)?.equals(document) === true);
      assert.deepEqual(text.split('\n').slice(0, -1).map(readExtendedJson), kept);
      assert.deepEqual(
        leftOut,
        documents.filter((document) => !kept.includes(document)),
      );
      for (const document of documents)
        assert.equal(
          findMisread(document) !== null,
          leftOut.some((one) => one.equals(document)),
        );
      misread += leftOut.length;
    }),
    { numRuns: 2000 },
  );
  assert.ok(misread > 200, `${misread} of them were misread`);
});

test('every document is shown to people, whatever a reader would make of it', () => {
  const document = raw({ _id: 1, x: { $oid: 'no hex' } });
  assert.equal(new ExtendedJsonWriter().lines(document).toString('utf8'), `${canonicalJson(document)}\n`);
});

test('where the misread document stands is said', () => {
  assert.equal(findMisread(raw({ a: [{ b: 1 }, { c: { $numberInt: '5' } }] })), 'a.1.c');
  assert.equal(findMisread(raw({ $date: 1 })), '');
  assert.equal(findMisread(raw({ f: new BSON.Code('f', { $oid: 1 }) })), 'f');
  assert.equal(findMisread(raw({ a: { b: 1, $oid: 'x' }, c: { $regex: 'x', $options: 'i' }, d: [] })), null);
});

test('what is written of every type is read back, but for what has no text of its own', () => {
  for (const odd of ODD_VALUES) {
    const document = documentOf([{ name: 'v', ...odd }]);
    const back = readBack(document);
    assert.ok(back !== null, canonicalJson(document));
    assert.equal(canonicalJson(back), canonicalJson(document));
  }
  const broken = documentOf([{ name: 'v', ...rawString(Buffer.from('ff', 'hex')) }]);
  assert.ok(readBack(broken)?.equals(broken) === false);
});

test('text that is no canonical Extended JSON is refused', () => {
  const texts = ['', '[]', '{', '{"a"}', '{"a":1}', '{"a":null,}', '{"a":null}x', '{"a":{"$numberInt":"2147483648"}}'];
  const wrapped = ['"$oid":"no hex"', '"$oid":"00","x":1', '"$uuid":"x"', '"$binary":{"base64":"a","subType":"00"}'];
  const more = wrapped.map((text) => `{"a":{${text}}}`);
  for (const text of [...texts, ...more]) assert.throws(() => readExtendedJson(text), UnreadableJson, text);
});
