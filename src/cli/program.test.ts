import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Command } from 'commander';
import { systemClock } from '../lib/clock.ts';
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
  'cluster update': ['--uri', '--uri-file', '--project', '--data-dir', '--json'],
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
