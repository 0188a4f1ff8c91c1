import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';

const UNTRACKED = pathToFileURL(join(import.meta.dirname, 'promises-untracked.mjs')).href;
let directory: string;
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'tidemark-untracked-'));
});
after(() => rmSync(directory, { recursive: true }));

/** What a run of one file says that has these lines below the import of `node:test`. */
function run(lines: string): { status: number | null; said: string } {
  const path = join(directory, 'stray.test.mjs');
  writeFileSync(path, `import ${JSON.stringify(UNTRACKED)};\nconst { test } = await import('node:test');\n${lines}\n`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { status, stdout } = spawnSync(process.execPath, ['--test', path], { env, encoding: 'utf8' });
  return { status, said: stdout };
}

test('what strays from a test still fails the run, with its message', () => {
  const rejected = run(`test('a', () => { void Promise.reject(new Error('nobody took this')); });`);
  assert.equal(rejected.status, 1);
  assert.match(rejected.said, /nobody took this/);
  const thrown = run(`test('a', (_, done) => { setImmediate(() => { throw new Error('thrown at large'); }); });`);
  assert.equal(thrown.status, 1);
  assert.match(thrown.said, /thrown at large/);
});

test('promises are not tracked, or the file has lost its purpose', () => {
  const { status } = run(`import asyncHooks from 'node:async_hooks';
    test('a', async () => {
      const ids = [];
      for (let turn = 0; turn < 3; turn++) {
        await null;
        ids.push(asyncHooks.executionAsyncId());
      }
      if (new Set(ids).size !== 1) throw new Error('each turn has an id of its own');
    });`);
  assert.equal(status, 0);
});
