/**
 * How far Tidemark is from what the machine can do: `npm run bench [-- --size 1GB --json --keep]`, with `--download`
 * how fast a snapshot leaves as a file, with `--api` how fast lists and gets are with 10,000 snapshots, with `--stores`
 * what a directory and an S3 server cost, or with `--export` how fast BSON becomes Extended JSON. With `--tailer
 * [--rate 5000 --seconds 60]`: how continuous backup and a restore from it keep up. With `--collections 3000
 * [--against REV]`: what many small collections cost, also another revision, turn about. With `--start`: how long a
 * command takes that does nothing, from the checkout and from the installed package. Floors and work are measured
 * in the same run, each in a process of its own; `docs/performance.md` has the figures. Never part of the tests: a
 * timing that fails a build teaches people to run it again.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatBytes, formatDuration, formatRate } from '../src/cli/sizes.ts';
import { renderTable } from '../src/cli/table.ts';
import { systemTerminal } from '../src/cli/terminal.ts';
import { systemClock } from '../src/lib/clock.ts';
import { describeError } from '../src/lib/errors.ts';
import { createIdSource } from '../src/lib/ids.ts';
import { systemRandom } from '../src/lib/random.ts';
import { createRepository } from '../src/repository/repository.ts';
import { DirectoryStore } from '../src/storage/directory.ts';
import { ReplicaSet } from '../test/support/replica-set.ts';
import { apiColumns, apiRows } from './bench/api-figures.ts';
import { measureApi } from './bench/api-speed.ts';
import { collectionsColumns, collectionsRows } from './bench/collections/collections-figures.ts';
import { measureCollections } from './bench/collections/collections-speed.ts';
import { exportColumns, exportRows, measureExport } from './bench/export-speed.ts';
import { type Figures, figureColumns, figureRows, type Incremental } from './bench/figures.ts';
import { type Measured, measure } from './bench/measured-work.ts';
import { withBuilds } from './bench/other-build.ts';
import { type SampleFile, writeSampleFiles } from './bench/sample-files.ts';
import { measureStart, startColumns, startRows } from './bench/start-speed.ts';
import { measureStores, storeColumns, storeRows } from './bench/store-speed.ts';
import { tailerColumns, tailerRows } from './bench/tailer-figures.ts';
import { measureTailer } from './bench/tailer-speed.ts';
import { changeSampleData, createSampleIndexes, SAMPLE_DB } from './demo/sample-cluster.ts';

const SEED = 20_261_122;
/** Kept in memory: more would measure the same. */
const EXPORT_BYTES_MAX = 100e6;
/** A floor is the better of so many tries, so that a hiccup makes no budget easier. */
const FLOOR_TRIES = 2;
/** The servers' files are on a disk in memory as well, so this is counted twice. */
const CACHE_GB = 1;
const PERCENTS = ['0.1', '1', '10'] as const;

const ids = createIdSource(systemClock, systemRandom);

/** A source with the sample data in it, its repository, and the snapshots taken of it. */
class Subject {
  readonly source: ReplicaSet;
  readonly repository: string;
  readonly clusterId = ids.next();
  newestSnapshotId: string | null = null;

  constructor(source: ReplicaSet, repository: string) {
    this.source = source;
    this.repository = repository;
  }

  static async create(directory: string, name: string, files: readonly SampleFile[]): Promise<Subject> {
    const repository = join(directory, name);
    await mkdir(repository);
    const store = await DirectoryStore.open(repository);
    await createRepository({ store, clock: systemClock, random: systemRandom }, {});
    const source = await ReplicaSet.start({ name, cacheGb: CACHE_GB });
    await measure({ kind: 'load', uri: source.uri, db: SAMPLE_DB, files: [...files], indexes: false });
    await settle(source);
    return new Subject(source, repository);
  }

  async snapshot(): Promise<Measured> {
    await settle(this.source);
    const snapshotId = ids.next();
    const { clusterId, repository, newestSnapshotId: parentSnapshotId } = this;
    const measured = await measure({
      kind: 'snapshot',
      uri: this.source.uri,
      repository,
      clusterId,
      snapshotId,
      parentSnapshotId,
    });
    this.newestSnapshotId = snapshotId;
    return measured;
  }

  async incremental(changeEvery: number): Promise<Incremental & { peakRssBytes: number }> {
    const changedDocuments = await changeSampleData(this.source.client, changeEvery);
    const { ms, storedBytes = 0, documentsRead = 0, bytesRead = 0, peakRssBytes } = await this.snapshot();
    return { ms, storedBytes, documentsRead, bytesRead, changedDocuments, peakRssBytes };
  }

  async restoreInto(target: ReplicaSet, skipVerify: boolean): Promise<Measured> {
    await settle(target);
    const { clusterId, repository } = this;
    const snapshotId = this.newestSnapshotId ?? '';
    return await measure({ kind: 'restore', uri: target.uri, repository, clusterId, snapshotId, skipVerify });
  }
}

/** What was written is on disk before the next measurement starts, so that it does not pay for it. */
async function settle(set: ReplicaSet): Promise<void> {
  await set.client.db('admin').command({ fsync: 1 });
}

async function run(directory: string, bytes: number, say: (text: string) => void): Promise<Figures> {
  const sets: ReplicaSet[] = [];
  try {
    say(`writing ${formatBytes(bytes)} of sample documents`);
    const files = await writeSampleFiles(directory, bytes, SEED);
    const dataBytes = files.reduce((sum, file) => sum + file.bytes, 0);
    const documents = files.reduce((sum, file) => sum + file.documents, 0);
    say('starting the target: load floors');
    const target = await ReplicaSet.start({ name: 'target', cacheGb: CACHE_GB, oplogMb: 256 });
    sets.push(target);
    const loadFloorMs = await loadFloor(target, files, false);
    const loadWithIndexesFloorMs = await loadFloor(target, files, true);
    await target.client.db(SAMPLE_DB).dropDatabase();

    say('starting the source: scan floor');
    const large = await Subject.create(directory, 'large', files);
    sets.push(large.source);
    const scanFloorMs = await scanFloor(large.source);
    say('bound of a first snapshot');
    const bound = await measure({ kind: 'bound', uri: large.source.uri, db: SAMPLE_DB });
    say('first snapshot');
    const first = await large.snapshot();
    say('restores');
    const restored = await large.restoreInto(target, true);
    const verified = await large.restoreInto(target, false);
    if (restored.documents !== documents) throw new Error(`restored ${restored.documents} of ${documents} documents`);
    const incremental = {} as Figures['incremental'];
    let incrementalRss = 0;
    for (const percent of PERCENTS) {
      say(`incremental, ${percent} % changed`);
      const { peakRssBytes, ...figures } = await large.incremental(Math.round(100 / Number(percent)));
      incremental[percent] = figures;
      incrementalRss = Math.max(incrementalRss, peakRssBytes);
    }
    say('restore with indexes');
    await createSampleIndexes(large.source.client);
    await large.snapshot();
    const withIndexes = await large.restoreInto(target, true);
    await large.source.stop();
    say('the same changes in a quarter of the data');
    const smaller = await measureSmaller(directory, dataBytes / 4, incremental['1'].changedDocuments, sets);
    return {
      dataBytes,
      documents,
      scanFloorMs,
      boundMs: bound.boundMs ?? 0,
      boundStoredBytes: bound.storedBytes ?? 0,
      loadFloorMs,
      loadWithIndexesFloorMs,
      firstSnapshotMs: first.ms,
      firstSnapshotStoredBytes: first.storedBytes ?? 0,
      firstSnapshotReadBytes: first.bytesRead ?? 0,
      firstSnapshotRatio: round(first.ms / scanFloorMs),
      incremental,
      smaller,
      restoreMs: restored.ms,
      restoreRatio: round(restored.ms / loadFloorMs),
      restoreVerifiedMs: verified.ms,
      restoreWithIndexesMs: withIndexes.ms,
      restoreWithIndexesRatio: round(withIndexes.ms / loadWithIndexesFloorMs),
      peakRssBytes: Math.max(first.peakRssBytes, incrementalRss, restored.peakRssBytes, verified.peakRssBytes),
      peakRss: {
        firstSnapshot: first.peakRssBytes,
        incremental: incrementalRss,
        restore: Math.max(restored.peakRssBytes, verified.peakRssBytes),
      },
    };
  } finally {
    await Promise.all(sets.map((set) => set.stop()));
  }
}

async function loadFloor(target: ReplicaSet, files: readonly SampleFile[], indexes: boolean): Promise<number> {
  return await bestOf(async () => {
    await target.client.db(SAMPLE_DB).dropDatabase();
    await settle(target);
    return await measure({ kind: 'load', uri: target.uri, db: SAMPLE_DB, files: [...files], indexes });
  });
}

async function scanFloor(source: ReplicaSet): Promise<number> {
  return await bestOf(() => measure({ kind: 'scan', uri: source.uri, db: SAMPLE_DB }));
}

async function bestOf(attempt: () => Promise<Measured>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < FLOOR_TRIES; tries++) best = Math.min(best, (await attempt()).ms);
  return best;
}

/** That the cost of an increment follows the change and not the size shows only beside a second size. */
async function measureSmaller(
  directory: string,
  bytes: number,
  changes: number,
  sets: ReplicaSet[],
): Promise<Figures['smaller']> {
  const inner = await mkdtemp(join(directory, 'small-'));
  const files = await writeSampleFiles(inner, bytes, SEED);
  const documents = files.reduce((sum, file) => sum + file.documents, 0);
  const small = await Subject.create(inner, 'small', files);
  sets.push(small.source);
  const first = await small.snapshot();
  const { peakRssBytes: _, ...incremental } = await small.incremental(Math.max(1, Math.round(documents / changes)));
  return { dataBytes: first.bytes, firstSnapshotMs: first.ms, incremental };
}

function round(ratio: number): number {
  return Math.round(ratio * 1000) / 1000;
}

/** `500MB`, `1GB`, `2 GB`: decimal. */
function parseSize(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*(kB|MB|GB)$/i.exec(text.trim());
  if (found === null) throw new Error(`--size ${text}: say it as 500MB or 1GB`);
  const unit = { KB: 1e3, MB: 1e6, GB: 1e9 }[(found[2] ?? '').toUpperCase()] ?? 1;
  return Number(found[1]) * unit;
}

async function benchData(directory: string, bytes: number): Promise<void> {
  const figures = await run(directory, bytes, (text) => terminal.printError(`${since()}  ${text}\n`));
  if (values.json) terminal.print(JSON.stringify(figures));
  else for (const line of renderTable(figureColumns, figureRows(figures), terminal)) terminal.print(line);
}

async function benchDownload(directory: string, bytes: number): Promise<void> {
  const files = await writeSampleFiles(directory, bytes, SEED);
  const subject = await Subject.create(directory, 'source', files);
  try {
    await subject.snapshot();
  } finally {
    await subject.source.stop();
  }
  const { repository, clusterId, newestSnapshotId } = subject;
  const snapshotId = newestSnapshotId ?? '';
  const [plain, compressed] = [[], []] as [Measured[], Measured[]];
  for (let tries = 0; tries < FLOOR_TRIES; tries++) {
    plain.push(await measure({ kind: 'download', repository, clusterId, snapshotId, compressed: false }));
    compressed.push(await measure({ kind: 'download', repository, clusterId, snapshotId, compressed: true }));
  }
  const figures = { archive: fastest(plain), download: fastest(compressed) };
  if (values.json) return terminal.print(JSON.stringify(figures));
  const rows = Object.entries(figures).map(([name, { bytes: data, ms, fileBytes = 0, peakRssBytes }]) => [
    name,
    formatRate(data, ms),
    formatBytes(data),
    formatBytes(fileBytes),
    formatBytes(peakRssBytes),
  ]);
  const layout = ['OF A SNAPSHOT', 'SPEED', 'DATA', 'FILE', 'PEAK RSS'].map((header) => ({ header }));
  for (const line of renderTable(layout, rows, terminal)) terminal.print(line);
}

function fastest(tries: readonly Measured[]): Measured {
  return tries.reduce((best, next) => (next.ms < best.ms ? next : best));
}

async function benchApi(directory: string): Promise<void> {
  terminal.printError('filling a catalog, then asking the API\n');
  const figures = await measureApi(directory);
  if (values.json) terminal.print(JSON.stringify(figures));
  else for (const line of renderTable(apiColumns, apiRows(figures), terminal)) terminal.print(line);
}

async function benchStores(directory: string, bytes: number): Promise<void> {
  const figures = await measureStores(directory, bytes, (text) => terminal.printError(`${since()}  ${text}\n`));
  if (values.json) terminal.print(JSON.stringify(figures));
  else for (const line of renderTable(storeColumns, storeRows(figures), terminal)) terminal.print(line);
}

async function benchStart(directory: string): Promise<void> {
  terminal.printError('building and installing the package, then starting commands\n');
  const figures = await measureStart(directory);
  if (values.json) terminal.print(JSON.stringify(figures));
  else for (const line of renderTable(startColumns, startRows(figures), terminal)) terminal.print(line);
}

async function benchExport(bytes: number): Promise<void> {
  terminal.printError(`turning ${formatBytes(bytes)} of sample documents into Extended JSON\n`);
  const figures = await measureExport(bytes, SEED);
  if (values.json) terminal.print(JSON.stringify(figures));
  else for (const line of renderTable(exportColumns, exportRows(figures), terminal)) terminal.print(line);
}

async function benchTailer(directory: string): Promise<void> {
  terminal.printError(
    `writing ${values.rate} times a second for ${values.seconds} s, then restoring to the end of it\n`,
  );
  const figures = await measureTailer(directory, { perSecond: Number(values.rate), seconds: Number(values.seconds) });
  if (values.json) terminal.print(JSON.stringify(figures));
  else for (const line of renderTable(tailerColumns, tailerRows(figures), terminal)) terminal.print(line);
}

async function benchCollections(directory: string, count: number): Promise<void> {
  if (!Number.isSafeInteger(count) || count < 1) throw new Error(`--collections ${count}: say how many, as 3000`);
  const say = (text: string): void => terminal.printError(`${since()}  ${text}\n`);
  const { against } = values;
  const figures = await withBuilds({ against, directory }, async (builds) => {
    return await measureCollections(directory, { count, builds }, say);
  });
  if (values.json) terminal.print(JSON.stringify(figures));
  else for (const line of renderTable(collectionsColumns, collectionsRows(figures), terminal)) terminal.print(line);
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1GB' },
    json: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    api: { type: 'boolean', default: false },
    stores: { type: 'boolean', default: false },
    start: { type: 'boolean', default: false },
    export: { type: 'boolean', default: false },
    download: { type: 'boolean', default: false },
    tailer: { type: 'boolean', default: false },
    collections: { type: 'string' },
    against: { type: 'string' },
    rate: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '60' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const terminal = systemTerminal();
const startedMs = systemClock.monotonicMs();
const since = (): string => formatDuration(systemClock.monotonicMs() - startedMs).padStart(11);
let directory: string | null = null;
try {
  const bytes = parseSize(values.size);
  directory = await mkdtemp(join(values.directory, 'tidemark-bench-'));
  if (values.against !== undefined && values.collections === undefined)
    throw new Error('--against goes with --collections');
  if (values.api) await benchApi(directory);
  else if (values.start) await benchStart(directory);
  else if (values.stores) await benchStores(directory, bytes);
  else if (values.export) await benchExport(Math.min(bytes, EXPORT_BYTES_MAX));
  else if (values.download) await benchDownload(directory, bytes);
  else if (values.collections !== undefined) await benchCollections(directory, Number(values.collections));
  else if (values.tailer) await benchTailer(directory);
  else await benchData(directory, bytes);
} catch (error) {
  process.exitCode = 1;
  console.error(`The bench could not go on: ${describeError(error)}`);
} finally {
  if (directory !== null && !values.keep) await rm(directory, { recursive: true, force: true });
  if (directory !== null && values.keep) terminal.printError(`kept: ${directory}\n`);
}
