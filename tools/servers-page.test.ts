import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { handlingOf, KNOWN_COMMANDS } from '../src/oplog/operations.ts';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/servers.md'), 'utf8');
const flat = (text: string): string => text.replaceAll(/\s+/g, ' ');
const rows = page.split(/^### /m).slice(1);
const PARTS = ['Since', 'Source', 'Tidemark', 'Held by'];

for (const row of rows) {
  const name = row.slice(0, row.indexOf('\n'));
  test(`docs/servers.md: ${name}: the row is whole, and the tests that hold it are there`, () => {
    for (const part of PARTS) assert.ok(row.includes(`- **${part}:**`), `there is no ${part}`);
    const held = flat(row.slice(row.indexOf('- **Held by:**')).split(/^## /m)[0] ?? '');
    const named = [...held.matchAll(/- `([^`]+\.test\.ts)`(?:: “([^”]+)”)?/g)];
    assert.equal(named.length, held.split(' - `').length - 1, 'every line names a test');
    assert.ok(named.length > 0, 'no test holds it');
    for (const [, file = '', title] of named) {
      // Backticks are escaped in a title that is a template.
      const source = flat(readFileSync(join(root, file), 'utf8').replaceAll('\\', ''));
      if (title !== undefined) assert.ok(source.includes(title), `${file} has no test “${title}”`);
    }
  });
}

test('docs/servers.md names every command and operation of the oplog that is known', () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  const operations = [...letters, ...letters.flatMap((first) => letters.map((second) => first + second))];
  const neutral = operations.filter((op) => handlingOf({ op, command: '' }) === 'neutral');
  assert.ok(neutral.length > 5);
  for (const name of [...KNOWN_COMMANDS, ...neutral]) assert.ok(page.includes(`\`${name}\``), name);
});
