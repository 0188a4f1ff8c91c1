import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { examples } from './examples.ts';
import { createProgram } from './program.ts';
import { RecordingTerminal } from './recording-terminal.ts';

/** Names and flags that others script against. A change here breaks them. */
const PROMISED: Record<string, string[]> = {
  init: ['--data-dir', '--json', '--passphrase-file'],
  demo: ['--exit', '--size-mb'],
  serve: ['--data-dir', '--port', '--host', '--public-url', '--passphrase-file'],
  'cluster add': ['--uri', '--uri-file', '--project', '--data-dir', '--json'],
  'key create': ['--org', '--project', '--role', '--access', '--description', '--data-dir', '--json'],
  'access show': ['--org', '--data-dir', '--json'],
  'access reset': ['--org', '--caller', '--data-dir', '--json'],
  'cluster update': [
    '--uri',
    '--uri-file',
    '--backup',
    '--paused',
    '--retain-backups',
    '--protection',
    '--project',
    '--json',
  ],
  'cluster show': ['--check', '--project', '--data-dir', '--json'],
  'cluster remove': ['--delete-snapshots', '--project', '--data-dir', '--yes', '--json'],
  'capture on': ['--project', '--data-dir', '--json'],
  'capture off': ['--project', '--data-dir', '--json'],
  'schedule set': [
    ...['--hourly', '--daily', '--weekly', '--monthly', '--yearly', '--time', '--restore-window'],
    ...['--copy-to', '--export-to', '--export-every', '--update-snapshots', '--project', '--data-dir', '--json'],
  ],
  'snapshot protect': ['--off', '--keep', '--from', '--data-dir', '--json'],
  'snapshot delete': ['--from', '--data-dir', '--yes', '--json'],
  'bucket add': ['--provider', '--role-arn', '--role', '--service-url', '--project', '--data-dir', '--json'],
  'bucket list': ['--project', '--data-dir', '--json'],
  'bucket remove': ['--project', '--data-dir', '--json'],
  completion: [],
  'key list': ['--org', '--data-dir', '--json'],
  'key delete': ['--org', '--data-dir', '--yes', '--json'],
  'task list': ['--all', '--limit', '--data-dir', '--json'],
  'task cancel': ['--data-dir', '--json'],
  'repository move': ['--data-dir', '--object-stores', '--json'],
  'cluster list': ['--data-dir', '--json'],
  'snapshot take': ['--data-dir', '--json'],
  'snapshot list': ['--data-dir', '--json', '--repository'],
  'snapshot browse': ['--data-dir', '--json', '--repository', '--limit', '--id'],
  download: ['--data-dir', '--json', '--repository', '--snapshot', '--output', '--resume', '--replica-set'],
  'snapshot show': ['--data-dir', '--json'],
  'schedule show': ['--project', '--data-dir', '--json'],
  'checkpoint list': ['--project', '--data-dir', '--json'],
  export: ['--bucket', '--snapshot', '--custom', '--project', '--data-dir', '--json'],
  restore: [
    '--snapshot',
    '--at',
    '--just-before',
    '--to',
    '--uri',
    '--uri-file',
    '--repository',
    '--data-dir',
    '--skip-verify',
    '--yes',
    '--json',
  ],
  'collection restore': [
    '--snapshot',
    '--at',
    '--to',
    '--uri',
    '--uri-file',
    '--database-suffix',
    '--collection-suffix',
    '--indexes',
    '--overwrite',
    '--repository',
    '--data-dir',
    '--yes',
    '--json',
  ],
  'document history': ['--from', '--to', '--limit', '--project', '--data-dir', '--passphrase-file', '--json'],
  'document restore': [
    '--at',
    '--just-before',
    '--to-cluster',
    '--to-namespace',
    '--overwrite',
    '--yes',
    '--project',
    '--data-dir',
    '--json',
  ],
  'repository check': ['--read-data', '--data-dir', '--repository', '--json'],
  'repository prune': ['--dry-run', '--data-dir', '--json'],
  'repository rebuild': ['--data-dir', '--json'],
  'repository stats': ['--data-dir', '--repository', '--json'],
};

function commandsOf(command: Command, path = ''): [string, Command][] {
  const own = `${path} ${command.name()}`.trim();
  if (command.commands.length === 0) return [[own, command]];
  return command.commands.flatMap((child) => commandsOf(child, path === '' && command.parent === null ? '' : own));
}

const tools = { terminal: new RecordingTerminal(), clock: systemClock, env: {} };

test('every promised command and flag is there', () => {
  const commands = new Map(commandsOf(createProgram(tools)));
  assert.deepEqual([...commands.keys()].sort(), Object.keys(PROMISED).sort());
  for (const [name, flags] of Object.entries(PROMISED)) {
    const known = commands.get(name)?.options.map((option) => option.long) ?? [];
    assert.deepEqual(
      flags.filter((flag) => !known.includes(flag)),
      [],
      `tidemark ${name}`,
    );
  }
});

test('every command and option says what it is for', () => {
  for (const [name, command] of commandsOf(createProgram(tools))) {
    assert.notEqual(command.description(), '', name);
    for (const option of command.options) assert.notEqual(option.description, '', `${name} ${option.flags}`);
  }
});

/** As a shell would: at spaces, but for what is quoted. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? [];
  return words.map((word) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
}

test('every command shows an example that it takes, and there are no others', async () => {
  const paths = commandsOf(createProgram(tools)).map(([path]) => path);
  assert.deepEqual(Object.keys(examples).sort(), paths.sort());
  for (const [path, lines] of Object.entries(examples)) {
    for (const [line] of lines) {
      const [name, ...words] = wordsOf(line.split(/ [|>] /)[0] ?? '');
      assert.equal(name, 'tidemark', line);
      assert.ok(line.length <= 78, `${line} fits a terminal of 80 columns`);
      const program = createProgram(tools);
      const [, command] = commandsOf(program).find(([own]) => own === path) ?? [];
      assert.ok(command !== undefined, path);
      const help: string[] = [];
      command.configureOutput({ writeOut: (text) => help.push(text) }).outputHelp();
      assert.ok(help.join('').includes(`  ${line}\n`), `${path} --help shows ${line}`);
      let ran = 0;
      command.action(() => {
        ran++;
      });
      await program.parseAsync(words, { from: 'user' });
      assert.equal(ran, 1, line);
    }
  }
});
