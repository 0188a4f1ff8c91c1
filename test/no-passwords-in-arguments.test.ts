import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { createProgram } from '../src/cli/program.ts';
import { RecordingTerminal } from '../src/cli/recording-terminal.ts';
import { systemClock } from '../src/lib/clock.ts';

/** Arguments are seen by every user of a machine: nothing that we show puts a connection string there. */

const root = fileURLToPath(new URL('..', import.meta.url));
/** An example with `--uri` and a value; as a placeholder, and in prose, the option may be named. */
const EXAMPLE = /--uri[ =](?=["'$]|mongodb|…|\.\.\.|URI\b)/;
const SOURCES = /^(src\/(cli|domain|engine|compose|mongo)|tools)\/.*(?<!\.test)\.ts$/;

/** Not from the root: below it may lie whatever an editor, a build and a package manager left. */
const FOLDERS = ['docs', 'changelog', 'src', 'tools'];

function filesBelow(folder: string): string[] {
  const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' });
  return names.map((name) => `${folder}/${name.replaceAll('\\', '/')}`);
}

function textsOf(command: Command): string[] {
  const examples: string[] = [];
  command.configureOutput({ writeOut: (text) => examples.push(text) }).outputHelp();
  return [...examples, ...command.commands.flatMap(textsOf)];
}

test('no example and no hint puts a connection string into the arguments', () => {
  const files = ['README.md', ...FOLDERS.flatMap(filesBelow)].filter(
    (name) => /^(README|docs\/.*|changelog\/.*)\.md$/.test(name) || SOURCES.test(name),
  );
  assert.ok(files.includes('README.md') && files.includes('docs/operations.md') && files.length > 100);
  for (const name of files) {
    for (const [index, line] of readFileSync(`${root}/${name}`, 'utf8').split('\n').entries())
      assert.doesNotMatch(line, EXAMPLE, `${name}:${index + 1}`);
  }
});

test('no help shows credentials, and whatever takes --uri takes --uri-file', () => {
  const terminal = new RecordingTerminal();
  const helps = textsOf(createProgram({ terminal, clock: systemClock, env: {} }));
  assert.ok(helps.length > 20);
  let taking = 0;
  for (const help of helps) {
    assert.doesNotMatch(help, EXAMPLE);
    assert.doesNotMatch(help, /mongodb(\+srv)?:\/\/[^\s/]*:[^\s/]*@/);
    if (!help.includes('--uri ')) continue;
    taking++;
    assert.match(help, /--uri-file <file>[\s\S]*-\s+for\s+standard\s+input[\s\S]*TIDEMARK_(CLUSTER|TARGET)_URI/);
  }
  assert.equal(taking, 4);
});
