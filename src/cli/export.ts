import { Command, InvalidArgumentError, Option } from 'commander';
import type { Cluster } from '../domain/clusters/clusters.ts';
import type { Domain } from '../domain/domain.ts';
import type { ExportJob } from '../domain/exports/export-jobs.ts';
import { must } from '../lib/assert.ts';
import { findBucket } from './bucket-lookup.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { followTask } from './follow-task.ts';
import { findCluster } from './lookup.ts';
import { withService } from './open-service.ts';
import { dataDirOption, jsonOption, parseSnapshot, passphraseFileOption, projectOption } from './options.ts';
import { formatDuration, formatNumberOf } from './sizes.ts';
import { NothingFound } from './usage-error.ts';

interface ExportOptions {
  bucket: string;
  snapshot: string;
  custom: { key: string; value: string }[];
  project?: string;
  dataDir?: string;
  passphraseFile?: string;
  json?: boolean;
}

export function exportCommand(tools: CommandTools): Command {
  return new Command('export')
    .description('export a snapshot into an export bucket and wait until it has ended')
    .argument('<cluster>', 'name of the cluster')
    .addOption(new Option('--bucket <bucket>', 'the export bucket, by its id or name').makeOptionMandatory())
    .addOption(new Option('--snapshot <id>', 'the snapshot, or `latest`').argParser(parseSnapshot).default('latest'))
    .addOption(
      new Option('--custom <key=value>', 'kept in `.complete` beside the export; may be given several times')
        .argParser(customDatum)
        .default([], 'none'),
    )
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(passphraseFileOption())
    .addOption(jsonOption())
    .action((name: string, options: ExportOptions) =>
      runCommand(tools, options, (run) => exportSnapshotOf(run, name, options)),
    );
}

async function exportSnapshotOf(run: CommandRun, name: string, options: ExportOptions): Promise<void> {
  await withService(run, { ...options, worker: true }, async ({ domain }) => {
    const cluster = await findCluster(domain, name, options.project);
    const at = { projectId: cluster.projectId, clusterName: cluster.name };
    const snapshotId = options.snapshot === 'latest' ? await latestOf(domain, cluster) : options.snapshot;
    const { id: exportBucketId } = await findBucket(domain, cluster.projectId, options.bucket);
    const { custom: customData } = options;
    const created = await domain.exportJobs.create({ ...at, snapshotId, exportBucketId, customData });
    await followTask(domain, must(created.taskId, 'a created export job has a task'), run);
    const job = await domain.exportJobs.get({ ...at, exportJobId: created.id });
    const tookMs = (job.finishedAtMs ?? 0) - job.createdAtMs;
    const { bold, green, yellow } = run.terminal.colors;
    if (job.stateReason !== null) run.incomplete();
    run.answer(exportJson(job), [
      `${green('Exported')} ${formatNumberOf(job.exportedCollections, 'collection')} of snapshot ${bold(snapshotId)} in ${formatDuration(tookMs)}.`,
      `They lie under ${job.prefix}/.`,
      ...(job.stateReason === null ? [] : [yellow(`${job.stateReason.errorCode}: ${job.stateReason.message}`)]),
    ]);
  });
}

async function latestOf(domain: Domain, { projectId, name }: Cluster): Promise<string> {
  const page = { pageNum: 1, itemsPerPage: 1, includeCount: false };
  const { items } = await domain.snapshots.list({ projectId, clusterName: name, completed: true, page });
  const [latest] = items;
  if (latest === undefined) throw new NothingFound(`There is no completed snapshot of ${name}.`);
  return latest.id;
}

function exportJson(job: ExportJob): Record<string, unknown> {
  const { id, projectId, clusterName, snapshotId, exportBucketId, state, prefix, customData } = job;
  const { exportedCollections, totalCollections } = job;
  const time = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  return {
    ...{ id, projectId, clusterName, snapshotId, exportBucketId, state, prefix, customData },
    ...{ exportedCollections, totalCollections },
    stateReason: job.stateReason,
    createdAt: time(job.createdAtMs),
    finishedAt: time(job.finishedAtMs),
  };
}

function customDatum(
  text: string,
  before: readonly { key: string; value: string }[],
): { key: string; value: string }[] {
  const split = text.indexOf('=');
  if (split < 1) throw new InvalidArgumentError('It must be key=value.');
  return [...before, { key: text.slice(0, split), value: text.slice(split + 1) }];
}
