import { Command, Option } from 'commander';
import type { Snapshot } from '../domain/snapshots/snapshots.ts';
import { describeLeftOut, type LeftOutSummary } from '../engine/left-out.ts';
import type { HoldRecord } from '../engine/sharding/balancer-hold.ts';
import { must } from '../lib/assert.ts';
import { createIdSource } from '../lib/ids.ts';
import { createLogger, type Logger } from '../lib/logger.ts';
import type { Progress } from '../lib/progress.ts';
import { systemRandom } from '../lib/random.ts';
import { jobPatience } from '../lib/weather/patience.ts';
import { throughWeather } from '../lib/weather/through-weather.ts';
import { addUriOptions, readUri } from './cluster-uri.ts';
import { type CommandRun, type CommandTools, runCommand } from './command-run.ts';
import { confirm } from './confirmation.ts';
import { followTask } from './follow-task.ts';
import { findCluster, findSnapshot } from './lookup.ts';
import { describeSource, findManifest } from './manifest-lookup.ts';
import { openRepositoryOf, type RepositoryOptions } from './open-repository.ts';
import { withService } from './open-service.ts';
import {
  dataDirOption,
  fromOption,
  jsonOption,
  passphraseFileOption,
  projectOption,
  repositoryOption,
  yesOption,
} from './options.ts';
import { ProgressBar } from './progress-bar.ts';
import { formatBytes, formatDuration, formatNumberOf, formatTime } from './sizes.ts';
import { UsageError } from './usage-error.ts';

const NOTHING: LeftOutSummary = { named: [], count: 0 };

interface RestoreOptions extends RepositoryOptions {
  snapshot: string;
  from?: string;
  to?: string;
  uri?: string;
  uriFile?: string;
  project?: string;
  skipVerify?: boolean;
  yes?: boolean;
  json?: boolean;
}

export function restoreCommand(tools: CommandTools): Command {
  const command = new Command('restore')
    .description(
      'replace the data of a cluster with that of a snapshot; begins again by itself where an election, a broken network or a stalled store cuts it off',
    )
    .addOption(new Option('--snapshot <id>', 'the snapshot, or `latest`').makeOptionMandatory())
    .addOption(fromOption())
    .addOption(new Option('--to <cluster>', 'a registered cluster'));
  return addUriOptions(command, 'target')
    .addOption(projectOption())
    .addOption(dataDirOption())
    .addOption(repositoryOption())
    .addOption(passphraseFileOption())
    .option('--skip-verify', 'do not read and hash every blob before the target is touched (with --uri-file or --uri)')
    .addOption(yesOption())
    .addOption(jsonOption())
    .action((options: RestoreOptions) => runCommand(tools, options, (run) => restore(run, options)));
}

async function restore(run: CommandRun, options: RestoreOptions): Promise<void> {
  const { to } = options;
  const uri = to === undefined ? await readUri(run, options, 'target') : undefined;
  if (uri !== undefined) await restoreToUri(run, { ...options, uri });
  else if (to === undefined)
    throw new UsageError('Say where to restore: --to <cluster> or --uri-file <file>, or set TIDEMARK_TARGET_URI.');
  else if (options.repository !== undefined) {
    throw new UsageError(
      'A repository by itself knows no clusters: give the target with --uri-file <file>, or set TIDEMARK_TARGET_URI.',
    );
  } else await restoreToCluster(run, { ...options, to });
}

/** As the API does it: a restore job in the catalog, run by a worker. */
async function restoreToCluster(run: CommandRun, options: RestoreOptions & { to: string }): Promise<void> {
  await withService(run, { ...options, worker: true }, async (workspace) => {
    const { domain } = workspace;
    if (options.skipVerify === true)
      throw new UsageError('--skip-verify goes with --uri-file and --uri: a restore job always verifies.');
    const target = await findCluster(domain, options.to, options.project);
    const snapshotId =
      options.snapshot === 'latest'
        ? (await findManifest(await openRepositoryOf(run, options), options, run.signal)).header.snapshotId
        : options.snapshot;
    const snapshot = await findSnapshot(workspace, snapshotId);
    if (options.from !== undefined && ![snapshot.clusterName, snapshot.clusterId].includes(options.from))
      throw new UsageError(`Snapshot ${snapshot.id} is of ${snapshot.clusterName}, not of ${options.from}.`);
    const warning = `All data of ${target.name} (${target.displayUri}) is replaced by ${describeSnapshot(snapshot)}.`;
    await confirm(run, { yes: options.yes, warning, expected: target.name });
    const at = { projectId: snapshot.projectId, clusterName: snapshot.clusterName };
    const job = await domain.restoreJobs.create({
      ...at,
      deliveryType: 'automated',
      snapshotId: snapshot.id,
      targetProjectId: target.projectId,
      targetClusterName: target.name,
    });
    await followTask(domain, must(job.taskId, 'a created restore job has a task'), run, target.displayUri);
    const done = await domain.restoreJobs.get({ ...at, restoreJobId: job.id });
    const ms = (done.finishedAtMs ?? 0) - (done.startedAtMs ?? 0);
    const restored = { documents: done.restoredDocuments ?? 0, bytes: done.restoredBytes ?? 0 };
    const leftOut = done.leftOut ?? NOTHING;
    const answer = { restoreJobId: job.id, snapshotId: snapshot.id, target: target.name, ...restored, leftOut, ms };
    run.answer(answer, [describe(run, target.name, restored, ms), ...describeLosses(run, leftOut)]);
  });
}

/**
 * Straight from the repository into the target: needs neither catalog nor service, which is what is left after a
 * disaster.
 */
async function restoreToUri(run: CommandRun, options: RestoreOptions & { uri: string }): Promise<void> {
  const repository = await openRepositoryOf(run, options);
  const manifest = await findManifest(repository, options, run.signal);
  const { header } = manifest;
  const { redactUri } = await import('../mongo/connection/connect.ts');
  const target = redactUri(options.uri);
  const warning = `All data of ${target} is replaced by ${describeSource(header)}.`;
  await confirm(run, { yes: options.yes, warning, expected: 'replace' });
  const bar = new ProgressBar(run.terminal, run.clock);
  const startedMs = run.clock.monotonicMs();
  bar.report({ phase: `connecting to ${target}`, documentsDone: 0, bytesDone: 0 });
  try {
    const { restore } = await import('../engine/restore/restore.ts');
    const log = createLogger('warn');
    const { clusterId, snapshotId } = header;
    const tools = { clock: run.clock, log, signal: run.signal, holdRecord: holdRecordIn(log) };
    const report = (progress: Progress) => bar.report(progress);
    let cleared = false;
    const clearing = async () => {
      cleared = true;
    };
    const asked = { repository, clusterId, snapshotId, uri: options.uri, report, clearing, ...tools };
    const id = createIdSource(run.clock, systemRandom).next();
    // A target that was not touched yet may well be the wrong one: whoever sits there is told at once.
    const weather = { patience: jobPatience, worth: () => cleared, random: systemRandom, report, ...tools };
    const restored = await throughWeather(weather, async (attempt) => {
      const verifyContent = options.skipVerify !== true && !cleared;
      return await restore({ ...asked, verifyContent, run: { id, attempt } }, manifest);
    });
    bar.clear();
    const ms = Math.round(run.clock.monotonicMs() - startedMs);
    const answer = { snapshotId: header.snapshotId, target, ...restored, ms };
    run.answer(answer, [describe(run, target, restored, ms), ...describeLosses(run, restored.leftOut)]);
  } finally {
    bar.clear();
  }
}

/** A line for each thing that the target refused, and the exit code that says that there are some. */
function describeLosses(run: CommandRun, { named, count }: LeftOutSummary): string[] {
  if (count === 0) return [];
  run.incomplete();
  const { yellow } = run.terminal.colors;
  const more = count > named.length ? [`... and ${count - named.length} more.`] : [];
  return [
    `${yellow('Missing')}, because the target refuses it:`,
    ...named.map((one) => `  ${describeLeftOut(one)}`),
    ...more,
  ];
}

/** There is no catalog to write it down in: who reads this starts it by hand where this process is killed. */
function holdRecordIn(log: Logger): HoldRecord {
  return {
    write: async () =>
      log.warn("the target's balancer is stopped until the restore ends; if it is cut off, run sh.startBalancer()"),
    erase: async () => undefined,
  };
}

/** As `describeSource`, by the catalog. */
function describeSnapshot({ id, clusterName, createdAtMs, documents, dataBytes }: Snapshot): string {
  const time = createdAtMs === null ? 'an unknown time' : formatTime(createdAtMs);
  const amount = `${formatNumberOf(documents ?? 0, 'document')}, ${formatBytes(dataBytes ?? 0)}`;
  return `snapshot ${id} of ${clusterName} as of ${time} (${amount})`;
}

function describe(run: CommandRun, target: string, restored: { documents: number; bytes: number }, ms: number): string {
  const amount = `${formatNumberOf(restored.documents, 'document')}, ${formatBytes(restored.bytes)}`;
  return `${run.terminal.colors.green('Restored')} ${amount} into ${target} in ${formatDuration(ms)}.`;
}
