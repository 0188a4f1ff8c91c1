import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { serialize } from 'bson';
import type { Metafile } from 'esbuild';
import { compareTruth } from '../../test/support/compare.ts';
import { createDirectory } from '../../test/support/mongod.ts';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { readTruth } from '../../test/support/truth.ts';
import { loadedAtStart } from './bundle.ts';
import { placesOf } from './libraries.ts';
import { installPackage, packPackage, stagePackage } from './npm-package.ts';

const run = promisify(execFile);
const COMMAND_MS = 120_000;
/** An install was 198 packages and 158 MB when the package was its source. */
const INSTALLED_BYTES_MAX = 25e6;

describe('the npm package, installed into an empty folder', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target' });
  let directory: string;
  let installed: string;
  let program: string;
  let contents: Metafile;

  before(async () => {
    directory = await createDirectory();
    installed = join(directory, 'installed');
    const staged = join(directory, 'staged');
    contents = await stagePackage(staged);
    await mkdir(installed);
    program = await installPackage(await packPackage(staged, directory), installed);
  });
  after(async () => await rm(directory, { recursive: true, force: true }));

  async function tidemark(args: readonly string[], env: Record<string, string> = {}): Promise<unknown> {
    const { stdout, stderr } = await run(process.execPath, [program, ...args, '--json'], {
      cwd: installed,
      timeout: COMMAND_MS,
      env: { ...process.env, TIDEMARK_DATA_DIR: join(directory, 'data'), ...env },
    });
    assert.doesNotMatch(stderr, /warning/i);
    return JSON.parse(stdout);
  }

  test('is one package of a few megabytes, without TypeScript to be run', async () => {
    assert.deepEqual(await readdir(join(installed, 'node_modules')), ['.bin', '.package-lock.json', 'tidemark']);
    const entries = await readdir(join(installed, 'node_modules/tidemark'), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const sources = files.filter(({ name }) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
    assert.deepEqual(sources, []);
    const sizes = await Promise.all(files.map(async (f) => (await readFile(join(f.parentPath, f.name))).length));
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    assert.ok(bytes < INSTALLED_BYTES_MAX, `${bytes} bytes`);
    const notices = await readFile(join(installed, 'node_modules/tidemark/THIRD-PARTY-NOTICES.txt'), 'utf8');
    for (const place of placesOf([contents]))
      assert.match(notices, new RegExp(`^${place.split('node_modules/').at(-1)} \\d`, 'm'));
  });

  test('takes a snapshot and restores it, with nothing said on the way', async () => {
    const shop = source().client.db('shop');
    await shop.collection<{ _id: number }>('docs').insertMany(Array.from({ length: 3_000 }, (_, _id) => ({ _id })));
    await shop.collection('docs').createIndex({ n: 1 });
    await tidemark(['init']);
    await tidemark(['cluster', 'add', 'Source'], { TIDEMARK_CLUSTER_URI: source().uri });
    await tidemark(['snapshot', 'take', 'Source']);
    const snapshots = (await tidemark(['snapshot', 'list'])) as unknown[];
    assert.equal(snapshots.length, 1);
    const repository = join(directory, 'data/repository');
    await tidemark(['restore', '--repository', repository, '--snapshot', 'latest', '--yes'], {
      TIDEMARK_TARGET_URI: target().uri,
    });
    const [expected, actual] = [await readTruth(source().client, null), await readTruth(target().client, null)];
    assert.deepEqual(compareTruth(expected, actual), []);
  });

  test('plays the demo to its end', async () => {
    const args = [program, 'demo', '--exit', '--size-mb', '1'];
    const { stdout } = await run(process.execPath, args, { cwd: installed, timeout: COMMAND_MS });
    assert.match(stdout, /the target equals the source as of the snapshot/);
  });

  test('loads clients of clouds, servers and databases only where a command needs them', () => {
    const ofHelp = loadedAtStart(contents, ['src/cli/program.ts']);
    assert.ok(ofHelp.includes('commander'));
    for (const name of ['mongodb', 'kysely', 'fastify']) assert.ok(!ofHelp.includes(name), `--help loads ${name}`);
    const ofList = loadedAtStart(contents, ['src/cli/program.ts', 'src/compose/service.ts']);
    assert.ok(ofList.includes('kysely'));
    const notWanted = ofList.filter((name) => /^@(aws-sdk|smithy|azure)\/|^google-auth-library$|^fastify$/.test(name));
    assert.deepEqual(notWanted, []);
  });

  test('has its thread, the ways of signing in at AWS, and what others may import', async () => {
    const thread = new Worker(join(program, '../../dist/transcoder-thread.js'));
    try {
      const answered = new Promise((resolve, reject) => thread.once('message', resolve).once('error', reject));
      thread.postMessage({ documents: new Uint8Array(serialize({ _id: 1 })), compress: true });
      const { member } = (await answered) as { member?: Uint8Array };
      assert.match(gunzipSync(member ?? Buffer.alloc(0)).toString(), /"_id"/);
    } finally {
      await thread.terminate();
    }
    const script = join(installed, 'use.mjs');
    await writeFile(
      script,
      `import { serve } from 'tidemark';
       import { readConfig } from 'tidemark/config';
       const aws = await import('./node_modules/tidemark/dist/aws-credentials.js');
       console.log(typeof serve, typeof readConfig, typeof aws.fromNodeProviderChain);`,
    );
    const { stdout } = await run(process.execPath, [script]);
    assert.equal(stdout, 'function function function\n');
  });
});
