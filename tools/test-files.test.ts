import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { balanced, findTestFiles, kindOf, needsMongod, TEST_KINDS } from './test-files.ts';
import { readTree } from './tidy.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

test('the runner finds every test file that lies anywhere in the tree', () => {
  const inTree = readTree().map(({ path }) => path);
  assert.deepEqual(findTestFiles(root).sort(), inTree.filter((path) => path.endsWith('.test.ts')).sort());
});

test('every kind is known, and what has none is pure', () => {
  for (const kind of TEST_KINDS) assert.equal(kindOf(`src/lib/x.${kind}.test.ts`), kind);
  assert.equal(kindOf('src/lib/mongo.test.ts'), undefined);
  assert.deepEqual(
    TEST_KINDS.filter((kind) => needsMongod(`x.${kind}.test.ts`)),
    ['mongo', 'e2e'],
  );
});

test('what needs a mongod comes first', () => {
  const needing = findTestFiles(root).map(needsMongod);
  assert.equal(needing.indexOf(false), needing.lastIndexOf(true) + 1);
});

test('groups take about the same time, by what is known of it, and every file is in one', () => {
  const files = ['a', 'b', 'c', 'd', 'new'];
  assert.deepEqual(balanced(files, 2, {}), [
    ['a', 'c', 'new'],
    ['b', 'd'],
  ]);
  assert.deepEqual(balanced(files, 2, { a: 10, b: 90, c: 70, d: 30 }), [
    ['a', 'b', 'd'],
    ['c', 'new'],
  ]);
  assert.deepEqual(balanced(['a'], 2, { a: 1 }), [['a'], []]);
});
