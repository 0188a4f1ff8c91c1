import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createDirectory, freePort } from './mongod.ts';

const START_LIMIT_MS = 60_000;
const START_POLL_MS = 20;

/**
 * As for mongod: it outlives us by an instant, since its standard input ends when we do. Prints the pid of the server.
 */
const SUPERVISOR = `
directory=$1; shift
exec 3<&0
"$@" 3<&- </dev/null >"$directory/log" 2>&1 &
child=$!
echo "$child"
( read -r nothing <&3; trap '' TERM; kill -9 "$child"; rm -rf "$directory" ) >/dev/null 2>&1 &
watcher=$!
wait "$child"
kill "$watcher" 2>/dev/null
`;

/** A server on a free port of the loopback interface, with a directory of its own. */
export interface LoopbackServer {
  readonly port: number;
  readonly directory: string;
  stop(): Promise<void>;
}

export async function startLoopbackServer(
  command: (place: { port: number; directory: string }) => readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<LoopbackServer> {
  const directory = await createDirectory();
  const port = await freePort();
  const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'supervisor', directory, ...command({ port, directory })], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, ...env },
  });
  const exited = once(child, 'exit');
  child.stdin.on('error', () => {
    // The supervisor has ended and so has the pipe.
  });
  const [pid] = (await once(createInterface(must(child.stdout, 'stdout is a pipe')), 'line')) as [string];
  letGo(child);
  const stop = async (): Promise<void> => {
    child.ref();
    if (child.exitCode === null) process.kill(Number(pid), 'SIGKILL');
    await exited;
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  };
  const deadlineMs = systemClock.monotonicMs() + START_LIMIT_MS;
  while (!(await answers(port))) {
    if (child.exitCode === null && systemClock.monotonicMs() < deadlineMs) {
      await systemClock.sleep(START_POLL_MS);
      continue;
    }
    const output = await readFile(join(directory, 'log'), 'utf8').catch(() => '');
    await stop().catch(() => undefined);
    throw new Error(`the server did not start:\n${output.slice(-4000)}`);
  }
  return { port, directory, stop };
}

/** A server that is left running must not keep the test process alive: it ends with us. */
function letGo(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref?: () => void }).unref?.();
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
