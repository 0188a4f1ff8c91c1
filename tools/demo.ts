/**
 * The whole of Tidemark in one run: `npm run demo`, or `tidemark demo` of what is installed. A three-member replica set
 * under load is snapshotted, changed, snapshotted again and restored elsewhere, all through the HTTP API, and every
 * document and index is compared. Stays up afterwards until Ctrl-C; with `--exit` ends, with 0 only if every comparison
 * held.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { withInterruption } from '../src/cli/interruption.ts';
import { formatBytes, formatCount, formatDuration, formatNumberOf } from '../src/cli/sizes.ts';
import { systemTerminal } from '../src/cli/terminal.ts';
import { isAbort } from '../src/lib/abort.ts';
import { systemClock } from '../src/lib/clock.ts';
import { Cancelled, describeError } from '../src/lib/errors.ts';
import type { ReplicaSet } from '../test/support/replica-set.ts';
import { AtlasClient, type Credentials } from './demo/atlas-client.ts';
import { curlLines } from './demo/curl-lines.ts';
import { compareWithSnapshot } from './demo/proof.ts';
import { changeSampleData, loadSampleData, startSampleCluster } from './demo/sample-cluster.ts';
import { runRestore, runSnapshot, type SnapshotFigures } from './demo/scenes.ts';
import { Stage } from './demo/stage.ts';
import { SteadyWriter } from './demo/steady-writer.ts';
import { runTidemark, TidemarkServer } from './demo/tidemark-process.ts';
import { findMongod } from './fetch-mongod.ts';

const CHANGED_ONE_IN = 100;
const SOURCE = 'Shop';
const TARGET = 'Shop-restored';

/** What has to be stopped or removed, last made first. */
type Cleanups = (() => Promise<unknown>)[];

async function play(
  stage: Stage,
  options: { bytes: number; exit: boolean },
  cleanups: Cleanups,
  signal: AbortSignal,
): Promise<boolean> {
  await stage.act('Find a mongod', async () => {
    const path = await findMongod();
    return { result: path, outcome: path };
  });
  const { source, target } = await startClusters(stage, cleanups, signal);
  await stage.act('Fill the source with a shop', async (report) => {
    const documents = await loadSampleData(source.client, options.bytes, ({ documents: done, total, collection }) => {
      signal.throwIfAborted();
      const share = done / total;
      report({
        phase: 'Loading',
        subject: collection,
        documentsDone: done,
        bytesDone: options.bytes * share,
        bytesTotal: options.bytes,
      });
    });
    return { result: null, outcome: `${formatNumberOf(documents, 'document')} in four collections, five indexes` };
  });
  const writer = new SteadyWriter(source.client, systemClock, 1);
  cleanups.push(() => writer.stop());
  writer.start();

  const { server, credentials, dataDir, atlas } = await startTidemark(stage, cleanups, signal);
  await stage.act('Register both clusters', async () => {
    const at = ['--project', credentials.projectId, '--data-dir', dataDir];
    await runTidemark(['cluster', 'add', SOURCE, ...at], source.uri);
    await runTidemark(['cluster', 'add', TARGET, ...at], target.uri);
    return { result: null, outcome: `TIDEMARK_CLUSTER_URI=${source.uri} tidemark cluster add ${SOURCE}` };
  });
  const scene = {
    stage,
    atlas,
    projectId: credentials.projectId,
    clusterName: SOURCE,
    signal,
    dataDir,
    log: server.log,
  };
  const first = await runSnapshot('First snapshot, while the shop sells on', scene);
  const changed = await stage.act(`Change 1 % of the documents`, async () => {
    const count = await changeSampleData(source.client, CHANGED_ONE_IN);
    return {
      result: count,
      outcome: `${formatNumberOf(count, 'document')} changed; the writer has made ${formatCount(writer.writes)} writes besides`,
    };
  });
  const second = await runSnapshot('Second snapshot: only what changed', scene);
  const restored = await runRestore('Restore it into the other replica set', scene, second.id, TARGET);
  const differences = await stage.act('Compare every document and every index', async () => {
    const proof = await compareWithSnapshot(source.client, target.client, second.clusterTime);
    return {
      result: proof.differences,
      outcome:
        proof.differences.length === 0
          ? stage.colors.green(
              `the target equals the source as of the snapshot: ${formatNumberOf(proof.documents, 'document')} byte for byte, ${proof.indexes} indexes, ${proof.collections} collections`,
            )
          : stage.colors.red(`${proof.differences.length} differences`),
    };
  });
  for (const difference of differences) stage.say(`    ${difference}`);
  showFigures(stage, { first, second, restoreMs: restored.ms, changed });
  showCurlLines(stage, {
    url: server.url,
    credentials,
    token: atlas.token,
    clusterName: SOURCE,
    snapshotId: second.id,
  });
  if (!options.exit) await untilInterrupted(stage, server.url, dataDir, signal);
  return differences.length === 0;
}

async function startClusters(
  stage: Stage,
  cleanups: Cleanups,
  signal: AbortSignal,
): Promise<{ source: ReplicaSet; target: ReplicaSet }> {
  return await stage.act('Start a replica set of three, and a second one to restore into', async () => {
    const source = await startSampleCluster({ name: 'shop', members: 3 });
    cleanups.push(() => source.stop());
    signal.throwIfAborted();
    const target = await startSampleCluster({ name: 'restored', members: 1 });
    cleanups.push(() => target.stop());
    signal.throwIfAborted();
    return { result: { source, target }, outcome: `${source.uri}\n    ${target.uri}` };
  });
}

async function startTidemark(
  stage: Stage,
  cleanups: Cleanups,
  signal: AbortSignal,
): Promise<{ server: TidemarkServer; credentials: Credentials; dataDir: string; atlas: AtlasClient }> {
  return await stage.act('Start Tidemark', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tidemark-demo-'));
    cleanups.push(() => rm(directory, { recursive: true, force: true }));
    const dataDir = join(directory, 'data');
    const credentials = (await runTidemark(['init', '--data-dir', dataDir])) as Credentials;
    signal.throwIfAborted();
    const server = await TidemarkServer.start(dataDir);
    cleanups.push(() => server.stop());
    signal.throwIfAborted();
    const atlas = await AtlasClient.connect(server.url, credentials.serviceAccount);
    return {
      result: { server, credentials, dataDir, atlas },
      outcome: `${server.url}, catalog and repository in ${dataDir}`,
    };
  });
}

function showFigures(
  stage: Stage,
  figures: { first: SnapshotFigures; second: SnapshotFigures; restoreMs: number; changed: number },
): void {
  const { first, second } = figures;
  const { bold } = stage.colors;
  const line = (name: string, took: number, read: string, stored: number): string =>
    `    ${name.padEnd(18)}${formatDuration(took).padStart(10)}${read.padStart(22)}${formatBytes(stored).padStart(12)}`;
  stage.say();
  stage.say(bold(`    ${''.padEnd(18)}${'took'.padStart(10)}${'read'.padStart(22)}${'stored'.padStart(12)}`));
  stage.say(line('first snapshot', first.ms, formatBytes(first.readBytes), first.storedBytes));
  stage.say(line('second snapshot', second.ms, formatBytes(second.readBytes), second.storedBytes));
  stage.say(
    `    ${'restore'.padEnd(18)}${formatDuration(figures.restoreMs).padStart(10)}${formatBytes(second.dataBytes).padStart(22)}`,
  );
  const share = (second.storedBytes / Math.max(1, first.storedBytes)) * 100;
  stage.say(
    `    The second snapshot cost ${share.toFixed(1)} % of the first one's space and ${((second.ms / Math.max(1, first.ms)) * 100).toFixed(0)} % of its time.`,
  );
}

function showCurlLines(stage: Stage, target: Parameters<typeof curlLines>[0]): void {
  const { bold, dim } = stage.colors;
  stage.say();
  stage.say(bold('The same through curl; paste any line'));
  for (const { what, digest, bearer } of curlLines(target)) {
    stage.say(dim(`# ${what}`));
    stage.say(digest);
    stage.say(bearer);
  }
}

async function untilInterrupted(stage: Stage, url: string, dataDir: string, signal: AbortSignal): Promise<void> {
  stage.say();
  stage.say(
    `${stage.colors.green('Tidemark is up')} at ${url} (data in ${dataDir}). Ctrl-C stops it and removes everything.`,
  );
  // A timer keeps the process alive: the servers' pipes do not.
  const alive = setInterval(() => undefined, 60_000);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(alive);
}

/** Ctrl-C reaches the server as well, so whatever fails after it fails because of it. */
async function playUnlessInterrupted(
  stage: Stage,
  options: { bytes: number; exit: boolean },
  cleanups: Cleanups,
): Promise<boolean> {
  return await withInterruption(async (signal) => {
    try {
      return await play(stage, options, cleanups, signal);
    } catch (error) {
      throw signal.aborted ? new Cancelled() : error;
    }
  });
}

async function cleanUp(cleanups: Cleanups): Promise<void> {
  for (let step = cleanups.pop(); step !== undefined; step = cleanups.pop()) {
    await step().catch((error: unknown) => console.error(`cleaning up: ${describeError(error)}`));
  }
}

/** Plays it all and cleans up. Answers with the exit code: 0 only where every comparison held. */
export async function runDemo({ exit, megabytes }: { exit: boolean; megabytes: number }): Promise<number> {
  const stage = new Stage(systemTerminal(), systemClock);
  const cleanups: Cleanups = [];
  try {
    const bytes = Math.max(1, megabytes) * 1e6;
    return (await playUnlessInterrupted(stage, { bytes, exit }, cleanups)) ? 0 : 1;
  } catch (error) {
    console.error(isAbort(error) ? 'Interrupted.' : `The demo could not go on: ${describeError(error)}`);
    return isAbort(error) ? 130 : 1;
  } finally {
    await cleanUp(cleanups);
  }
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { exit: { type: 'boolean', default: false }, 'size-mb': { type: 'string', default: '100' } },
  });
  process.exitCode = await runDemo({ exit: values.exit, megabytes: Number(values['size-mb']) });
}
