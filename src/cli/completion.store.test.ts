import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { completionScripts, type Shell, shells } from './completion-scripts.ts';
import { commandTree } from './completion-tree.ts';
import { createProgram } from './program.ts';
import { RecordingTerminal } from './recording-terminal.ts';

/** The scripts, asked by the shells that there are. */

const tools = { terminal: new RecordingTerminal(), clock: systemClock, env: {} };
const tree = commandTree(createProgram(tools));
let directory = '';

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-completion-'));
  for (const shell of shells) await writeFile(join(directory, shell), completionScripts[shell](tree));
  await writeFile(join(directory, 'new.uri'), '');
});
after(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** What each shell is asked with, and how it says what it would offer for a command line. */
const ways: Record<Shell, (line: string) => [args: string[], env: Record<string, string>]> = {
  bash: (line) => {
    const words = line.split(' ');
    const asked = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tidemark; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return [['--norc', '-c', `source ./bash; ${asked}`], {}];
  },
  zsh: (line) => {
    const words = line.split(' ');
    const asked = `emulate ksh; COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _tidemark; print -l -- "\${COMPREPLY[@]}"`;
    return [['-f', '-c', `autoload -Uz compinit && compinit -u -D; source ./zsh; ${asked}`], {}];
  },
  fish: (line) => [['--no-config', '-c', `source ./fish; complete -C '${line}'`], {}],
};

function offered(shell: Shell, line: string): string[] {
  const [args, env] = ways[shell](line);
  const output = execFileSync(shell, args, { cwd: directory, encoding: 'utf8', env: { ...process.env, ...env } });
  const words = output.split('\n').flatMap((word) => (word === '' ? [] : [word.split('\t')[0] ?? '']));
  // zsh takes more from a function of this kind, and itself leaves out what does not begin as the word does.
  return words.filter((word) => shell !== 'zsh' || word.startsWith(line.split(' ').at(-1) ?? ''));
}

for (const shell of shells) {
  const skip = spawnSync(shell, ['-c', 'true']).error === undefined ? false : `there is no ${shell}`;
  test(`${shell} completes commands, options and their values`, { skip }, () => {
    assert.deepEqual(
      offered(shell, 'tidemark cluster ')
        .filter((word) => !word.startsWith('-'))
        .sort(),
      [...['add', 'list', 'remove', 'show', 'update']],
    );
    assert.ok(offered(shell, 'tidemark ').includes('snapshot'));
    assert.deepEqual(offered(shell, 'tidemark snapshot ta'), ['take']);
    assert.deepEqual(offered(shell, 'tidemark cluster update Shop --paused ').sort(), ['off', 'on']);
    assert.deepEqual(offered(shell, 'tidemark restore --just'), ['--just-before']);
    assert.ok(offered(shell, 'tidemark restore --snapshot latest --').includes('--to'));
    assert.ok(offered(shell, 'tidemark cluster add Shop --uri-file new').some((word) => word.trim() === 'new.uri'));
    assert.deepEqual(offered(shell, 'tidemark completion f'), ['fish']);
  });
}
