import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { acquireLock, cacheDirectory, isExecutable } from './cache-directory.ts';

const run = promisify(execFile);
const BUILD_MS = 20 * 60_000;

/** A program that is built once into our cache, under a lock. */
export interface Program {
  name: string;
  version: string;
  /** Path of the program below its directory in the cache. */
  program: string;
  fetch(into: string): Promise<void>;
}

/** From the Go module proxy, with the hashes of its checksum database. `module` is the package of the program. */
export function goProgram(name: string, module: string, version: string): Program {
  return {
    name,
    version,
    program: module.slice(module.lastIndexOf('/') + 1),
    fetch: async (into) => {
      await run('go', ['install', `${module}@${version}`], {
        timeout: BUILD_MS,
        env: { ...process.env, GOBIN: into, CGO_ENABLED: '0' },
      });
    },
  };
}

/** An interpreter of Python with that package in it. */
export function pythonPackage(name: string, wanted: string, version: string): Program {
  return {
    name,
    version,
    program: 'bin/python',
    fetch: async (into) => {
      await run('python3', ['-m', 'venv', into], { timeout: BUILD_MS });
      const install = ['-m', 'pip', 'install', '--quiet', `${wanted}==${version}`];
      await run(join(into, 'bin', 'python'), install, { timeout: BUILD_MS });
    },
  };
}

/** Its path, fetched where it is not there yet. Throws a sentence that says why it cannot be had. */
export async function findProgram(kind: string, { name, version, program: below, fetch }: Program): Promise<string> {
  const root = cacheDirectory(kind);
  const place = join(root, `${name}-${version}`);
  const program = join(place, below);
  if (await isExecutable(program)) return program;
  await mkdir(root, { recursive: true });
  const release = await acquireLock(join(root, `.lock-${name}`));
  try {
    if (await isExecutable(program)) return program;
    const into = await mkdtemp(join(root, '.fetching-'));
    try {
      await fetch(into);
      await rm(place, { recursive: true, force: true });
      await rename(into, place);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
    return program;
  } catch (error) {
    throw new Error(`${name} ${version} cannot be had here: ${messageOf(error).trim().split('\n').at(-1)}`);
  } finally {
    await release();
  }
}
