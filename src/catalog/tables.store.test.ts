import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { tables } from './tables.ts';

test('what a rebuild does not bring back is said in the documentation', async () => {
  const text = (await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8')).replaceAll(/\s+/g, ' ');
  const from = text.indexOf('not brought back:');
  const list = text.slice(from, text.indexOf('.', from));
  for (const [table, verdict] of Object.entries(tables))
    if ('lost' in verdict) assert.ok(list.includes(verdict.lost), `${table} is lost: ${verdict.lost}`);
});
