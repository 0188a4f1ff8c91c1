import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { readUri } from './cluster-uri.ts';
import { RecordingTerminal } from './recording-terminal.ts';

const WITH_PASSWORD = 'mongodb://backup:hidden@db.example/?replicaSet=rs0';
let directory = '';

function runWith(env: Record<string, string> = {}, answers: string[] = []) {
  const terminal = new RecordingTerminal({ answers });
  const signal = new AbortController().signal;
  return {
    terminal,
    signal,
    clock: systemClock,
    env,
    json: false,
    answer: () => undefined,
    incomplete: () => undefined,
  };
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-uri-'));
});
after(async () => await rm(directory, { recursive: true }));

test('a connection string comes from a file, from standard input or from a variable without a word', async () => {
  const file = join(directory, 'uri');
  await writeFile(file, `${WITH_PASSWORD}\nsecond line\n`, { mode: 0o600 });
  const run = runWith({ TIDEMARK_TARGET_URI: WITH_PASSWORD }, [` ${WITH_PASSWORD} `]);
  assert.equal(await readUri(run, { uriFile: file }, 'target'), WITH_PASSWORD);
  assert.equal(await readUri(run, { uriFile: '-' }, 'target'), WITH_PASSWORD);
  assert.equal(await readUri(run, {}, 'target'), WITH_PASSWORD);
  assert.equal(await readUri(run, {}, 'cluster'), undefined);
  assert.equal(await readUri(run, { uri: 'mongodb://db.example/' }, 'target'), 'mongodb://db.example/');
  assert.deepEqual(run.terminal.errors, []);
  await assert.rejects(readUri(run, { uri: 'mongodb://db.example/', uriFile: file }, 'target'), /not both/);
  await assert.rejects(readUri(run, { uri: 'http://db.example/' }, 'target'), /cannot be read/);
});

test('a password in --uri works, and one line says what to use instead, without it', async () => {
  for (const [of, variable] of [
    ['cluster', 'TIDEMARK_CLUSTER_URI'],
    ['target', 'TIDEMARK_TARGET_URI'],
  ] as const) {
    const run = runWith();
    assert.equal(await readUri(run, { uri: WITH_PASSWORD }, of), WITH_PASSWORD);
    assert.equal(run.terminal.errors.length, 1);
    const [line = ''] = run.terminal.errors;
    assert.match(line, new RegExp(`--uri-file <file> \\(or -\\), or set ${variable}\n$`));
    assert.ok(!line.includes('hidden'));
  }
});
