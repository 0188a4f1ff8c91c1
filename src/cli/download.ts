import { createHash } from 'node:crypto';
import { Command, Option } from 'commander';
import { formatTimestamp } from '../bson/timestamp.ts';
import type { DownloadedReplicaSet } from '../engine/archive/download.ts';
import { describeLeftOut, type JsonLoss, type LeftOut } from '../engine/left-out.ts';
import { Cancelled } from '../lib/errors.ts';
import type { Manifest } from '../repository/format/manifest.ts';
import type { Repository } from '../repository/repository.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { atOption, justBeforeOption, type PointOptions, pointAsked } from './document-options.ts';
import { DownloadFile } from './download-file.ts';
import { findManifestAsked } from './manifest-lookup.ts';
import { openRepositoryOf, type RepositoryOptions } from './open-repository.ts';
import {
  dataDirOption,
  fromOption,
  jsonLossOption,
  jsonOption,
  passphraseFileOption,
  repositoryOption,
  snapshotOption,
} from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatBytes, formatDuration } from './sizes.ts';
import { NothingFound, UsageError } from './usage-error.ts';

interface DownloadOptions extends RepositoryOptions, PointOptions {
  snapshot?: string;
  from?: string;
  output: string;
  replicaSet?: string;
  resume?: boolean;
  jsonLoss?: JsonLoss;
  json?: boolean;
}

const STANDARD_OUTPUT = '-';

export function downloadCommand(tools: CommandTools): Command {
  return new Command('download')
    .description('write a snapshot, or a later point in time, as a mongodump archive for mongorestore')
    .addOption(snapshotOption())
    .addOption(fromOption())
    .addOption(new Option('--output <file>', 'where to, or `-` for standard output').makeOptionMandatory())
    .addOption(atOption())
    .addOption(justBeforeOption())
    .addOption(new Option('--replica-set <name>', 'which shard, of a snapshot of a sharded cluster'))
    .option('--resume', 'go on with the file that an earlier attempt left')
    .addOption(jsonLossOption())
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((options: DownloadOptions) =>
      runCommand(tools, options, (run) => download(run, { ...options, at: pointAsked(options) })),
    );
}

/** From the repository alone: it needs neither catalog nor service. */
async function download(run: CommandRun, options: DownloadOptions): Promise<void> {
  const repository = await openRepositoryOf(run, options);
  const { at } = options;
  const manifest = await findManifestAsked(repository, options, at, run.signal);
  const replicaSet = await chooseReplicaSet(run, repository, manifest, options.replicaSet);
  const { replicaSetName } = replicaSet;
  const startedMs = run.clock.monotonicMs();
  const toFile = options.output !== STANDARD_OUTPUT;
  const resume = options.resume === true;
  if (toFile) await DownloadFile.requireFree(options.output, { resume });
  // What cannot become an archive is known before there is a file.
  const { archive, readers, leftOut } = await archiveOf(run, repository, replicaSet, manifest, options);
  const file = toFile ? await DownloadFile.open(options.output, { resume }) : null;
  const sum = createHash('sha256');
  let bytes = 0;
  try {
    for await (const piece of archive) {
      if (file !== null) await file.write(piece);
      else if (!(await run.terminal.write(piece))) throw new Cancelled('standard output was closed');
      sum.update(piece);
      bytes += piece.length;
    }
    await file?.complete();
  } finally {
    await file?.close();
  }
  const { snapshotId } = manifest.header;
  const ms = Math.round(run.clock.monotonicMs() - startedMs);
  const point = at === undefined ? '' : ` at ${formatTimestamp(at.ts)}`;
  const line = `${formatBytes(bytes)} of snapshot ${snapshotId}${point} in ${formatDuration(ms)}`;
  if (leftOut.length > 0) run.incomplete();
  const warnings = leftOut.map((one) => `Left out: ${describeLeftOut(one)}.`);
  if (!toFile) return run.terminal.printError([`Wrote ${line}.`, ...warnings, ''].join('\n'));
  const kept = file?.kept ?? 0;
  const facts = {
    snapshotId,
    ...(at === undefined ? {} : { at: formatTimestamp(at.ts) }),
    replicaSetName,
    file: options.output,
    bytes,
    sha256: sum.digest('hex'),
    resumedAt: kept,
    ms,
    leftOut,
  };
  run.answer(facts, [
    `${run.terminal.colors.green('Wrote')} ${line} to ${options.output}.`,
    ...warnings.map((warning) => run.terminal.colors.yellow(warning)),
    `Next: mongorestore --archive=${options.output} ${readers.join(' ')}`,
  ]);
}

async function chooseReplicaSet(
  { signal }: CommandRun,
  repository: Repository,
  manifest: Manifest,
  wanted: string | undefined,
): Promise<DownloadedReplicaSet> {
  const { downloadedReplicaSets } = await import('../engine/archive/download.ts');
  const replicaSets = await downloadedReplicaSets(repository, manifest, signal);
  const names = replicaSets.map(({ replicaSetName }) => replicaSetName).join(', ');
  const found = replicaSets.filter(({ replicaSetName }) => wanted === undefined || replicaSetName === wanted);
  const [only, another] = found;
  if (only === undefined) throw new NothingFound(`The snapshot has no replica set ${wanted}. It has: ${names}.`);
  if (another !== undefined)
    throw new UsageError(`The snapshot is of a sharded cluster, so say which shard with --replica-set: ${names}.`);
  return only;
}

async function archiveOf(
  run: CommandRun,
  repository: Repository,
  { replicaSetName, manifest, ownership }: DownloadedReplicaSet,
  whole: Manifest,
  { at, jsonLoss }: DownloadOptions,
): Promise<{ archive: AsyncIterable<Buffer>; readers: readonly string[]; leftOut: LeftOut[] }> {
  const { gzipMembers } = await import('../engine/archive/gzip-members.ts');
  const { planOf, writeArchive } = await import('../engine/archive/write-archive.ts');
  const { readerOptions } = await import('../engine/archive/reader-options.ts');
  const { requireArchivable } = await import('../engine/archive/require-archivable.ts');
  const { pointsOf } = await import('../engine/archive/download.ts');
  const pointInTime = at === undefined ? undefined : { end: at, slices: repository };
  const { clusterId } = whole.header;
  const points = await pointsOf({ repository, clusterId, pointInTime, signal: run.signal }, whole);
  const point = points?.get(replicaSetName);
  const planned = { manifest, point, plan: planOf({ manifest, point }) };
  const leftOut = await requireArchivable({ ...planned, signal: run.signal, jsonLoss });
  const bar = new ProgressBar(run.terminal, run.clock);
  const archive = writeArchive({
    ...planned,
    repository,
    ownership,
    signal: run.signal,
    progress: ({ namespace, bytes, collectionsDone, collectionsTotal }) =>
      bar.report({
        phase: 'downloading',
        documentsDone: 0,
        bytesDone: bytes,
        bytesTotal: manifest.header.bytes,
        collectionsDone,
        collectionsTotal,
        subject: namespace,
      }),
  });
  return { archive: clearedAfter(gzipMembers(archive), bar), readers: readerOptions(manifest, point), leftOut };
}

async function* clearedAfter(
  archive: AsyncIterable<Buffer>,
  bar: ProgressBar,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* archive;
  } finally {
    bar.clear();
  }
}
