import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';

const STARTS_WITHIN_MS = 30_000;
const LOG_LINES_MAX = 1000;

/** The command line that runs this Tidemark: a checkout, the installed package, or the executable of one file. */
function ownCommand(): [string, ...string[]] {
  if (isSea()) return [process.execPath];
  const launcher = import.meta.url.endsWith('.ts') ? '../../bin/tidemark.mjs' : '../bin/tidemark.mjs';
  return [process.execPath, fileURLToPath(new URL(launcher, import.meta.url))];
}

/**
 * Runs `tidemark …` as a person would and gives what it prints as JSON. Throws what it says when it fails. A connection
 * string goes by its variable.
 */
export async function runTidemark(args: readonly string[], clusterUri?: string): Promise<unknown> {
  const [program, ...first] = ownCommand();
  const child = spawn(program, [...first, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: clusterUri === undefined ? process.env : { ...process.env, TIDEMARK_CLUSTER_URI: clusterUri },
  });
  const closed = once(child, 'close');
  const [output, errors] = await Promise.all([readAll(child.stdout), readAll(child.stderr)]);
  const [exitCode] = (await closed) as [number | null];
  if (exitCode !== 0) throw new Error(`tidemark ${args.slice(0, 2).join(' ')} failed: ${messageIn(errors)}`);
  return JSON.parse(output);
}

function messageIn(errors: string): string {
  try {
    return (JSON.parse(errors) as { error: { message: string } }).error.message;
  } catch {
    return errors.trim();
  }
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces).toString('utf8');
}

/** `tidemark serve` in a process of its own, on a free port. */
export class TidemarkServer {
  readonly url: string;
  /** What it logged so far: JSON lines. */
  readonly log: readonly string[];
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(url: string, log: readonly string[], child: ChildProcess, exited: Promise<unknown>) {
    this.url = url;
    this.log = log;
    this.#process = child;
    this.#exited = exited;
  }

  static async start(dataDir: string, port = 0): Promise<TidemarkServer> {
    const [program, ...first] = ownCommand();
    const child = spawn(program, [...first, 'serve', '--data-dir', dataDir, '--port', String(port)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const exited = once(child, 'exit');
    const log: string[] = [];
    createInterface(child.stderr).on('line', (line) => {
      if (log.push(line) > LOG_LINES_MAX) log.shift();
    });
    const timer = AbortSignal.timeout(STARTS_WITHIN_MS);
    const url = await Promise.race([firstUrl(child), exited.then(() => null), once(timer, 'abort').then(() => null)]);
    if (url === null) {
      child.kill('SIGKILL');
      throw new Error(`tidemark serve did not come up: ${log.slice(-5).join('\n')}`);
    }
    return new TidemarkServer(url, log, child, exited);
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#exited;
  }
}

/**
 * The address in the one line that `serve` prints; the lines after it are read and dropped, so that the pipe never
 * fills.
 */
async function firstUrl(child: ChildProcess): Promise<string | null> {
  if (child.stdout === null) return null;
  const lines = createInterface(child.stdout);
  return await new Promise((resolve) => {
    lines.on('line', (line) => {
      const found = /https?:\/\/[^\s"]+/.exec(line);
      if (found !== null) resolve(found[0].replace(/[.,;]+$/, '').replace(/\/$/, ''));
    });
    lines.on('close', () => resolve(null));
  });
}
