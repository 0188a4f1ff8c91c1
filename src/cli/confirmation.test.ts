import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../lib/clock.ts';
import { Cancelled } from '../lib/errors.ts';
import type { CommandRun } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { RecordingTerminal } from './recording-terminal.ts';
import { UsageError } from './usage-error.ts';

function runOn(terminal: RecordingTerminal): CommandRun {
  return {
    terminal,
    clock: systemClock,
    env: {},
    signal: new AbortController().signal,
    json: false,
    answer: () => {},
    incomplete: () => {},
  };
}

const question = { warning: 'All data of Shop is replaced.', expected: 'Shop' };

test('the name typed in full goes on', async () => {
  const terminal = new RecordingTerminal({ answers: ['Shop '] });
  await confirm(runOn(terminal), question);
  assert.match(terminal.questions[0] ?? '', /All data of Shop is replaced/);
});

test('anything else stops, and says that nothing was changed', async () => {
  for (const answer of ['', 'y', 'shop']) {
    const terminal = new RecordingTerminal({ answers: [answer] });
    await assert.rejects(
      confirm(runOn(terminal), question),
      (error) => error instanceof Cancelled && /nothing was changed/.test(error.message),
    );
  }
});

test('--yes asks nothing', async () => {
  const terminal = new RecordingTerminal();
  await confirm(runOn(terminal), { ...question, yes: true });
  assert.deepEqual(terminal.questions, []);
});

test('where nobody can be asked the command is refused and names --yes', async () => {
  await assert.rejects(
    confirm(runOn(new RecordingTerminal()), question),
    (error) => error instanceof UsageError && /--yes/.test(error.message),
  );
});
