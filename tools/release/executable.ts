import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Metafile } from 'esbuild';
import { bundleExecutable } from './bundle.ts';

const run = promisify(execFile);
const postject = join(import.meta.dirname, '../../node_modules/postject/dist/cli.js');
const BUILD_MS = 5 * 60_000;
/** Node looks for the program under this name, once this mark in it is turned. */
const SECTION = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

export type Processor = 'x64' | 'arm64';

/**
 * One executable file with Node, the program and its thread in it. `node` is the Node of that processor. Answers with
 * what the bundler says is in it. Machine code that is compiled ahead is put in only for the processor that this runs
 * on.
 */
export async function buildExecutable(
  options: { node: string; processor: Processor; work: string },
  to: string,
): Promise<Metafile> {
  const { node, processor, work } = options;
  await mkdir(work, { recursive: true });
  const metafile = await bundleExecutable(work);
  const config = {
    main: join(work, 'tidemark.cjs'),
    output: join(work, `program-${processor}.blob`),
    disableExperimentalSEAWarning: true,
    useCodeCache: processor === process.arch,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    assets: { 'transcoder-thread': join(work, 'transcoder-thread.cjs') },
  };
  const configPath = join(work, `sea-${processor}.json`);
  await writeFile(configPath, JSON.stringify(config));
  await run(process.execPath, ['--experimental-sea-config', configPath], { timeout: BUILD_MS });
  await copyFile(node, to);
  await chmod(to, 0o755);
  const args = [to, SECTION, config.output, '--sentinel-fuse', FUSE];
  await run(process.execPath, [postject, ...args], { timeout: BUILD_MS });
  return metafile;
}
