import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { compareTruth } from '../../test/support/compare.ts';
import { createDirectory } from '../../test/support/mongod.ts';
import { useReplicaSet } from '../../test/support/replica-set.ts';
import { readTruth, type Truth } from '../../test/support/truth.ts';
import { runTidemark } from '../../tools/demo/tidemark-process.ts';
import { exitCodes } from './exit-codes.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/tidemark.mjs', import.meta.url));

interface Run {
  exitCode: number | null;
  output: string;
  phases: string[];
}

describe('tidemark restore', () => {
  const source = useReplicaSet({ name: 'source' });
  const target = useReplicaSet({ name: 'target', members: 3 });
  let directory: string;
  let dataDir: string;
  let truth: Truth;

  before(async () => {
    directory = await createDirectory();
    dataDir = join(directory, 'data');
    const shop = source().client.db('shop');
    const rows = Array.from({ length: 20_000 }, (_, i) => ({ _id: i, n: i, pad: 'x'.repeat(500) }));
    await shop.collection<{ _id: number }>('docs').insertMany(rows);
    await shop.collection('docs').createIndex({ n: 1 }, { name: 'n' });
    await shop.createCollection('view', { viewOn: 'docs', pipeline: [] });
    await runTidemark(['init', '--data-dir', dataDir]);
    await runTidemark(['cluster', 'add', 'Source', '--data-dir', dataDir], source().uri);
    await runTidemark(['cluster', 'add', 'Target', '--data-dir', dataDir], target().uri);
    await runTidemark(['snapshot', 'take', 'Source', '--data-dir', dataDir]);
    truth = await readTruth(source().client, null);
  });

  after(async () => await rm(directory, { recursive: true, force: true }));

  async function restore(rest: readonly string[], onPhase: (phase: string) => void = () => undefined): Promise<Run> {
    const args = ['restore', '--snapshot', 'latest', '--from', 'Source', '--yes', '--json', ...rest];
    const child = spawn(process.execPath, [LAUNCHER, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TIDEMARK_TARGET_URI: target().uri },
    });
    const phases: string[] = [];
    createInterface(child.stderr).on('line', (line) => {
      phases.push(line);
      onPhase(line);
    });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
    const [exitCode] = (await once(child, 'close')) as [number | null];
    return { exitCode, output, phases };
  }

  const repository = () => ['--repository', join(dataDir, 'repository')];
  const registered = () => ['--to', 'Target', '--data-dir', dataDir];

  for (const [name, where] of [
    ['straight from a repository', repository],
    ['as a job', registered],
  ] as const) {
    test(`an election of its target is weather: ${name}`, async () => {
      let election: Promise<unknown> | null = null;
      // For as long as it takes to be seen by who looks once a second.
      const slow = { failCommands: ['insert'], namespace: 'shop.docs', blockConnection: true, blockTimeMS: 3_000 };
      const slowly = { configureFailPoint: 'failCommand', mode: { times: 1 }, data: slow };
      await target().command(await target().primary(), slowly);
      const run = await restore(where(), (phase) => {
        if (phase.includes('loading documents')) election ??= target().stepDown(5);
      });
      await election;
      assert.ok(election !== null, run.phases.join('\n'));
      assert.equal(run.exitCode, exitCodes.done, run.phases.join('\n'));
      assert.ok(
        run.phases.some((phase) => /waiting \d+ s before try 2 of 20: .*left the target incomplete/.test(phase)),
        run.phases.join('\n'),
      );
      await target().whenComplete();
      assert.deepEqual(compareTruth(truth, await readTruth(target().client, null)), []);
    });

    test(`what its target refuses is named, and has an exit code of its own: ${name}`, async () => {
      const primary = await target().primary();
      const data = { failCommands: ['create'], namespace: 'shop.view', errorCode: 31325 };
      await target().command(primary, { configureFailPoint: 'failCommand', mode: 'alwaysOn', data });
      try {
        const { exitCode, output, phases } = await restore(where());
        assert.equal(exitCode, exitCodes.incomplete, phases.join('\n'));
        const { leftOut } = JSON.parse(output) as { leftOut: { count: number; named: { namespace: string }[] } };
        assert.deepEqual([leftOut.count, leftOut.named[0]?.namespace], [1, 'shop.view']);
      } finally {
        await target().command(primary, { configureFailPoint: 'failCommand', mode: 'off' });
      }
    });
  }
});
