import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { must } from '../../src/lib/assert.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { findMongod } from '../../tools/fetch-mongod.ts';

/** Recovery of some minutes of oplog is part of a start. */
const START_LIMIT_MS = 300_000;
const START_POLL_MS = 10;
const PORT_TRIES = 5;
const OUTPUT_TAIL_BYTES = 6000;
/** Four files of 100 MB otherwise, most of them zeros. One must hold the largest entry. */
const SMALL_JOURNAL = 'log=(file_max=40MB,prealloc=false)';
/** After a fatal assertion hundreds of them push the one line out that says what happened. */
const STACK_LINE = /"msg":"(?:Frame|BACKTRACE)"/;
const MEMORY_DISK = '/dev/shm';
const MEMORY_DISK_FREE_MIN = 4 << 30;

/**
 * Runs a mongod and outlives us by an instant: its standard input is a pipe whose other end only we hold, so when we
 * end, however we end, it reads the end of it, kills the mongod and removes its files. It is not in our process group,
 * so that Ctrl-C reaches the tests first. Prints the pid of the mongod.
 */
const SUPERVISOR = `
directory=$1; log=$2; shift 2
exec 3<&0
"$@" 3<&- </dev/null >>"$log" 2>&1 &
child=$!
echo "$child"
( read -r nothing <&3; trap '' TERM; kill -9 "$child"; rm -rf "$directory" ) >/dev/null 2>&1 &
watcher=$!
wait "$child"
code=$?
kill "$watcher" 2>/dev/null
exit "$code"
`;

/** One mongod on the loopback interface with a directory of its own. */
export class Mongod {
  readonly port: number;
  readonly directory: string;
  readonly dbPath: string;
  readonly #arguments: readonly string[];
  readonly #binary: string | null;
  #process: ChildProcess | null = null;
  #pid = 0;
  #exited: Promise<unknown> = Promise.resolve();

  private constructor(
    port: number,
    directory: string,
    dbPath: string,
    options: { args?: readonly string[]; binary?: string },
  ) {
    this.port = port;
    this.directory = directory;
    this.dbPath = dbPath;
    this.#arguments = options.args ?? [];
    this.#binary = options.binary ?? null;
  }

  /**
   * Starts one and waits until it takes connections. `directory` is removed by `remove` or when this process ends.
   * `dbPath` may hold data already.
   */
  static async start(options: {
    args?: readonly string[];
    directory?: string;
    port?: number;
    /** Another server than that of the tests. */
    binary?: string;
  }): Promise<Mongod> {
    const directory = options.directory ?? (await createDirectory());
    for (let tries = 1; ; tries++) {
      const port = options.port ?? (await freePort());
      const dbPath = join(directory, 'db');
      await mkdir(dbPath, { recursive: true });
      const mongod = new Mongod(port, directory, dbPath, options);
      try {
        await mongod.restart();
        return mongod;
      } catch (error) {
        const taken = (await mongod.output()).includes('Address already in use');
        if (!taken || options.port !== undefined || tries === PORT_TRIES) throw error;
      }
    }
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get running(): boolean {
    return this.#process !== null;
  }

  /**
   * Starts it again on the same files and port, after `kill` or `terminate`. `extra` arguments are for this run only.
   */
  async restart(extra: readonly string[] = []): Promise<void> {
    if (this.running) throw new Error('this mongod is running');
    const binary = this.#binary ?? (await findMongod());
    const args = ['--dbpath', this.dbPath, '--port', String(this.port), '--bind_ip', '127.0.0.1', '--nounixsocket'];
    args.push('--wiredTigerEngineConfigString', SMALL_JOURNAL);
    const child = spawn(
      '/bin/sh',
      ['-c', SUPERVISOR, 'supervisor', this.directory, this.#logPath, binary, ...args, ...this.#arguments, ...extra],
      { detached: true, stdio: ['pipe', 'pipe', 'ignore'] },
    );
    this.#process = child;
    this.#exited = once(child, 'exit').then(() => {
      this.#process = null;
    });
    child.stdin.on('error', () => {
      // The supervisor has ended and so has the pipe; its exit is awaited elsewhere.
    });
    const [pid] = (await once(createInterface(must(child.stdout, 'stdout is a pipe')), 'line')) as [string];
    this.#pid = Number(pid);
    // A server that is left running must not keep the test process alive: it ends with us.
    child.unref();
    for (const stream of [child.stdin, child.stdout]) (stream as unknown as { unref?: () => void }).unref?.();
    await this.#untilItTakesConnections();
  }

  async #untilItTakesConnections(): Promise<void> {
    const deadlineMs = systemClock.monotonicMs() + START_LIMIT_MS;
    while (!(await takesConnections(this.port))) {
      if (!this.running) throw new Error(`mongod ended at once:\n${await this.output()}`);
      if (systemClock.monotonicMs() > deadlineMs) {
        await this.kill();
        throw new Error(`mongod takes no connections after ${START_LIMIT_MS} ms:\n${await this.output()}`);
      }
      await systemClock.sleep(START_POLL_MS);
    }
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Stops it where it is, as a machine that hangs: its connections stay open and nothing answers. */
  freeze(): void {
    if (this.running) process.kill(this.#pid, 'SIGSTOP');
  }

  /** It goes on with what it was doing. */
  thaw(): void {
    if (this.running) process.kill(this.#pid, 'SIGCONT');
  }

  /** Asks it to end in order. */
  async terminate(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.running) return;
    // The await below is all that keeps us alive meanwhile.
    this.#process?.ref();
    process.kill(this.#pid, signal);
    await this.#exited;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** The end of what it has printed, without the frames of its stack: for messages about failures. */
  async output(): Promise<string> {
    const text = await readFile(this.#logPath, 'utf8').catch(() => '');
    const lines = text.split('\n').filter((line) => !STACK_LINE.test(line));
    return lines.join('\n').slice(-OUTPUT_TAIL_BYTES);
  }

  /** All that it has printed in every run: one JSON object a line. */
  async log(): Promise<string> {
    return await readFile(this.#logPath, 'utf8');
  }

  get #logPath(): string {
    return join(this.directory, 'log');
  }
}

/**
 * On a disk in memory where there is one with room: these servers are thrown away, and their fsyncs would be most of
 * the time.
 */
export async function createDirectory(): Promise<string> {
  const space = await statfs(MEMORY_DISK).catch(() => null);
  const roomy = space !== null && space.bavail * space.bsize > MEMORY_DISK_FREE_MIN;
  return await mkdtemp(join(roomy ? MEMORY_DISK : tmpdir(), 'tidemark-mongod-'));
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/**
 * Below the range from which the system takes ports for outgoing connections, so that a server finds its port free
 * again after a restart.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = 15_000 + (systemRandom.bytes(2).readUInt16LE(0) % 15_000);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port was found');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
