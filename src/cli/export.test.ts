import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommanderError } from 'commander';
import { systemClock } from '../lib/clock.ts';
import { exportCommand } from './export.ts';
import { RecordingTerminal } from './recording-terminal.ts';

function parsed(...args: string[]): Record<string, unknown> {
  const command = exportCommand({ terminal: new RecordingTerminal(), clock: systemClock, env: {} });
  command.exitOverride().configureOutput({ writeErr: () => undefined });
  command.action(() => undefined);
  return command.parse(['Shop', ...args], { from: 'user' }).opts();
}

const bucket = 'a'.repeat(24);

test('custom data is what stands before and after the first equals sign, as often as it is given', () => {
  const { custom, snapshot } = parsed('--bucket', bucket, '--custom', 'why=audit', '--custom', 'formula=a=b');
  assert.deepEqual(custom, [
    { key: 'why', value: 'audit' },
    { key: 'formula', value: 'a=b' },
  ]);
  assert.equal(snapshot, 'latest');
  assert.deepEqual(parsed('--bucket', bucket).custom, []);
});

test('a command line that names no bucket, or no snapshot, is refused', () => {
  const wrong = [[], ['--bucket', bucket, '--snapshot', 'newest'], ['--bucket', bucket, '--custom', '=x']];
  for (const args of wrong) assert.throws(() => parsed(...args), CommanderError, args.join(' '));
});
