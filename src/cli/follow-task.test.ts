import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Domain } from '../domain/domain.ts';
import type { Task } from '../domain/tasks/tasks.ts';
import type { Clock } from '../lib/clock.ts';
import { Cancelled, Fault } from '../lib/errors.ts';
import type { CommandRun } from './command-run.ts';
import { followTask } from './follow-task.ts';
import { RecordingTerminal } from './recording-terminal.ts';

const task: Task = {
  id: 'a'.repeat(24),
  kind: 'takeSnapshot',
  state: 'running',
  subjectId: 'b'.repeat(24),
  attempts: 1,
  attemptsMax: 3,
  progress: { phase: 'scanning', documentsDone: 1, bytesDone: 1 },
  failureReason: null,
  cancelRequested: false,
  createdAtMs: 0,
  startedAtMs: 0,
  finishedAtMs: null,
};

/** A domain whose task is in one state after another, and a run whose every sleep is one step. */
function stage(states: readonly Task[]): {
  domain: Domain;
  run: CommandRun;
  controller: AbortController;
  cancelled: string[];
  terminal: RecordingTerminal;
} {
  let step = 0;
  const cancelled: string[] = [];
  const tasks = {
    get: async () => states[Math.min(step, states.length - 1)] as Task,
    cancel: async (id: string) => {
      cancelled.push(id);
      return task;
    },
  };
  const controller = new AbortController();
  const clock: Clock = {
    nowMs: () => step * 1000,
    monotonicMs: () => step * 1000,
    sleep: async (_, signal) => {
      if (signal?.aborted) throw new Cancelled();
      step++;
    },
  };
  const terminal = new RecordingTerminal();
  const run: CommandRun = {
    terminal,
    clock,
    env: {},
    signal: controller.signal,
    json: false,
    answer: () => {},
    incomplete: () => {},
  };
  return { domain: { tasks } as unknown as Domain, run, controller, cancelled, terminal };
}

test('waits for the end and shows the phases', async () => {
  const queued: Task = { ...task, state: 'queued', progress: null };
  const { domain, run, terminal } = stage([queued, task, { ...task, state: 'succeeded' }]);
  assert.equal((await followTask(domain, task.id, run)).state, 'succeeded');
  assert.deepEqual(terminal.errors, ['scanning\n']);
});

test('says to what it connects, which try that is, and why it waits for the next', async () => {
  const waiting: Task = { ...task, state: 'queued', progress: null, attempts: 1, failureReason: 'cannot reach rs0' };
  const connecting: Task = { ...task, progress: null };
  const { domain, run, terminal } = stage([
    { ...waiting, attempts: 0, failureReason: null },
    connecting,
    waiting,
    { ...connecting, attempts: 2 },
    task,
    { ...task, state: 'succeeded' },
  ]);
  await followTask(domain, task.id, run, 'mongodb://rs0/');
  assert.deepEqual(terminal.errors, [
    'connecting to mongodb://rs0/, try 1 of 3\n',
    'waiting after try 1 of 3: cannot reach rs0\n',
    'connecting to mongodb://rs0/, try 2 of 3\n',
    'scanning\n',
  ]);
});

test('a failed task is a fault with its reason', async () => {
  const { domain, run } = stage([task, { ...task, state: 'failed', failureReason: 'rs0 is gone' }]);
  await assert.rejects(
    followTask(domain, task.id, run),
    (error) => error instanceof Fault && error.message === 'rs0 is gone',
  );
});

test('Ctrl-C cancels the task and waits for its end', async () => {
  const { domain, run, controller, cancelled } = stage([task, task, { ...task, state: 'cancelled' }]);
  controller.abort(new Cancelled());
  await assert.rejects(followTask(domain, task.id, run), Cancelled);
  assert.deepEqual(cancelled, [task.id]);
});

test('a task that had ended all the same before it could be cancelled is what it is', async () => {
  const { domain, run, controller } = stage([task, { ...task, state: 'succeeded' }]);
  controller.abort(new Cancelled());
  assert.equal((await followTask(domain, task.id, run)).state, 'succeeded');
});
