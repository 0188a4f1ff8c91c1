import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ansiColors, visibleWidth } from './colors.ts';
import { wrapLine } from './wrap.ts';

test('lines break between words, keep their indent, and are left alone where there is no terminal', () => {
  assert.equal(wrapLine('one two three', 7), 'one two\nthree');
  assert.equal(wrapLine('  one two three', 9), '  one two\n  three');
  assert.equal(wrapLine('one two three', null), 'one two three');
  assert.equal(wrapLine('one two', 7), 'one two');
  assert.equal(wrapLine('tolongforaline a', 7), 'tolongforaline\na');
});

test('colors take no room, and what is to be copied stays in one piece', () => {
  const line = `${ansiColors.green('Restored')} a lot`;
  assert.equal(visibleWidth(line), 14);
  assert.equal(wrapLine(line, 14), line);
  assert.equal(wrapLine('Next: tidemark snapshot take Shop', 10), 'Next: tidemark snapshot take Shop');
});
