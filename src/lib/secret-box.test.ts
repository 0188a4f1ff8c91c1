import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from './errors.ts';
import { systemRandom } from './random.ts';
import { SecretBox } from './secret-box.ts';

const box = new SecretBox(Buffer.alloc(32, 7), systemRandom);
const uri = 'mongodb://backup:pass%20word@localhost:27017/?replicaSet=rs0';

test('what was sealed opens, and is never sealed the same twice', () => {
  const sealed = box.seal(uri, 'clusters/1/uri');
  assert.equal(box.open(sealed, 'clusters/1/uri'), uri);
  assert.notEqual(box.seal(uri, 'clusters/1/uri'), sealed);
  assert.ok(!Buffer.from(sealed.slice(3), 'base64').toString('latin1').includes('backup'));
});

test('another row, another key, or a changed byte does not open', () => {
  const sealed = box.seal(uri, 'clusters/1/uri');
  assert.throws(() => box.open(sealed, 'clusters/2/uri'), Fault);
  assert.throws(() => new SecretBox(Buffer.alloc(32, 8), systemRandom).open(sealed, 'clusters/1/uri'), Fault);
  const bytes = Buffer.from(sealed.slice(3), 'base64');
  for (const at of [0, 12, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] as number) ^ 1;
    assert.throws(() => box.open(`v1.${changed.toString('base64')}`, 'clusters/1/uri'), Fault, `byte ${at}`);
  }
  assert.throws(() => box.open(sealed.slice(0, 20), 'clusters/1/uri'), Fault);
});
