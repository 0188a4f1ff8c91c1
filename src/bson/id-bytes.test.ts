import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idsMeantBy } from './id-bytes.ts';

test('numbers in each of their types, hex digits as what they look like, Extended JSON as it says', () => {
  const types = (text: string) => idsMeantBy(text).map((id) => id[0]);
  assert.deepEqual(types('7'), [0x01, 0x10, 0x12]);
  assert.deepEqual(types('5000000000'), [0x01, 0x12]);
  assert.deepEqual(types('1.5'), [0x01]);
  assert.deepEqual(types('65f0aabbccddeeff00112233'), [0x07, 0x02]);
  assert.deepEqual(types('{"$oid":"65f0aabbccddeeff00112233"}'), [0x07]);
  assert.deepEqual(types('"7"'), [0x02]);
  assert.deepEqual(types('some text'), [0x02]);
  assert.deepEqual(types('null'), [0x0a]);
  assert.deepEqual(types('{"a":{"$numberInt":"1"}}'), [0x03]);
  assert.equal(idsMeantBy('7')[1]?.toString('hex'), '1007000000');
});
