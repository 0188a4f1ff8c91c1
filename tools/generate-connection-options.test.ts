import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionOptionsPage, writtenConnectionOptionsPage } from './generate-connection-options.ts';

test('docs/connection-strings.md says what the table of options says', () => {
  const old = 'the page is old: run node tools/generate-connection-options.ts';
  assert.equal(writtenConnectionOptionsPage(), connectionOptionsPage(), old);
});
