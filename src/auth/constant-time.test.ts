import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

/** What no call can show: how long a comparison takes must not say how much of a guess was right. */
test('what proves who is calling is compared in constant time, everywhere', () => {
  const sources = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => ({ name, text: readFileSync(join(import.meta.dirname, name), 'utf8') }));
  for (const { name, text } of sources) {
    const compared = text.match(
      /\b\w*(?:[hH]ash|[rR]esponse|[mM]ac|Ha1|[sS]ecret)(?:\([^)]*\))?\s*[!=]==\s*(?!undefined|null)\S+/g,
    );
    assert.deepEqual(compared, null, name);
  }
  const careful = sources.filter(({ text }) => /timingSafeEqual\(/.test(text)).map(({ name }) => name);
  assert.deepEqual(careful, ['authenticator.ts', 'client-credentials.ts', 'nonces.ts']);
});
