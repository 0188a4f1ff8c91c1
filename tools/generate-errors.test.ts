import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusalRules } from '../src/domain/refusals/refusals.ts';
import { errorsPage, writtenErrorsPage } from './generate-errors.ts';

test('docs/errors.md says what the lists of refusals say', () => {
  assert.equal(writtenErrorsPage(), errorsPage(), 'the page is old: run node tools/generate-errors.ts');
});

test('every code has its line', () => {
  const written = errorsPage();
  for (const code of Object.keys(refusalRules)) assert.ok(written.includes(`- **${code}** - `), code);
});
