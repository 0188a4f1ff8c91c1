import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { RefusalRule } from './refusal-rule.ts';
import { Refusal, type RefusalCode, refusalRules, refuse } from './refusals.ts';

test('the detail is made of the parameters', () => {
  const refusal = refuse('CLUSTER_NOT_FOUND', ['shop', '5f2b']);
  assert.ok(refusal instanceof Refusal);
  assert.equal(refusal.detail, 'No cluster named shop exists in group 5f2b.');
  assert.deepEqual([refusal.status, refusal.message, refusal.parameters], [404, refusal.detail, ['shop', '5f2b']]);
});

test('a code that nothing throws does not stay in the list, and every rule says what to do', () => {
  const root = new URL('../../', import.meta.url);
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const sources = names.filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('/refusals.ts'),
  );
  const text = sources.map((name) => readFileSync(new URL(name, root), 'utf8')).join('\n');
  for (const [code, rule] of Object.entries<RefusalRule>(refusalRules)) {
    assert.ok(text.includes(`'${code as RefusalCode}'`), `${code} is thrown nowhere`);
    assert.match(rule.detail, /\.$/, code);
    assert.match(rule.remedy, /[.!]$/, code);
  }
});
