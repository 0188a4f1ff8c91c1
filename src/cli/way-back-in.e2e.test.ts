import assert from 'node:assert/strict';
import { access, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type CommandOutcome, runCommandLine } from '../../test/support/command-line.ts';
import { exitCodes } from './exit-codes.ts';

/** The operator's own way in, and places that are only read: nothing is made that nobody asked for. */

let directory: string;
let dataDir: string;

async function tidemark(...args: string[]): Promise<CommandOutcome> {
  return await runCommandLine([...args, '--json']);
}

async function callers(): Promise<unknown[]> {
  const { output, errors } = await tidemark('access', 'show', '--data-dir', dataDir);
  assert.notEqual(output, '', errors);
  return (JSON.parse(output) as { callers: unknown[] }).callers;
}

const isThere = async (path: string) =>
  await access(path).then(
    () => true,
    () => false,
  );

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-way-back-'));
  dataDir = join(directory, 'data');
  assert.equal((await tidemark('init', '--data-dir', dataDir)).exitCode, exitCodes.done);
});

after(async () => await rm(directory, { recursive: true, force: true }));

test('a key that is refused is not made: nobody is an owner whom nobody knows', async () => {
  const had = await callers();
  for (const wrong of [
    ['--access', 'nonsense'],
    ['--role', 'NOPE'],
    ['--role', 'GROUP_OWNER'],
    ['--description', 'x'.repeat(300)],
  ]) {
    const refused = await tidemark('key', 'create', '--data-dir', dataDir, ...wrong);
    assert.equal(refused.exitCode, exitCodes.usage, refused.errors);
    assert.match(refused.errors, new RegExp(`${wrong[0]}: `));
  }
  assert.deepEqual(await callers(), had);
});

test('the way back in needs no repository', async () => {
  const repository = join(dataDir, 'repository');
  await rename(repository, join(directory, 'away'));
  try {
    assert.equal((await callers()).length > 0, true);
    const made = await tidemark('key', 'create', '--data-dir', dataDir);
    assert.equal(made.exitCode, exitCodes.done, made.errors);
    assert.equal((await tidemark('access', 'reset', '--data-dir', dataDir)).exitCode, exitCodes.done);
    const nobody = await tidemark('access', 'reset', '--data-dir', dataDir, '--caller', 'nobody');
    assert.equal(nobody.exitCode, exitCodes.refused);
    const check = await tidemark('repository', 'check', '--data-dir', dataDir);
    assert.match(check.errors, /no repository in directory .*its file system is mounted/);
    assert.equal(await isThere(repository), false, 'what is only read is not made');
  } finally {
    await rename(join(directory, 'away'), repository);
  }
});

test('a mistyped place is not made', async () => {
  const place = join(directory, 'nowhere');
  const check = await tidemark('repository', 'check', '--repository', place);
  assert.equal(check.exitCode, exitCodes.failed, check.errors);
  assert.equal(await isThere(place), false);
});

test('a repository is no place for a data directory, and an empty name is none', async () => {
  const inside = await tidemark('init', '--data-dir', join(dataDir, 'repository'));
  assert.match(inside.errors, /is a repository itself/);
  assert.equal(await isThere(join(dataDir, 'repository', 'secret.key')), false);
  assert.equal((await tidemark('init', '--data-dir', '')).exitCode, exitCodes.usage);
});
