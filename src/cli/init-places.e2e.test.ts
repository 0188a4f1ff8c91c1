import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { must } from '../lib/assert.ts';
import { exitCodes } from './exit-codes.ts';

/** `init` where no data directory can be: it says so at once, and can be stopped. */

const LAUNCHER = fileURLToPath(new URL('../../bin/tidemark.mjs', import.meta.url));
const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'tidemark', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' };
let directory = '';

function start(args: readonly string[], more: Record<string, string> = {}, uid?: number) {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TIDEMARK_')));
  const child = spawn(process.execPath, [LAUNCHER, 'init', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, as a terminal makes one
    env: { ...env, ...more },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let errors = '';
  child.stderr.on('data', (piece) => {
    errors += String(piece);
  });
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number, errors }));
  return { child, ended };
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tidemark-places-'));
});
after(async () => await rm(directory, { recursive: true, force: true }));

test('a place where no directory can be is said to be one, with what is in the way and what to do', async (t) => {
  const file = join(directory, 'file');
  await writeFile(file, '');
  const cases: [string, RegExp][] = [
    [file, /--data-dir: .*file is not a directory.*Name a directory/],
    [join(file, 'a', 'b'), /--data-dir: .*file is not a directory.*Name a directory/],
    ['/dev/null/x', /--data-dir: .*\/dev\/null is not a directory.*Name a directory/],
  ];
  if (existsSync('/proc/self')) {
    const none = /--data-dir: .*the file system of \/proc takes no directories.*Name a directory/;
    cases.push(['/proc/tidemark', none], ['/proc/tidemark/a/b', none]);
  } else t.diagnostic('there is no /proc here');
  for (const [dataDir, expected] of cases) {
    const { exitCode, errors } = await start(['--data-dir', dataDir]).ended;
    assert.match(errors, expected);
    assert.equal(exitCode, exitCodes.usage, errors);
  }
  const repository = await start(['--data-dir', join(directory, 'a'), '--repository', '/dev/null/x']).ended;
  assert.match(repository.errors, /--repository: .*\/dev\/null is not a directory/);
  assert.equal(repository.exitCode, exitCodes.usage, repository.errors);
});

test('a place that cannot be written is a fault of the world, with what to do', async (t) => {
  const closed = join(directory, 'closed');
  await mkdir(closed);
  await chmod(closed, 0o555);
  const root = process.getuid?.() === 0;
  const uid = root ? 65_534 : undefined;
  if (root) {
    // Somebody else has to be able to come here, and to read the program.
    await chmod(directory, 0o755);
    const probe = spawn(process.execPath, [LAUNCHER, '--version'], { uid: 65_534, gid: 65_534, stdio: 'ignore' });
    const [code] = (await once(probe, 'close')) as [number];
    if (code !== 0) return t.skip('another user cannot read the program here');
  }
  for (const dataDir of [closed, join(closed, 'data')]) {
    const { exitCode, errors } = await start(['--data-dir', dataDir], {}, uid).ended;
    assert.match(errors, /cannot be written \(EACCES\)\. Run the command as a user who may write there/);
    assert.equal(exitCode, exitCodes.failed, errors);
  }
});

test('an object store that is not there ends init, and so does Ctrl-C while one does not answer', async () => {
  const silent = createServer(() => undefined);
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const at = (port: number) => `s3://bucket/prefix?endpoint=http://127.0.0.1:${port}`;
  const place = (port: number) => ['--data-dir', join(directory, `data-${port}`), '--repository', at(port)];
  const { port } = silent.address() as AddressInfo;
  try {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const { child, ended } = start(place(port), CREDENTIALS);
      await once(silent, 'connection');
      // The terminal sends Ctrl-C to the whole group, a service manager SIGTERM to the one process it knows.
      const pid = must(child.pid, 'it was started');
      process.kill(signal === 'SIGINT' ? -pid : pid, signal);
      const { exitCode, errors } = await ended;
      assert.equal(exitCode, exitCodes.cancelled, errors);
    }
  } finally {
    silent.close();
  }
  // Nothing listens there now.
  const { exitCode, errors } = await start(place(port), CREDENTIALS).ended;
  assert.match(errors, /ECONNREFUSED.*Look whether this machine reaches the endpoint/);
  assert.equal(exitCode, exitCodes.failed, errors);
});
