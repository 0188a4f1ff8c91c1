import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { bundlePackage } from './bundle.ts';
import { readLibraries, renderNotices } from './libraries.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const BUILD_MS = 5 * 60_000;
/** What of the checkout goes along as it is. */
const AS_THEY_ARE = ['README.md', 'LICENSE', 'CHANGELOG.md'];
/** For `tidemark demo`, which may have to fetch a mongod. */
const NPM_TOOL = 'npm-tools/mongodb-memory-server-core';

interface Manifest {
  name: string;
  version: string;
  description: string;
  license: string;
}

/**
 * The folder of the package, ready to be packed: all that it needs at run time is in it, so that an install brings one
 * package. Answers with what the bundler says is in it.
 */
export async function stagePackage(into: string): Promise<Metafile> {
  await mkdir(join(into, 'bin'), { recursive: true });
  const metafile = await bundlePackage(join(into, 'dist'));
  await cp(join(import.meta.dirname, 'tidemark.mjs'), join(into, 'bin/tidemark.mjs'));
  for (const name of AS_THEY_ARE) await cp(join(root, name), join(into, name));
  await cp(join(root, 'tools', NPM_TOOL), join(into, NPM_TOOL), { recursive: true });
  await writeFile(join(into, 'THIRD-PARTY-NOTICES.txt'), renderNotices(await readLibraries(root, [metafile])));
  await emitTypes(join(into, 'types'));
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  await writeFile(join(into, 'package.json'), `${JSON.stringify(manifestOf(manifest), undefined, 2)}\n`);
  return metafile;
}

function manifestOf({ name, version, description, license }: Manifest): object {
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    bin: { [name]: 'bin/tidemark.mjs' },
    exports: {
      '.': { types: './types/main.d.ts', default: './dist/serve.js' },
      './config': { types: './types/config.d.ts', default: './dist/config.js' },
      './package.json': './package.json',
    },
    engines: { node: '>=24' },
  };
}

/** The declarations of what others may import, and of what these name. */
async function emitTypes(into: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'tidemark-types-'));
  try {
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        emitDeclarationOnly: true,
        rootDir: root,
        outDir: directory,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: [],
      files: ['src/main.ts', 'src/config.ts', 'src/mongo/driver-internals.d.ts'].map((file) => join(root, file)),
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    await run(join(root, 'node_modules/.bin/tsc'), ['--project', directory], { timeout: BUILD_MS });
    await copyReached(join(directory, 'src'), into, 'main.d.ts');
    await copyReached(join(directory, 'src'), into, 'config.d.ts');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function copyReached(from: string, into: string, file: string): Promise<void> {
  const text = await readFile(join(from, file), 'utf8');
  await mkdir(dirname(join(into, file)), { recursive: true });
  await writeFile(join(into, file), text.replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"));
  for (const [, path = ''] of text.matchAll(/from '(\.[^']*)\.ts'/g))
    await copyReached(from, into, `${join(dirname(file), path)}.d.ts`);
}

/** Packs the staged folder. Answers with the path of the archive. */
export async function packPackage(staged: string, into: string): Promise<string> {
  await mkdir(into, { recursive: true });
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', into], { cwd: staged, timeout: BUILD_MS });
  const { name, version } = JSON.parse(await readFile(join(staged, 'package.json'), 'utf8')) as Manifest;
  const archive = `${name}-${version}.tgz`;
  if (!(await readdir(into)).includes(archive)) throw new Error(`npm pack made no ${archive} in ${into}`);
  return join(into, archive);
}

/** Installs the archive into an empty folder, as its user does. Answers with the path of what `tidemark` runs. */
export async function installPackage(archive: string, into: string): Promise<string> {
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', into, archive], { cwd: into, timeout: BUILD_MS });
  return join(into, 'node_modules/tidemark/bin/tidemark.mjs');
}
