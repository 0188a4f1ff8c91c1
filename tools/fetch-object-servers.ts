import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { acquireLock, cacheDirectory, isExecutable } from './cache-directory.ts';
import { findNpmTool } from './fetch-npm-tools.ts';

/**
 * Object store servers for the tests and the bench, each from its language's package registry into our cache: built
 * once, under a lock.
 */
export type ObjectServer = 'versitygw' | 'fake-gcs-server' | 'moto' | 'azurite';

/** Azurite, the one for Azure Blob Storage, is installed as all that npm installs for us. */
type BuiltServer = Exclude<ObjectServer, 'azurite'>;

interface Source {
  version: string;
  /** Path of the program below its directory in the cache. */
  program: string;
  fetch(into: string): Promise<void>;
}

const run = promisify(execFile);
const BUILD_MS = 20 * 60_000;

const sources: Record<BuiltServer, Source> = {
  versitygw: goProgram('github.com/versity/versitygw/cmd/versitygw', 'v1.8.0'),
  'fake-gcs-server': goProgram('github.com/fsouza/fake-gcs-server', 'v1.56.1'),
  moto: {
    version: '5.2.5',
    program: 'bin/python',
    fetch: async (into) => {
      await run('python3', ['-m', 'venv', into], { timeout: BUILD_MS });
      const wanted = ['moto[s3,server]==5.2.5'];
      await run(join(into, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...wanted], { timeout: BUILD_MS });
    },
  },
};

function goProgram(module: string, version: string): Source {
  return {
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

/**
 * Path of the program (for moto, of the Python that has it; for azurite, of what Node is to run), fetched where it is
 * not there yet. Throws a sentence that says why it cannot be had.
 */
export async function findObjectServer(name: ObjectServer): Promise<string> {
  if (name === 'azurite') return join(await findNpmTool(name), 'node_modules/azurite/dist/src/blob/main.js');
  const source = sources[name];
  const root = cacheDirectory('object-servers');
  const place = join(root, `${name}-${source.version}`);
  const program = join(place, source.program);
  if (await isExecutable(program)) return program;
  await mkdir(root, { recursive: true });
  const release = await acquireLock(join(root, `.lock-${name}`));
  try {
    if (await isExecutable(program)) return program;
    const into = await mkdtemp(join(root, '.fetching-'));
    try {
      await source.fetch(into);
      await rm(place, { recursive: true, force: true });
      await rename(into, place);
    } finally {
      await rm(into, { recursive: true, force: true });
    }
    return program;
  } catch (error) {
    throw new Error(`${name} ${source.version} cannot be had here: ${messageOf(error).trim().split('\n').at(-1)}`);
  } finally {
    await release();
  }
}

if (import.meta.main) {
  for (const name of [...(Object.keys(sources) as BuiltServer[]), 'azurite' as const]) {
    try {
      console.log(await findObjectServer(name));
    } catch (error) {
      console.error(messageOf(error));
      process.exitCode = 1;
    }
  }
}
