import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Refusal, type RefusalCode, refusalRules, refuse } from '../domain/refusals/refusals.ts';
import { hasApiWords, wordsOf } from './command-words.ts';
import { describeFailure } from './failure.ts';

for (const code of Object.keys(refusalRules) as RefusalCode[]) {
  test(`at the command line ${code} speaks of commands, and of no field of the API`, () => {
    const refusal = refuse(code, ['one', 'two', 'three', 'four']);
    assert.ok(refusal instanceof Refusal);
    const { message, hint } = wordsOf(refusal);
    assert.ok(hint !== null && !hasApiWords(hint), hint ?? '');
    assert.doesNotMatch(message, /\bgroup\b/i);
    assert.deepEqual(describeFailure(refusal), { exitCode: 3, message, hint, errorCode: code });
  });
}

test('fields, operations and paths are told from words', () => {
  for (const text of ['Set pitEnabled first', 'with `POST /groups`', 'at /api/tidemark/v1'])
    assert.ok(hasApiWords(text), text);
  for (const text of ['Give --at', 'tidemark restore', 'docs/errors.md says more of TASK_NOT_FOUND', 'MongoDB 6.0']) {
    assert.ok(!hasApiWords(text), text);
  }
});
